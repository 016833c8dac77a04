"""The guardian lowers what the desk opens, at once and down only; what closes, hedges or pays out goes on (I-07)."""

from typing import Any

import pytest
from eth_utils import function_signature_to_4byte_selector

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_accounts import to_legs
from tests.contracts.core_constants import DAY, FOREVER, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

GUARDIAN = 2
STRIKE = 2_000.0
ANY_PREMIUM = 2**255 - 1


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault is short one call and long one put of a week, the taker the other way round."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, usd=1_000_000)
    core.fund(taker(core), usd=100_000)
    by = {"from": core.gov}
    core.desk.list(sorted([call(core), put(core), core.series(7, 2_200.0)]), by)
    lower = function_signature_to_4byte_selector("lowerNewRisk(uint64)")
    core.authority.setTargetFunctionRole(core.desk, [lower], GUARDIAN, by)
    core.authority.grantRole(GUARDIAN, guardian(core), 0, by)
    trade(core, (call(core), 1), (put(core), -1))
    return core


def taker(core: Core) -> Any:
    return core.takers[0]


def guardian(core: Core) -> Any:
    return core.takers[1]


def call(core: Core) -> int:
    return core.series(7, STRIKE)


def put(core: Core) -> int:
    return core.series(7, STRIKE, call=False)


def trade(core: Core, *legs: tuple[int, float]) -> None:
    args = (to_legs(sorted(legs)), ANY_PREMIUM, FOREVER)
    core.desk.trade(*args, {"from": taker(core)})


def test_only_down_by_the_guardian(core: Core) -> None:
    desk, by = core.desk, {"from": guardian(core)}
    assert desk.newRisk() == WAD
    for share in (WAD, WAD + 1, 2**64 - 1):
        with reverts_with("NewRiskNotLower", share, WAD):
            desk.lowerNewRisk(share, by)
    desk.lowerNewRisk(WAD // 2, by)
    with reverts_with("NewRiskNotLower", WAD // 2, WAD // 2):
        desk.lowerNewRisk(WAD // 2, by)
    desk.lowerNewRisk(0, by)
    with reverts_with("NewRiskNotLower", 0, 0):
        desk.lowerNewRisk(0, by)
    with reverts_with("AccessManagedUnauthorized", guardian(core)):
        desk.setNewRisk(WAD, by)
    with reverts_with("NewRiskOutOfRange", WAD + 1, WAD):
        desk.setNewRisk(WAD + 1, {"from": core.gov})
    desk.setNewRisk(WAD, {"from": core.gov})
    assert desk.newRisk() == WAD


@pytest.mark.parametrize(
    ("legs", "closes"),
    [
        ([("call", -1.0)], True),
        ([("call", -0.5), ("put", 1.0)], True),
        ([("put", 0.25)], True),
        ([("call", 0.1)], False),  # sells more of what the vault is short
        ([("put", -0.1)], False),  # buys more of what it is long
        ([("call", -1.01)], False),  # through zero
        ([("other", 0.1)], False),  # a series of which the vault has nothing
        ([("other", -0.1)], False),
        ([("call", -1.0), ("other", -0.1)], False),  # one leg that opens is enough
    ],
)
def test_at_zero_only_closing_trades_pass(
    core: Core, legs: list[tuple[str, float]], closes: bool
) -> None:
    series = {"call": call(core), "put": put(core), "other": core.series(7, 2_200.0)}
    wanted = [(series[name], size) for name, size in legs]
    core.desk.lowerNewRisk(WAD // 2, {"from": guardian(core)})
    core.desk.quote(to_legs(sorted(wanted)))
    core.desk.lowerNewRisk(0, {"from": guardian(core)})
    if closes:
        trade(core, *wanted)
        return
    args = (to_legs(sorted(wanted)), ANY_PREMIUM, FOREVER)
    refused(core.desk.trade, *args, by=taker(core), error="OnlyClosing")
    with reverts_with("OnlyClosing"):
        core.desk.quote(to_legs(sorted(wanted)))


def test_at_zero_settlement_and_claims_go_on(core: Core) -> None:
    core.desk.lowerNewRisk(0, {"from": guardian(core)})
    core.prove(7, 2_100.0)
    by = {"from": core.takers[4]}
    args = (1, core.expiry(7))
    core.clearinghouse.convert(*args, [core.vault, taker(core)], by)
    core.clearinghouse.finalise(*args, by)
    core.clearinghouse.claim(*args, [core.vault, taker(core)], by)
    assert core.legs(core.vault) == {}
    cash = core.cash(taker(core)) // 10**12
    core.clearinghouse.withdrawCash(cash, taker(core), {"from": taker(core)})
    assert core.now - core.start < 8 * DAY


def test_a_vault_that_winds_down_opens_nothing_and_closes_on(core: Core) -> None:
    """The vault of these tests has no code of its own; here it answers every question with one."""
    core.backend.request("anvil_setCode", [str(core.vault), "0x600160005260206000f3"])
    legs = to_legs([(call(core), 1)])
    refused(core.desk.trade, legs, ANY_PREMIUM, FOREVER, by=taker(core), error="WindingDown")
    trade(core, (call(core), -1), (put(core), 1))
    assert core.legs(core.vault) == {}
