#!/usr/bin/env bash
# stage.sh NAME COMMAND...: one line before, one after with the seconds; the output goes to
# build/logs and is shown only when the command fails.
set -euo pipefail

name=$1
shift
mkdir -p build/logs
log="build/logs/${name// /-}.log"
start=$SECONDS
echo "==> $name"
if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "==> $name FAILED after $((SECONDS - start)) s, whole output in $log" >&2
    exit 1
fi
echo "==> $name: $((SECONDS - start)) s"
