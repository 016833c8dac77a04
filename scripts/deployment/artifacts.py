"""Compiled contracts as the deployment uses them, whichever tool compiled them.

Understood are brownie's (bytecode without 0x) and Hardhat's (with linkReferences) JSON files.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keeper.errors import ConfigError
from scripts.deployment import abi as codec

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "contracts"
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract. `bytecode` is hex without 0x; `links` are (library, first byte, bytes)."""

    name: str
    abi: Sequence[Mapping[str, Any]]
    bytecode: str = field(repr=False)
    links: tuple[tuple[str, int, int], ...] = ()

    @staticmethod
    def of(source: Artifact | Mapping[str, Any]) -> Artifact:
        """Normalise parsed artifact JSON; an Artifact comes back as it is."""
        if isinstance(source, Artifact):
            return source
        name = str(source.get("contractName") or source.get("name") or "?")
        bytecode = source.get("bytecode") or ""
        references = source.get("linkReferences") or {}
        if isinstance(bytecode, Mapping):
            references = bytecode.get("linkReferences") or {}
            bytecode = bytecode["object"]
        links = tuple(
            (library, int(place["start"]), int(place["length"]))
            for libraries in references.values()
            for library, places in libraries.items()
            for place in places
        )
        return Artifact(name, source["abi"], bytecode.removeprefix("0x"), links)

    def creation_code(
        self, args: Sequence[Any] = (), libraries: Mapping[str, str] | None = None
    ) -> bytes:
        """Linked bytecode followed by the encoded constructor arguments.

        Raises ConfigError for an interface, a missing library, or arguments that do not fit the constructor.
        """
        code = self.bytecode
        for library, start, length in self.links:
            if library not in (libraries or {}):
                raise ConfigError(f"{self.name} needs the library {library}: pass its address")
            address = (libraries or {})[library].removeprefix("0x").lower()
            code = code[: 2 * start] + address + code[2 * (start + length) :]
        if not code:
            raise ConfigError(f"{self.name} has no bytecode: it is an interface or abstract")
        if not _HEX.fullmatch(code):
            raise ConfigError(f"{self.name} has unlinked libraries in its bytecode")
        return bytes.fromhex(code) + codec.encode_constructor(self.abi, args, self.name)


@functools.cache
def load(path: Path) -> Artifact:
    """Read one artifact file. Raises ConfigError with what to do where it is missing or malformed."""
    try:
        return Artifact.of(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"artifact {path.name} is missing: run `make compile`") from None
    except (ValueError, KeyError) as error:
        raise ConfigError(
            f"artifact {path.name} is not a compiled contract ({error}): recompile"
        ) from None


def own(name: str, build: Path = BUILD) -> Artifact:
    """One of the project's own contracts, from brownie's build."""
    return load(build / f"{name}.json")
