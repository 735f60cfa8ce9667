#!/bin/sh
# Makes bench/interop/venv with the pinned packages and writes the exported files to bench/.cache/interop.
# PYTHON chooses the interpreter (3.11 or newer); arguments are networks, all without.
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || "${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install --quiet --requirement requirements.txt
exec venv/bin/python generate.py ../.cache/interop "$@"
