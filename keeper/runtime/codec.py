"""Records as JSON and back, bit for bit: a decision can be taken again from what was stored.

Floats keep their shortest exact form, integers of any size stay integers, inf is written as a word.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from keeper.errors import DataError

T = TypeVar("T")
_WORDS = {"inf": math.inf, "-inf": -math.inf}


def to_json(record: object) -> str:
    """Canonical text: sorted keys, no spaces."""
    return json.dumps(plain(record), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(record: object) -> str:
    """SHA-256 of the canonical text, 0x and 64 digits."""
    return "0x" + hashlib.sha256(to_json(record).encode()).hexdigest()


def from_json(kind: type[T], text: str) -> T:
    """The record of dataclass `kind` that `to_json` wrote. DataError names the field that does not fit."""
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"not a stored {kind.__name__}: {error}") from None
    built: T = _build(kind, tree, kind.__name__)
    return built


def plain(value: object) -> Any:
    """Dataclasses, enums and tuples as what JSON has."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _build(kind: Any, tree: Any, where: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        inner = next(part for part in parts if part is not type(None))
        return None if tree is None else _build(inner, tree, where)
    if dataclasses.is_dataclass(kind):
        return _build_record(kind, tree, where)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        try:
            return kind.model_validate(tree)
        except ValidationError as error:
            raise DataError(f"{where}: {error.errors()[0]['msg']}: of another version") from None
    if origin is Literal:
        if tree not in parts:
            raise DataError(f"{where}: {tree!r} is none of {parts}")
        return tree
    if origin is tuple:
        items = _expect(tree, list, where)
        one = len(parts) == 2 and parts[1] is Ellipsis
        kinds = [parts[0]] * len(items) if one else list(parts)
        if len(kinds) != len(items):
            raise DataError(f"{where}: {len(items)} items where {len(kinds)} belong")
        return tuple(
            _build(k, i, f"{where}[{n}]") for n, (k, i) in enumerate(zip(kinds, items, strict=True))
        )
    if origin is dict:
        return {
            k: _build(parts[1], v, f"{where}.{k}") for k, v in _expect(tree, dict, where).items()
        }
    if kind is float:
        return _float(tree, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(tree)
    return _expect(tree, kind, where)


def _build_record(kind: Any, tree: Any, where: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(kind)}
    given = _expect(tree, dict, where)
    unknown = given.keys() - fields.keys()
    missing = [
        name
        for name, f in fields.items()
        if name not in given
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if unknown or missing:
        raise DataError(
            f"{where}: unknown {sorted(unknown)}, missing {missing}: of another version"
        )
    hints = get_type_hints(kind)
    return kind(
        **{name: _build(hints[name], item, f"{where}.{name}") for name, item in given.items()}
    )


def _float(tree: Any, where: str) -> float:
    if isinstance(tree, str) and tree in _WORDS:
        return _WORDS[tree]
    if isinstance(tree, bool) or not isinstance(tree, (int, float)):
        raise DataError(f"{where}: {tree!r} is not a number")
    return float(tree)


def _expect(tree: Any, kind: type, where: str) -> Any:
    if not isinstance(tree, kind) or (kind is int and isinstance(tree, bool)):
        raise DataError(f"{where}: {tree!r} is not of {kind.__name__}")
    return tree
