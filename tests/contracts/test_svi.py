"""Svi against keeper/pricing/svi.py: the same words, the same integers, the same refusals."""

import random
from typing import Any

import pytest

from keeper.errors import PricingError
from keeper.pricing import svi
from tests.brownie_fixtures import reverts_with

WAD = 10**18
YEAR = 365 * 24 * 3600
LIMIT = 64 * WAD
ONE_Q = 1 << 44
FIELDS = ("a", "b", "rho", "m", "sigma")

Fields = tuple[int, int, int, int, int]


@pytest.fixture(scope="module")
def maths(project: Any, accounts: Any) -> Any:
    return project.MathsHarness.deploy({"from": accounts[0]})


def drawn(seed: int) -> Fields:
    draw = random.Random(seed)
    return (
        draw.randint(-WAD // 10, WAD),
        draw.randint(0, WAD),
        draw.randint(-WAD + 10**6, WAD - 10**6),
        draw.randint(-WAD, WAD),
        draw.randint(10**6, 2 * WAD),
    )


EDGES: list[Fields] = [
    (0, 0, 0, 0, 10**6),
    (LIMIT - 10**6, 16 * WAD - 1, WAD - 1, LIMIT - 10**6, 16 * WAD - 1),
    (10**6 - LIMIT, 16 * WAD - 1, 1 - WAD, 10**6 - LIMIT, 1),
    (1, 1, 1, 1, 1),
    (-1, 1, -1, -1, 1),
    (28421, 28422, -28421, -28422, 28422),  # half a unit of Q44 and its neighbours
]


@pytest.mark.parametrize("fields", [*EDGES, *map(drawn, range(40))])
def test_pack_and_unpack_equal_the_keepers_bit_for_bit(maths: Any, fields: Fields) -> None:
    word = svi.pack(*fields)
    assert maths.sviPack(*fields) == word
    q = svi.unpack(word)
    assert tuple(maths.sviUnpack(word)) == (q.a, q.b, q.rho, q.m, q.sigma)
    assert all(
        abs(unit * WAD - value * ONE_Q) <= ONE_Q * 28422
        for unit, value in zip(maths.sviUnpack(word), fields, strict=True)
    )


def test_unpack_of_any_word_equals_the_keepers(maths: Any) -> None:
    draw = random.Random(1)
    for word in [0, 2**256 - 1, 2**255, *(draw.getrandbits(256) for _ in range(40))]:
        q = svi.unpack(word)
        assert tuple(maths.sviUnpack(word)) == (q.a, q.b, q.rho, q.m, q.sigma)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("a", LIMIT),
        ("a", -LIMIT),
        ("b", 16 * WAD),
        ("rho", WAD),
        ("rho", -WAD),
        ("m", LIMIT),
        ("m", -LIMIT),
        ("sigma", 0),
        ("sigma", 16 * WAD),
    ],
)
def test_a_field_out_of_range_is_refused_by_both(maths: Any, field: str, value: int) -> None:
    fields = {**dict(zip(FIELDS, drawn(3), strict=True)), field: value}
    with reverts_with("SliceFieldOutOfRange", field, value):
        maths.sviPack(*fields.values())
    with pytest.raises(PricingError):
        svi.pack(*fields.values())


def word_of(seed: int) -> int:
    """Any field pattern near the rules' edges: about half are valid."""
    draw = random.Random(seed)
    b = draw.uniform(0, 1.4)
    rho = draw.uniform(-0.99, 0.99)
    sigma = draw.uniform(0.001, 1)
    a = -b * sigma * (1 - rho * rho) ** 0.5 + draw.choice((0.0, 1e-13, -1e-13, 0.01, -0.01))
    return svi.pack_floats(a, b, rho, draw.uniform(-1, 1), sigma)


def test_validate_agrees_with_the_keeper_on_every_word(maths: Any) -> None:
    verdicts = []
    for word in [word_of(seed) for seed in range(150)]:
        try:
            svi.validate_word(word)
        except PricingError:
            verdicts.append(False)
            with pytest.raises(Exception, match="Slice"):
                maths.sviValidate(word)
        else:
            verdicts.append(True)
            maths.sviValidate(word)
    assert 30 < sum(verdicts) < 120


def packed_q(a: int, b: int, rho: int, m: int, sigma: int) -> int:
    word = 0
    for field in (a, b, rho, m, sigma):
        word = (word << 51) | (field & ((1 << 51) - 1))
    return word


@pytest.mark.parametrize(
    ("word", "error", "values"),
    [
        (0, "SliceFieldOutOfRange", ("sigma", 0)),
        (packed_q(0, 0, 0, 0, 0), "SliceFieldOutOfRange", ("sigma", 0)),
        (packed_q(0, 0, ONE_Q, 0, 1), "SliceFieldOutOfRange", ("rho", ONE_Q)),
        (packed_q(0, 0, -ONE_Q, 0, 1), "SliceFieldOutOfRange", ("rho", -ONE_Q)),
        (packed_q(-1, 0, 0, 0, ONE_Q), "SliceNegativeVariance", (-1,)),
        (packed_q(0, 2 * ONE_Q + 1, 0, 0, ONE_Q), "SliceWingTooSteep", (2 * ONE_Q + 1,)),
        (packed_q(0, 3 * ONE_Q // 2, -ONE_Q // 2, 0, ONE_Q), "SliceWingTooSteep", None),
    ],
)
def test_an_invalid_slice_is_refused_by_name(
    maths: Any, word: int, error: str, values: tuple[Any, ...] | None
) -> None:
    with reverts_with(error, *(values or ())):
        maths.sviValidate(word)


def test_the_edges_of_the_rules_are_inside(maths: Any) -> None:
    for word in (packed_q(0, 2 * ONE_Q, 0, 0, ONE_Q), packed_q(0, 0, ONE_Q - 1, 0, 1)):
        maths.sviValidate(word)


@pytest.mark.parametrize("seed", range(12))
def test_total_variance_equals_the_keepers_to_the_last_unit(maths: Any, seed: int) -> None:
    word = svi.pack(*drawn(seed))
    draw = random.Random(100 + seed)
    k = [0, 1, -1, 10 * WAD, -10 * WAD, *(draw.randint(-3 * WAD, 3 * WAD) for _ in range(80))]
    found = [int(w) for w in maths.sviVariances(word, k)]
    assert found == [svi.total_variance_wad(word, x) for x in k]
    slice_ = svi.slice_from_word(word, 10, 0.0, 0)
    floats = svi.total_variance(slice_, [x / WAD for x in k])
    assert all(abs(w / WAD - f) < 1e-12 for w, f in zip(found, floats, strict=True))


def test_implied_vol_is_the_root_of_variance_over_time(maths: Any) -> None:
    word = svi.pack_floats(0.04, 0.1, -0.3, 0.01, 0.2)
    for tau in (1, 3600, YEAR // 52, YEAR):
        for k in (-WAD // 2, 0, WAD // 2):
            w = svi.total_variance_wad(word, k)
            vol = maths.sviVol(word, k, tau)
            assert vol == 10 * WAD or vol**2 * tau <= w * WAD * YEAR < (vol + 1) ** 2 * tau


def test_implied_vol_is_capped_and_never_negative(maths: Any) -> None:
    assert maths.sviVol(svi.pack_floats(60, 0, 0, 0, 1), 0, 1) == 10 * WAD
    assert maths.sviVol(packed_q(-ONE_Q, 0, 0, 0, 1), 0, YEAR) == 0


@pytest.mark.parametrize("carry", [0.0, 0.05, -0.05, 0.5])
def test_forward_is_spot_times_exp_of_carry(maths: Any, carry: float) -> None:
    import math

    spot = 2_345_678 * 10**15
    for tau in (0, 1, 7 * 24 * 3600, YEAR):
        forward = maths.sviForward(spot, round(carry * WAD), tau)
        assert forward / WAD == pytest.approx(2345.678 * math.exp(carry * tau / YEAR), rel=1e-14)
    assert maths.sviForward(spot, 0, YEAR) == spot
