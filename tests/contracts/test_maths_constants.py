"""Every constant of the option maths comes out of its script again, and no denominator can be zero."""

from pathlib import Path

import pytest

from scripts.maths import constants, denominators

LIMITS = {
    "Mills ratio, times density": 2.5e-16,
    "logarithm, relative": 7e-18,
    "power of two, relative": 1e-18,
    "seed of the root, relative": 2.2e-2,
}


@pytest.fixture(scope="module")
def fitted() -> dict:
    return constants.fits()


def test_the_fits_are_as_good_as_stated(fitted: dict) -> None:
    assert {name: fit.error < LIMITS[name] for name, fit in fitted.items()} == dict.fromkeys(
        LIMITS, True
    )


def test_the_files_are_what_the_script_writes(fitted: dict) -> None:
    groups = constants.groups(fitted)
    for path, text in (
        (constants.SOLIDITY, constants.solidity(groups)),
        (constants.PYTHON, constants.python(groups)),
    ):
        assert Path(path).read_text(encoding="utf-8") == text


def test_no_denominator_reaches_zero() -> None:
    for finding in denominators.findings():
        assert finding.safe, finding


def test_a_denominator_that_can_be_zero_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denominators.c, "MILLS_B2", denominators.c.MILLS_B2 + (1 << 57))
    assert not all(finding.safe for finding in denominators.findings())
