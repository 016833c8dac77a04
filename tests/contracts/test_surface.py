"""VolSurface: who commits what, every bad commit, and that volatility stays as it was in between."""

import math
from typing import Any

import numpy as np
import pytest

from keeper.pricing import svi
from tests.contracts.core_constants import (
    DAY,
    HOUR,
    SPOT_USD,
    SURFACE_PARAMETERS,
    UNDERLYING,
    VOL,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

YEAR = 365 * DAY
SPOT = round(SPOT_USD * WAD)


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return deploy_core(BrownieBackend(project, accounts))


def commit_refused(core: Core, error: str, *slices: tuple, **how: Any) -> None:
    """With exactly these slices, whatever else is live."""
    args = (how.get("underlying", UNDERLYING), how.get("spot", SPOT), slices)
    by = how.get("by", core.committer)
    refused(core.surface.commit, *args, by=by, error=error, values=how.get("values"))


# ---------------------------------------------------------------- refusals


def test_only_the_committer_commits(core: Core) -> None:
    for who in (core.gov, core.keeper, core.takers[0]):
        values = (who,)
        commit_refused(core, "OnlyCommitter", core.slice(VOL, 7), by=who, values=values)


def test_a_new_committer_replaces_the_old(core: Core) -> None:
    new = core.takers[0]
    core.surface.setCommitter(new, {"from": core.gov})
    commit_refused(core, "OnlyCommitter", core.slice(VOL, 7))
    core.warp(core.now + 60)
    core.surface.commit(UNDERLYING, SPOT, core.whole(), {"from": new})


def test_an_empty_commit_is_refused(core: Core) -> None:
    commit_refused(core, "SlicesEmpty")


@pytest.mark.parametrize("days", [(7, 7), (7, 1), (1, 7, 7, 14), (1, 14, 7)])
def test_expiries_must_ascend(core: Core, days: tuple[int, ...]) -> None:
    core.warp(core.now + 60)
    commit_refused(core, "SlicesUnsorted", *(core.slice(VOL, d) for d in days))


def test_an_expired_or_misplaced_expiry_is_refused(core: Core) -> None:
    expiry, word, carry = core.slice(VOL, 1)
    core.warp(expiry)
    commit_refused(core, "SliceExpired", (expiry, word, carry), values=(expiry, expiry))
    _, word, _ = core.slice(VOL, 7)
    wrong = core.expiry(7) + HOUR
    commit_refused(core, "ExpiryOffGrid", (wrong, word, 0), values=(wrong,))


def test_one_bad_slice_commits_nothing(core: Core) -> None:
    before = tuple(core.surface.sliceOf(UNDERLYING, core.expiry(7)))
    bad = (core.expiry(14), 0, 0)
    with pytest.raises(Exception, match="SliceFieldOutOfRange"):
        core.commit(core.slice(1.5, 7), bad)
    assert tuple(core.surface.sliceOf(UNDERLYING, core.expiry(7))) == before


def test_reference_spot_must_be_near_the_oracles(core: Core) -> None:
    limit = SURFACE_PARAMETERS[3]
    core.warp(core.now + 60)
    for sign in (1, -1):
        edge = SPOT + sign * SPOT * limit // WAD
        core.surface.commit.call(UNDERLYING, edge, core.whole(), {"from": core.committer})
        off = edge + sign
        values = (off, SPOT, limit)
        commit_refused(core, "ReferenceSpotOff", core.slice(VOL, 7), spot=off, values=values)
    for off in (0, 2**256 - 1):
        commit_refused(core, "ReferenceSpotOff", core.slice(VOL, 7), spot=off)


def test_an_unknown_market_is_refused(core: Core) -> None:
    commit_refused(core, "MarketUnknown", core.slice(VOL, 7), underlying=3)


@pytest.mark.parametrize("vol", [0.049, 4.01, 0.0])
def test_at_the_money_volatility_is_bounded(core: Core, vol: float) -> None:
    commit_refused(core, "AtmVolOutOfRange", core.slice(vol, 1))


@pytest.mark.parametrize("vol", [0.0501, 3.999])
def test_volatility_at_the_bounds_is_taken(core: Core, vol: float) -> None:
    core.commit(core.slice(vol, 7))


@pytest.mark.parametrize("sign", [1, -1])
def test_carry_is_bounded(core: Core, sign: int) -> None:
    limit = SURFACE_PARAMETERS[2]
    core.commit(*((e, word, sign * limit) for e, word, _ in core.whole()))
    beyond = sign * (limit + 1)
    inputs = [(e, word, beyond) for e, word, _ in core.whole()]
    commit_refused(core, "CarryOutOfRange", *inputs, values=(beyond, limit))


def test_negative_variance_and_steep_wings_are_refused(core: Core) -> None:
    expiry = core.expiry(7)
    negative = svi.pack_floats(-0.05, 0.1, 0.0, 0.0, 0.2)
    steep = svi.pack_floats(0.01, 1.9, 0.5, 0.0, 0.2)
    commit_refused(core, "SliceNegativeVariance", (expiry, negative, 0))
    commit_refused(core, "SliceWingTooSteep", (expiry, steep, 0))


@pytest.mark.parametrize(
    ("place", "values"),
    [(0, (10**16 - 1, WAD + 1)), (1, (5 * 10**16 - 1, 8 * WAD + 1)), (2, (WAD + 1,)),
     (3, (10**14 - 1, 10**17 + 1))],
)  # fmt: skip
def test_parameters_have_hard_ranges(core: Core, place: int, values: tuple[int, ...]) -> None:
    for value in values:
        parameters = list(SURFACE_PARAMETERS)
        parameters[place] = value
        refused(
            core.surface.setParameters, parameters, by=core.gov, error="SurfaceParameterOutOfRange"
        )


# ---------------------------------------------------------------- what a commit means


def test_a_commit_is_kept_with_its_time(core: Core) -> None:
    core.warp(core.now + 1000)
    expiry, word, carry = core.slice(0.9, 7, carry=0.05)
    core.commit((expiry, word, carry))
    at = core.now
    assert tuple(core.surface.sliceOf(UNDERLYING, expiry)) == (word, carry, at)
    assert core.surface.lastCommit(UNDERLYING) == at
    assert core.surface.lastCommit(2) == 0
    assert tuple(core.surface.sliceOf(UNDERLYING, core.expiry(30))) == (0, 0, 0)


def vol_and_forward(core: Core, days: int, strike: float) -> tuple[float, float]:
    found = core.surface.volAndForward(UNDERLYING, core.expiry(days), round(strike * WAD), SPOT)
    return found[1] / WAD, found[0] / WAD


@pytest.mark.parametrize("strike", [1_000.0, 1_900.0, 2_000.0, 2_345.0, 4_000.0])
def test_volatility_stays_as_it_was_between_commits(core: Core, strike: float) -> None:
    core.commit(core.slice(VOL, 14, skew=0.2))
    first, _ = vol_and_forward(core, 14, strike)
    for days in (1, 6, 13):
        core.warp(core.start + days * DAY)
        later, _ = vol_and_forward(core, 14, strike)
        assert later == pytest.approx(first, abs=2e-18 * 1e3)


@pytest.mark.parametrize("carry", [0.0, 0.1, -0.3])
def test_forward_and_volatility_equal_the_keepers(core: Core, carry: float) -> None:
    expiry, word, rate = core.slice(VOL, 14, carry=carry, skew=0.3)
    core.commit((expiry, word, rate))
    slice_ = svi.slice_from_word(word, expiry, carry, core.now)
    core.warp(core.now + 3 * DAY)
    tau = (expiry - core.now) / YEAR
    for strike in (900.0, 1_800.0, 2_000.0, 2_200.0, 5_000.0):
        vol, forward = vol_and_forward(core, 14, strike)
        assert forward == pytest.approx(SPOT_USD * math.exp(carry * tau), rel=1e-12)
        k = math.log(strike / forward)
        assert vol == pytest.approx(float(svi.implied_vol(slice_, np.array(k))), rel=1e-10)


def test_without_a_slice_or_after_expiry_there_is_no_volatility(core: Core) -> None:
    assert vol_and_forward(core, 30, 2_000.0) == (0.0, SPOT_USD)
    core.commit(core.slice(VOL, 1, carry=0.4))
    core.warp(core.expiry(1) - 1)
    assert vol_and_forward(core, 1, 2_000.0)[0] > 0
    core.warp(core.expiry(1))
    assert vol_and_forward(core, 1, 2_000.0) == (0.0, SPOT_USD)
