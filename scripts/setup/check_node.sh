#!/usr/bin/env bash
# Fails with what to do unless Node 20 or newer and npm are there.
set -euo pipefail

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "Gammadesk needs Node 20 or newer with npm on the PATH; none was found." >&2
    exit 1
fi
if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'; then
    echo "Gammadesk needs Node 20 or newer; $(command -v node) is $(node --version)." >&2
    exit 1
fi
