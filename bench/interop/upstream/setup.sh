#!/bin/sh
# Makes bench/interop/upstream/venv with the pinned Triton. PYTHON chooses the interpreter (3.8 to 3.12). MLServer is made by bench/peers/serving/setup.sh.
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --requirement requirements.txt
