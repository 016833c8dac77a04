"""The configuration as text: a complete example from the models themselves, and faults in words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def example(root: type[BaseModel]) -> str:
    """A TOML file with every key, its meaning and its default or example; optional keys are commented out."""
    lines = ["# Gammadesk keeper. Every key is shown; what is commented out is optional."]
    for name, field in root.model_fields.items():
        section: Any = field.annotation
        purpose = (section.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"# {purpose}", f"[{name}]"]
        for key, spec in section.model_fields.items():
            lines += _example_lines(key, spec)
    return "\n".join(lines) + "\n"


def explain(root: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """One fault of pydantic's as: section, key, what is wrong, what to write. Secrets are not repeated."""
    where: tuple[int | str, ...] = fault["loc"]
    model, spec = _find(root, where)
    label = f"[{where[0]}]" + ("" if len(where) == 1 else " " + ".".join(map(str, where[1:])))
    if fault["type"] == "extra_forbidden":
        known = list(getattr(model, "model_fields", {}))
        near = difflib.get_close_matches(str(where[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"{label} is unknown: {hint}"
    if fault["type"] == "missing":
        if len(where) == 1:
            return f"{label} is missing: add the section"
        shown = _toml(spec.examples[0]) if spec and spec.examples else "..."
        return f"{label} is missing: add {where[-1]} = {shown}"
    given = f" = {fault['input']!r}" if spec is not None and spec.repr else ""
    meaning = f" ({spec.description})" if spec is not None and spec.description else ""
    return f"{label}{given}: {fault['msg'].removeprefix('Value error, ')}{meaning}"


def _find(root: type[BaseModel], where: tuple[int | str, ...]) -> tuple[Any, FieldInfo | None]:
    """The model that the fault lies in, and the field if there is one."""
    model: Any = root
    spec: FieldInfo | None = None
    for part in where:
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            break
        spec = fields[part]
        model = spec.annotation
    return model, spec


def _example_lines(key: str, spec: FieldInfo) -> list[str]:
    value = spec.examples[0] if spec.examples else spec.get_default(call_default_factory=True)
    optional = "# " if not spec.is_required() and spec.examples and key != "parameters" else ""
    note = [f"# {spec.description}"]
    if isinstance(value, dict):
        inner = ", ".join(f"{k} = {_toml(v)}" for k, v in value.items())
        return [*note, f"{key} = {{ {inner} }}"]
    return [*note, f"{optional}{key} = {_toml(value)}"]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
