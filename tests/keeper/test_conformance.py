"""docs/conformance.md: every row has a number of its own, in order, and a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d{4})-(\d\d) \| (.+) \| (\w+)::(\w+) \|$", re.M)


def test_every_row_is_a_test() -> None:
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    assert len(rows) == len(re.findall(r"^\| \d{4}-\d\d ", text, re.M)) > 40
    by_standard: dict[str, list[int]] = {}
    for standard, number, _, file, name in rows:
        by_standard.setdefault(standard, []).append(int(number))
        source = (ROOT / "tests" / "contracts" / f"test_{file}.py").read_text(encoding="utf-8")
        assert f"\ndef {name}(" in source, f"{standard}-{number}: {file}::{name}"
    for standard, numbers in by_standard.items():
        assert numbers == list(range(1, len(numbers) + 1)), standard
