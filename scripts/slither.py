"""Static analysis: slither over every contract but the mocks, its findings held against docs/slither.md.

    python -m scripts.slither

Fails on a finding that the document does not answer, and on an answer that answers nothing any more. In the document a
section `## detector` answers what its list lines (`- `) name as `Contract.function` before a colon; one whose text
begins with `Everywhere:` answers the whole detector. Slither reads types and syntax alone, so solc stops before making
code: seconds for minutes. Settings: slither.config.json; compiler as in foundry.toml. Run by `make slither`.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = ROOT / "docs" / "slither.md"
UNIT = ROOT / "build" / "slither" / "unit.json"
REPORT = ROOT / "build" / "slither.json"
SLITHER = ROOT / "build" / "slither-venv" / "bin" / "slither"
# What slither's reader of build-info wants of a contract, and nothing of ours has without code.
NO_CODE = {"object": "", "sourceMap": ""}
# `(a, ) = f()` leaves a component out where everybody sees it; what ignores all that a call returns must be answered.
LEFT_OUT = re.compile(r"ignores return value by \(.*\) = ")
# A detector and Contract.function.
Finding = tuple[str, str]


def compile_unit() -> None:
    """All contracts and what they import, typed, as forge's build-info would have them."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    paths = [p.relative_to(ROOT) for p in sorted((ROOT / profile["src"]).rglob("*.sol"))]
    given = {
        "language": "Solidity",
        "sources": {
            str(p): {"content": (ROOT / p).read_text()} for p in paths if "mocks" not in p.parts
        },
        "settings": {
            "remappings": profile["remappings"],
            "evmVersion": profile["evm_version"],
            "viaIR": profile["via_ir"],
            "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
            "outputSelection": {"*": {"": ["ast"], "*": ["abi"]}},
        },
    }
    done = subprocess.run(
        [ROOT / profile["solc"], "--standard-json", "--base-path", "."],
        cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=True,
    )  # fmt: skip
    output = json.loads(done.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise SystemExit("\n".join(errors))
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": NO_CODE, "deployedBytecode": NO_CODE}
    version = Path(profile["solc"]).name.removeprefix("solc-v")
    UNIT.parent.mkdir(parents=True, exist_ok=True)
    UNIT.write_text(json.dumps({"solcVersion": version, "input": given, "output": output}))


def analyse() -> list[dict[str, Any]]:
    """Slither's findings. Raises SystemExit with what it says if it does not come to its end."""
    REPORT.unlink(missing_ok=True)
    path = (
        f"{ROOT / 'node_modules' / '.bin'}:{os.environ['PATH']}"  # it asks forge for its settings
    )
    done = subprocess.run(
        [SLITHER, ".", "--json", REPORT],
        cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {"success": False}
    if done.returncode or not report["success"]:
        raise SystemExit(f"slither failed:\n{done.stderr[-3_000:]}")
    return list(report["results"].get("detectors", []))


def place(element: dict[str, Any]) -> str:
    """Contract.function of what slither points at; an event or a contract stands for itself."""
    names: list[str] = []
    inner: dict[str, Any] | None = element
    while inner and inner["type"] != "contract":
        if inner["type"] in ("function", "event") or (inner["type"] == "variable" and not names):
            # Functions of assembly are named with the whole path of their blocks.
            names.insert(0, inner["name"].split(".")[0])
        inner = inner.get("type_specific_fields", {}).get("parent")
    if element["type"] == "variable" and len(names) > 1:
        names.pop()  # the function says enough
    return ".".join([*([inner["name"]] if inner else []), *names])


def read_answers(document: str) -> tuple[set[str], set[Finding]]:
    """Detectors that are answered everywhere, and single answers."""
    everywhere: set[str] = set()
    single: set[Finding] = set()
    for section in re.split(r"^## ", document, flags=re.MULTILINE)[1:]:
        detector, _, text = section.partition("\n")
        if text.lstrip().startswith("Everywhere:"):
            everywhere.add(detector)
        for line in re.findall(r"^- (.*(?:\n  .*)*)", text, flags=re.MULTILINE):
            named = re.findall(r"`(\w+\.\w+)`", line.partition(":")[0])
            single |= {(detector, name) for name in named}
    return everywhere, single


def unanswered(
    findings: list[dict[str, Any]], everywhere: set[str], single: set[Finding]
) -> Iterator[str]:
    """What is not in the document, and what is there in vain."""
    asked = (f for f in findings if not LEFT_OUT.search(f["description"]))
    found = {(f["check"], place(f["elements"][0])): f for f in asked}
    for (detector, where), finding in sorted(found.items()):
        if detector not in everywhere and (detector, where) not in single:
            yield f"not answered: {detector} in {where}\n  {finding['description'].strip()}"
    for detector, where in sorted(single - found.keys()):
        yield f"answered, but not found: {detector} in {where}"
    for detector in sorted(everywhere - {detector for detector, _ in found}):
        yield f"answered everywhere, but not found: {detector}"


def main() -> int:
    """Compile, analyse, compare. Returns 1 if the document and the findings differ."""
    compile_unit()
    findings = analyse()
    wrong = list(unanswered(findings, *read_answers(ANSWERS.read_text())))
    for line in wrong:
        print(line)
    name = ANSWERS.relative_to(ROOT)
    print(f"slither: {len(findings)} findings, {len(wrong)} differences from {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
