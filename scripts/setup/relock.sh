#!/usr/bin/env bash
# Rebuilds requirements/lock.txt from requirements/dev.in in a virtual environment of its own.
# Everything in one command: brownie's pins hold only for what is resolved along with it.
set -euo pipefail

python=$(scripts/setup/find_python.sh)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder"
BROWNIE_NOCOMPILE=1 "$folder/bin/python" -m pip install --disable-pip-version-check --no-input \
    --no-binary eth-brownie -r requirements/dev.in
"$folder/bin/python" -m pip freeze --exclude pip >"$folder/lock.txt"
if grep -nE '://| @ ' "$folder/lock.txt"; then
    echo "the lock would name places, not versions" >&2
    exit 1
fi
cp "$folder/lock.txt" requirements/lock.txt
