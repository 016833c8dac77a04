"""The comparison of slither's findings with docs/slither.md: both must say the same."""

from typing import Any

from scripts.slither import ANSWERS, place, read_answers, unanswered

DOCUMENT = """# Title, `Not.this`

## timestamp

Everywhere: times are times, see `Nor.that`.

## unused-return

Reasons.

- `A.one`, `A.two`,
  `B.three`: because of `C.four`.
"""


def finding(check: str, contract: str, function: str) -> dict[str, Any]:
    parent = {"type": "contract", "name": contract, "type_specific_fields": {}}
    element = {"type": "function", "name": function, "type_specific_fields": {"parent": parent}}
    return {"check": check, "elements": [element], "description": "what it is"}


ANSWERED = [
    finding("unused-return", *name) for name in (("A", "one"), ("A", "two"), ("B", "three"))
]
KNOWN = [finding("timestamp", "Any", "thing"), *ANSWERED]


def differences(findings: list[dict[str, Any]]) -> list[str]:
    return [line.split("\n")[0] for line in unanswered(findings, *read_answers(DOCUMENT))]


def test_what_is_answered_is_no_difference() -> None:
    assert differences(KNOWN) == []


def test_a_finding_without_an_answer_is_told() -> None:
    found = [*KNOWN, finding("unused-return", "C", "four"), finding("shift", "A", "one")]
    assert differences(found) == [
        "not answered: shift in A.one",
        "not answered: unused-return in C.four",
    ]


def test_an_answer_without_a_finding_is_told() -> None:
    assert differences(ANSWERED[:2]) == [
        "answered, but not found: unused-return in B.three",
        "answered everywhere, but not found: timestamp",
    ]


def test_a_component_that_is_left_out_needs_no_answer() -> None:
    left_out = finding("unused-return", "D", "five") | {
        "description": "D.five() ignores return value by (a,None) = oracle.spot(1)"
    }
    assert differences([*KNOWN, left_out]) == []


def test_what_lies_inside_a_function_is_the_functions() -> None:
    function = finding("", "A", "one")["elements"][0]
    local = {"type": "variable", "name": "x", "type_specific_fields": {"parent": function}}
    block = {**function, "name": "add.asm_0.edge"}
    assert [place(function), place(local), place(block)] == ["A.one", "A.one", "A.add"]


def test_the_document_itself_can_be_read() -> None:
    everywhere, single = read_answers(ANSWERS.read_text())
    assert "timestamp" in everywhere
    assert ("var-read-using-this", "Settling._otherWorth") in single
