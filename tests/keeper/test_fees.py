"""Fees are pure functions: their properties over the whole domain, and the figures of a known day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import ConfigError, SkipTick
from keeper.execution.fees import FeeRules, Fees, bumped, fees, replacement
from keeper.units import GWEI

RULES = FeeRules(GWEI, 20 * GWEI, 500 * GWEI, 1000 * GWEI)
BASE_FEES = st.integers(0, 500 * GWEI)
ELAPSED = st.integers(0, 10**6)


@given(BASE_FEES, ELAPSED)
def test_an_offer_pays_the_base_fee_within_its_caps(base_fee, elapsed):
    offer = fees(base_fee, elapsed, RULES)
    assert base_fee <= offer.max_wei <= RULES.max_fee_wei
    assert 0 <= offer.priority_wei <= min(RULES.max_priority_wei, offer.max_wei)


@given(BASE_FEES, ELAPSED, ELAPSED)
def test_waiting_never_lowers_the_offer(base_fee, one, other):
    sooner, later = sorted((one, other))
    first, second = fees(base_fee, sooner, RULES), fees(base_fee, later, RULES)
    assert second.max_wei >= first.max_wei
    assert second.priority_wei >= first.priority_wei


@given(BASE_FEES, st.integers(0, 5))
def test_an_offer_outlives_five_full_blocks(base_fee, blocks):
    """A full block raises the base fee by an eighth at most; the cap is the only thing that ends it sooner."""
    risen = base_fee
    for _ in range(blocks):
        risen = risen * 9 // 8
    offer = fees(base_fee, 0, RULES)
    assert offer.max_wei >= min(risen, RULES.max_fee_wei)


@given(st.integers(0, 10**15))
def test_a_bump_is_at_least_an_eighth_and_never_nothing(value):
    assert bumped(value) * 8 >= value * 9
    assert bumped(value) > value
    assert (bumped(value) - 1) * 8 < value * 9 or bumped(value) == value + 1


@given(st.integers(0, 1000 * GWEI), st.integers(0, 20 * GWEI), st.integers(0, 700 * GWEI), ELAPSED)
def test_a_replacement_beats_both_parts_within_the_caps_or_is_none(most, tip, base_fee, elapsed):
    previous = Fees(max(most, tip), tip)
    offer = replacement(previous, base_fee, elapsed, RULES)
    if offer is None:
        over_caps = (
            bumped(previous.max_wei) > RULES.max_fee_wei
            or bumped(tip) > RULES.max_priority_wei
            or base_fee > RULES.max_base_fee_wei
        )
        assert over_caps
        return
    assert offer.max_wei * 8 >= previous.max_wei * 9
    assert offer.priority_wei * 8 >= tip * 9
    assert offer.priority_wei <= min(RULES.max_priority_wei, offer.max_wei)
    assert offer.max_wei <= RULES.max_fee_wei


def test_bumping_ends_at_the_cap():
    offer, steps = fees(400 * GWEI, 0, RULES), 0
    while (following := replacement(offer, 400 * GWEI, 0, RULES)) is not None:
        offer, steps = following, steps + 1
    assert steps == 1
    assert offer.max_wei <= RULES.max_fee_wei


def test_the_tip_never_exceeds_the_whole():
    rules = FeeRules(50 * GWEI, 50 * GWEI, 30 * GWEI, 40 * GWEI)
    assert fees(30 * GWEI, 0, rules) == Fees(40 * GWEI, 40 * GWEI)


def test_tip_doubles_after_a_minute_and_stops_at_its_cap():
    tips = [fees(GWEI, s, RULES).priority_wei // GWEI for s in (0, 60, 120, 3600)]
    assert tips == [1, 2, 3, 20]


def test_base_fee_over_its_cap_says_which_key_to_raise():
    """Incident 19: on 12 March 2020 gas went beyond the caps of keepers, which stood still unexplained."""
    assert fees(500 * GWEI, 0, RULES).max_wei == 1000 * GWEI
    with pytest.raises(SkipTick, match=r"500\.000 gwei.*gas\.max_base_fee_gwei"):
        fees(500 * GWEI + 1, 0, RULES)


@pytest.mark.parametrize(
    "figures", [(2, 1, 5, 5), (-1, 1, 5, 5), (1, 1, 6, 5), (0, 0, 0, 5), (0, 0, -1, -1)]
)
def test_rules_that_contradict_themselves_are_refused(figures):
    with pytest.raises(ConfigError, match="gas"):
        FeeRules(*figures)
