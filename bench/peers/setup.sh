#!/bin/sh
# Makes bench/peers/venv with the pinned peers and writes bench/.cache (networks, weights).
# Usage: bench/peers/setup.sh [folder with the shared models]. PYTHON chooses the interpreter (3.11 or newer).
# On Linux, PyPI's torch brings CUDA (5 GB); PIP_INDEX_URL / PIP_EXTRA_INDEX_URL may name PyTorch's CPU index instead.
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --requirement requirements.txt
exec venv/bin/python prepare.py "${1:-${GLACIS_SHARED:-../../../shared}/models}"
