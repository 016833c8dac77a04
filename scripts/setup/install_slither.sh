#!/usr/bin/env bash
# Makes build/slither-venv, apart from .venv: slither's pins and brownie's exclude each other.
set -euo pipefail

python=$(scripts/setup/find_python.sh)
"$python" -m venv --clear build/slither-venv
build/slither-venv/bin/python -m pip install --disable-pip-version-check --no-input \
    --no-deps -r requirements/slither.txt
