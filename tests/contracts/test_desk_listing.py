"""What the desk lists, how it leaves the list, and the ranges of its parameters."""

import random
from typing import Any

import pytest

from tests.contracts.core_constants import DESK_PARAMETERS, HOUR
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

CUTOFF_S = DESK_PARAMETERS[18]


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return deploy_core(BrownieBackend(project, accounts))


def lists(core: Core, *series: int) -> None:
    core.desk.list(series, {"from": core.gov})


def list_refused(core: Core, series: list[int], error: str, *values: Any) -> None:
    refused(core.desk.list, series, by=core.gov, error=error, values=values)


def test_what_is_listed_is_told(core: Core) -> None:
    a, b = core.series(7, 2_000), core.series(7, 2_100)
    lists(core, a, b)
    assert tuple(core.desk.listed()) == (a, b)
    list_refused(core, [a], "SeriesAlreadyListed", a)
    c = core.series(7, 2_200)
    list_refused(core, [c, c], "SeriesAlreadyListed", c)


def test_what_cannot_be_priced_or_settled_is_not_listed(core: Core) -> None:
    unknown = core.series(30, 2_000)
    list_refused(core, [unknown], "NoSlice", unknown)
    list_refused(core, [core.series(7, 2_000, underlying=2)], "NoSlice")
    list_refused(core, [0], "UnderlyingZero")
    list_refused(core, [core.series(7, 2_000) | 2], "StrikeOutOfRange")
    list_refused(core, [core.series(7, 2_000) + (1 << 72)], "ExpiryOffGrid")


def test_nothing_is_listed_after_its_cutoff(core: Core) -> None:
    near = core.series(1, 2_000)
    core.warp(core.expiry(1) - CUTOFF_S - 1)
    core.desk.list.call([near], {"from": core.gov})
    core.warp(core.expiry(1) - CUTOFF_S)
    list_refused(core, [near], "PastCutoff", near, core.now, core.now)


def test_at_most_32_series(core: Core) -> None:
    names = [core.series(7, 1_000 + i) for i in range(33)]
    lists(core, *names[:32])
    list_refused(core, names[32:], "TooManySeries", 33)


def test_expired_series_leave_in_any_order_by_anybody(core: Core) -> None:
    near = [core.series(1, 2_000 + i) for i in range(3)]
    far = [core.series(7, 2_000 + i) for i in range(3)]
    lists(core, near[0], far[0], near[1], far[1], near[2], far[2])
    stranger = core.takers[0]
    delist = core.desk.delist
    refused(delist, near[:1], by=stranger, error="SeriesNotExpired", values=near[:1])
    core.warp(core.expiry(1))
    refused(delist, [far[0]], by=stranger, error="SeriesNotExpired", values=(far[0],))
    delist([near[1], near[0]], {"from": stranger})
    assert set(core.desk.listed()) == {near[2], *far}
    refused(delist, [near[0]], by=stranger, error="SeriesNotListed", values=(near[0],))
    refused(delist, [near[2], near[2]], by=stranger, error="SeriesNotListed")
    delist([near[2]], {"from": stranger})
    assert set(core.desk.listed()) == set(far)
    again = core.series(7, 2_003)
    lists(core, again)
    core.warp(core.expiry(7))
    delist([again, far[2], far[0], far[1]], {"from": stranger})
    assert tuple(core.desk.listed()) == ()


def test_a_listed_series_of_any_place_still_trades_after_others_left(core: Core) -> None:
    near, far = core.series(1, 2_000), core.series(7, 2_000)
    lists(core, near, far)
    core.warp(core.expiry(1))
    core.desk.delist([near], {"from": core.gov})
    core.commit(core.slice(0.8, 7))
    core.warp(core.now + HOUR)
    core.set_spot(2_000.0)
    core.fund(core.vault, 100_000)
    core.fund(core.takers[0], 1_000)
    core.desk.trade([(far, 10**18)], 10**30, core.now + HOUR, {"from": core.takers[0]})
    core.check_books((far,))


WAD = 10**18
RANGES = [
    (0, WAD // 2), (10**12, 18 * WAD), (0, WAD // 20), (0, WAD // 100), (0, WAD // 2), (0, WAD // 2),
    (0, WAD // 10), (0, WAD // 20), (0, WAD // 20), (0, WAD // 10), (0, WAD // 5), (WAD // 10, WAD),
    (WAD, 10**28), (WAD, 10**30), (10**16, 10**26), (10**16, 10**26), (0, 1_000 * WAD), (10**14, 10**21),
    (0, 86_400), (60, 7 * 86_400),
]  # fmt: skip


@pytest.mark.parametrize(("place", "low", "high"), [(i, *r) for i, r in enumerate(RANGES)])
def test_parameters_have_hard_ranges(core: Core, place: int, low: int, high: int) -> None:
    for value in (low, high, low - 1, high + 1):
        if value < 0:
            continue
        parameters = list(DESK_PARAMETERS)
        parameters[place] = value
        if low <= value <= high:
            core.desk.setParameters.call(parameters, {"from": core.gov})
        else:
            error = "DeskParameterOutOfRange"
            refused(core.desk.setParameters, parameters, by=core.gov, error=error)


@pytest.mark.parametrize("place", range(len(RANGES) - 2))
def test_parameters_are_whole_millionths(core: Core, place: int) -> None:
    low, high = RANGES[place]
    for value in (low + 10**12 - 1, low + 1, high - 1):
        parameters = list(DESK_PARAMETERS)
        parameters[place] = value
        refused(core.desk.setParameters, parameters, by=core.gov, error="DeskParameterTooFine")


@pytest.mark.parametrize("seed", range(6))
def test_parameters_come_back_as_they_were_set(core: Core, seed: int) -> None:
    """They are packed: every field at either end and between, whatever its neighbours hold."""
    rng, step = random.Random(seed), (*[10**12] * 18, 1, 1)
    parameters = tuple(
        rng.choice([low, high, rng.randrange(low // s, high // s + 1) * s])
        for (low, high), s in zip(RANGES, step, strict=True)
    )
    core.desk.setParameters(parameters, {"from": core.gov})
    assert tuple(core.desk.parameters()) == parameters


def test_new_parameters_apply_at_once(core: Core) -> None:
    series = core.series(7, 2_000)
    lists(core, series)
    before = core.desk.quote([(series, 10**18)])
    core.desk.setParameters((2 * 10**17, *DESK_PARAMETERS[1:]), {"from": core.gov})
    assert core.desk.quote([(series, 10**18)]) > before
    assert tuple(core.desk.parameters()) == (2 * 10**17, *DESK_PARAMETERS[1:])
