"""Put a compiler named solc-v0.8.30 into build/toolchain.

The native compiler is many times faster than the JavaScript one, so it is
tried first; where its site does not answer, a launcher for the npm package
`solc` takes its place. Both are the same commit and give the same bytecode.
Runs before the virtual environment exists: standard library only.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "build" / "toolchain" / "solc-v0.8.30"
VERSION = "0.8.30+commit.73712a01"
NATIVE_URL = f"https://binaries.soliditylang.org/linux-amd64/solc-linux-amd64-v{VERSION}"
NATIVE_SHA256 = "f3e987dc6ecebd4bd350c48edcbc320b46cf9e3109bd3fc3d88f1acaf4c428f7"
CONNECT_SECONDS = 5

LAUNCHER = """#!/bin/sh
exec node "$(dirname "$0")/../../scripts/setup/solc_wrapper.js" "$@"
"""


def native_compiler() -> bytes | None:
    """Return the verified native compiler, or None with the reason printed."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("solc: no native build pinned for this platform")
        return None
    try:
        with urllib.request.urlopen(NATIVE_URL, timeout=CONNECT_SECONDS) as response:
            binary: bytes = response.read()
    except (OSError, urllib.error.URLError) as error:
        print(f"solc: native build not reachable ({error})")
        return None
    if hashlib.sha256(binary).hexdigest() != NATIVE_SHA256:
        print("solc: native build has the wrong checksum, not used")
        return None
    return binary


def install(content: bytes) -> None:
    """Write the compiler in one step, so that nobody sees half a file."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    part = TARGET.with_name(f".{TARGET.name}.{os.getpid()}")
    part.write_bytes(content)
    part.chmod(0o755)
    part.replace(TARGET)


def reported_version() -> str:
    """Return what the installed compiler says about itself."""
    run = subprocess.run(
        [TARGET, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    return run.stdout.strip().rpartition("Version: ")[2]


def main() -> int:
    """Install the native compiler, else the npm one; check what it reports."""
    native = None if os.environ.get("SOLC") == "npm" else native_compiler()
    if native is not None:
        install(native)
        if reported_version().startswith(VERSION):
            print(f"solc: native {VERSION}")
            return 0
        print("solc: native build does not run here")
    if shutil.which("node") is None:
        print("solc: Node 20 or newer is needed for the npm compiler", file=sys.stderr)
        return 1
    install(LAUNCHER.encode())
    version = reported_version()
    if not version.startswith(VERSION):
        print(f"solc: wanted {VERSION}, the npm compiler says {version!r}", file=sys.stderr)
        return 1
    print(f"solc: npm {VERSION}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
