#!/bin/sh
# Makes bench/interop/tritonclient/venv with the pinned packages and asks our faces with NVIDIA's client.
# PYTHON chooses the interpreter (3.11 or newer); arguments go to check.py.
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --requirement requirements.txt
exec venv/bin/python check.py "$@"
