"""I-10: what is free of arbitrage on the grid is taken and nothing else, and the keeper's twin says the same."""

import math
from collections import Counter

import numpy as np
import pytest

from keeper.errors import PricingError
from keeper.pricing import surface_checks as checks
from keeper.pricing import svi
from tests.stateful.revm import Chain, Contract, Reverted, account
from tests.stateful.surface_world import number, parse

EXPIRY = 1_800_000_000
BUTTERFLY_Z = np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
CALENDAR_Z = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
# The contract's integers carry 13 digits: a verdict this near the line may fall either way.
DOUBT = 1e-7


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Chain(account(0)).deploy("SurfaceHarness")


def random_slice(rng: np.random.Generator, atm: float) -> tuple[float, ...]:
    """Raw SVI with w(0) = atm, everything else in units of one standard deviation; sound or not."""
    s = math.sqrt(atm)
    b = s * math.exp(rng.uniform(math.log(0.01), math.log(3.0)))
    rho = rng.uniform(-0.95, 0.95)
    m = s * rng.uniform(-2.0, 2.0)
    sigma = s * math.exp(rng.uniform(math.log(0.02), math.log(4.0)))
    return atm - b * (-rho * m + math.hypot(m, sigma)), b, rho, m, sigma


def variance(p: tuple[float, ...], k: np.ndarray) -> np.ndarray:
    a, b, rho, m, sigma = p
    return a + b * (rho * (k - m) + np.hypot(k - m, sigma))


def verdict(near: tuple[float, ...], far: tuple[float, ...] | None) -> tuple[str, float]:
    """By the textbook, in floats: what is wrong, and by how much of its own size the nearest line is missed."""
    a, b, rho, m, sigma = near
    least = a + b * sigma * math.sqrt(1 - rho * rho)
    if least < 0 or b * (1 + abs(rho)) > 2:
        return "invalid", min(abs(least), abs(b * (1 + abs(rho)) - 2))
    s = math.sqrt(float(variance(near, np.zeros(1))[0]))
    k = BUTTERFLY_Z * s
    root = np.hypot(k - m, sigma)
    w, slope, curve = variance(near, k), b * (rho + (k - m) / root), b * sigma**2 / root**3
    g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + curve / 2
    margins = [(float(g.min()), "ButterflyArbitrage")]
    if far is not None:
        k = CALENDAR_Z * s
        gap = (variance(far, k) - variance(near, k)) / variance(near, k)
        margins.append((float(gap.min()), "CalendarArbitrage"))
    wrong = [(margin, fault) for margin, fault in margins if margin < 0]
    nearest = min(abs(margin) for margin, _ in margins)
    return (wrong[0][1] if wrong else "", nearest)


def chain_says(harness: Contract, near: int, far: int | None) -> tuple[str, tuple[int, ...]]:
    try:
        word, _ = harness.scan(EXPIRY, near, far or 0, far is None)
    except Reverted as refused:
        return parse(refused.message)[0], ()
    return "", tuple((word >> (22 * place)) & (2**22 - 1) for place in (3, 2, 1, 0))


def twin_says(near: svi.QuantisedSlice, far: svi.QuantisedSlice) -> tuple[str, tuple[int, ...]]:
    names = {"bu": "ButterflyArbitrage", "ca": "CalendarArbitrage", "w(": "ShapeOutOfRange"}
    try:
        return "", checks.scan(near, far)
    except PricingError as fault:
        return names[str(fault)[:2]], ()


def test_verdicts_are_the_textbooks_on_the_grid(harness: Contract) -> None:
    rng = np.random.default_rng(10)
    seen: Counter[str] = Counter()
    for _ in range(4_000):
        atm = (rng.uniform(0.2, 1.6) ** 2) * math.exp(rng.uniform(math.log(1 / 365), math.log(1.0)))
        near = random_slice(rng, atm)
        far = random_slice(rng, atm * rng.uniform(0.97, 2.5)) if rng.random() < 0.6 else None
        if far is not None and verdict(far, None)[0] == "invalid":
            far = None
        try:
            words = [svi.pack_floats(*p) for p in (near, far) if p is not None]
        except PricingError:
            continue
        expected, doubt = verdict(near, far)
        if doubt < DOUBT:
            continue
        said, _ = chain_says(harness, words[0], words[1] if far is not None else None)
        if expected == "invalid":
            assert said in ("SliceNegativeVariance", "SliceWingTooSteep", "SliceFieldOutOfRange")
        else:
            assert bool(said) is bool(expected), (near, far, said, expected, doubt)
        seen[said] += 1
    assert min(seen[""], seen["ButterflyArbitrage"], seen["CalendarArbitrage"]) > 150, seen


def test_the_twin_says_the_same_to_the_unit(harness: Contract) -> None:
    rng = np.random.default_rng(11)
    taken = 0
    for _ in range(1_500):
        atm = (rng.uniform(0.2, 1.6) ** 2) * math.exp(rng.uniform(math.log(1 / 365), math.log(1.0)))
        pair = [random_slice(rng, atm), random_slice(rng, atm * rng.uniform(1.0, 2.5))]
        try:
            near, far = (svi.pack_floats(*p) for p in pair)
            fields = [checks.checked_fields(word) for word in (near, far)]
        except PricingError:
            continue
        assert chain_says(harness, near, far) == twin_says(*fields)
        taken += not twin_says(*fields)[0]
    assert taken > 200


def test_a_calendar_fault_names_its_numbers(harness: Contract) -> None:
    near, far = svi.pack_floats(0.05, 0.01, 0, 0, 0.1), svi.pack_floats(0.049, 0.01, 0, 0, 0.1)
    with pytest.raises(Reverted) as refused:
        harness.scan(EXPIRY, near, far, False)
    name, values = parse(refused.value.message)
    expiry, k, w, w_far = map(number, values)
    assert (name, expiry) == ("CalendarArbitrage", EXPIRY)
    q = checks.checked_fields(near)
    assert (k, w) == (
        -4 * checks.deviation(checks.variance_at(q, 0)) // 2,
        checks.variance_at(q, k),
    )
    assert w_far == checks.variance_at(checks.checked_fields(far), k) < w


@pytest.mark.parametrize("exponent", range(1, 53))
def test_the_grids_unit_is_the_root_to_one_part_in_a_million(exponent: int) -> None:
    for atm in (2**exponent - 1, 2**exponent, 3 * 2 ** (exponent - 1)):
        if atm:
            assert checks.deviation(atm) == pytest.approx(math.sqrt(atm * 2.0**44), rel=1e-6)


GOOD = (0.04, 0.02, -0.3, 0.0, 0.1)


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [(0, 16.01, "SliceFieldOutOfRange"), (0, -16.01, "SliceFieldOutOfRange"),
     (0, -0.01, "SliceNegativeVariance"), (1, 1.6, "SliceWingTooSteep"),
     (3, 8.01, "SliceFieldOutOfRange"), (3, -8.01, "SliceFieldOutOfRange"),
     (4, 2.0**-17 - 1e-9, "SliceFieldOutOfRange"), (4, 8.01, "SliceFieldOutOfRange")],
)  # fmt: skip
def test_fields_have_hard_ranges(harness: Contract, place: int, value: float, error: str) -> None:
    slice_ = [*GOOD[:place], value, *GOOD[place + 1 :]]
    word = svi.pack_floats(*slice_)
    assert chain_says(harness, word, None)[0] == error
    with pytest.raises(PricingError):
        checks.checked_fields(word)
    assert chain_says(harness, svi.pack_floats(*GOOD), None)[0] == ""


def test_least_variance_is_judged_as_svi_validate_judges_it(harness: Contract) -> None:
    """The quick test without a root and the exact one agree unit by unit around the line."""
    b, rho, sigma = 0.3, -0.6, 0.25
    for unit in range(-40, 41):
        a = -b * sigma * math.sqrt(1 - rho * rho) + unit * 2.0**-44
        word = svi.pack_floats(a, b, rho, 0.0, sigma)
        try:
            svi.validate_word(word)
            sound = True
        except PricingError:
            sound = False
        said = chain_says(harness, word, None)[0]
        assert (said != "SliceNegativeVariance") is sound


def test_a_spike_is_no_shape(harness: Contract) -> None:
    """Wings 256 times the middle are refused before they could hide a move."""
    word = svi.pack_floats(2e-5, 0.9, 0.0, 0.0, 2.0**-17)
    assert chain_says(harness, word, None)[0] in ("ShapeOutOfRange", "ButterflyArbitrage")
