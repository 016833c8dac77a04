"""Where the tools of this checkout are, and the way to load its contracts under brownie.

`load_project()` imports brownie late, because brownie looks for the compiler while it is
imported: whoever imports brownie at the top of a module calls `prepare()` above that.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOLCHAIN = ROOT / "build" / "toolchain"
PROJECT_NAME = "Gammadesk"


def prepare() -> None:
    """Let brownie find the compiler and a home folder."""
    os.environ["SOLCX_BINARY_PATH"] = str(TOOLCHAIN)
    # Brownie and its compilers keep their files in the home folder and do not create it.
    Path.home().mkdir(parents=True, exist_ok=True)


def load_project() -> Any:
    """Compile what changed, then return the loaded project with its settings in force."""
    prepare()
    from brownie import project

    lock_file = ROOT / "build" / ".compile.lock"
    lock_file.parent.mkdir(exist_ok=True)
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once would mix their artifacts
        _forget_removed()
        loaded = project.load(ROOT, PROJECT_NAME, raise_if_loaded=False)
    loaded.load_config()
    return loaded


def _forget_removed() -> None:
    """Artifacts that come from sources which are gone: brownie would look for those."""
    for path in (ROOT / "build" / "contracts").glob("*.json"):
        sources = json.loads(path.read_text()).get("allSourcePaths", {})
        if not all((ROOT / source).is_file() for source in sources.values()):
            path.unlink()
