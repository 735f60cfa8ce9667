#!/bin/sh
# Makes bench/interop/kserve/venv with the pinned KServe. PYTHON chooses the interpreter (3.10 or later).
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --requirement requirements.txt
