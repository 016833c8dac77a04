#!/usr/bin/env bash
# Makes .venv and installs the lock, which holds every package with its version.
set -euo pipefail

python=$(scripts/setup/find_python.sh)
if ! .venv/bin/python -c '' 2>/dev/null; then
    "$python" -m venv --clear .venv
fi
# --no-deps: the lock is complete, and brownie's own pins are stricter than pip would accept
# twice. Built without its C extension, which crashes on project settings.
BROWNIE_NOCOMPILE=1 .venv/bin/python -m pip install --disable-pip-version-check --no-input \
    --no-deps --no-binary eth-brownie -r requirements/lock.txt
