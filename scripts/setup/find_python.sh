#!/usr/bin/env bash
# Prints a Python 3.11 or 3.12 that can make virtual environments. Each candidate is run,
# because a name on the PATH may be a shim for a version that is not installed.
set -euo pipefail

for candidate in ${PYTHON:-} python3.11 python3.12 python3 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$candidate"
            exit 0
        fi
        unusable="$candidate lacks the venv module: install your system's python3-venv package"
    fi
done
echo "Gammadesk needs Python 3.11 or 3.12; ${unusable:-none was found}. Set PYTHON=/path/to/python3.11 if it is elsewhere." >&2
exit 1
