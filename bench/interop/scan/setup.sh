#!/bin/sh
# Makes bench/interop/scan/venv with the pinned scanners. PYTHON chooses the interpreter (3.10 or newer).
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
exec venv/bin/python -m pip install --quiet --requirement peers.txt
