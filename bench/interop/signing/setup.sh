#!/bin/sh
# Makes bench/interop/signing/venv with the pinned packages. PYTHON chooses the interpreter (3.10 or newer).
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
exec venv/bin/python -m pip install --quiet --requirement requirements.txt
