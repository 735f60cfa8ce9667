#!/bin/sh
# Makes bench/peers/serving/venv with the pinned peer. PYTHON chooses the interpreter (3.9 to 3.12).
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --requirement requirements.txt
