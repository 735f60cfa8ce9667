#!/bin/sh
# Makes bench/peers/drift/venv with the pinned peers of the monitors of drift. PYTHON chooses the interpreter (3.11 or 3.12).
# On Linux, PyPI's torch brings CUDA (5 GB); PIP_INDEX_URL / PIP_EXTRA_INDEX_URL may name PyTorch's CPU index instead.
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
exec venv/bin/python -m pip install --quiet --requirement requirements.txt
