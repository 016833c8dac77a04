"""Clearinghouse: what owners do with cash and base, and what tokens may do."""

from typing import Any

import pytest

from tests.contracts.core_constants import (
    UNDERLYING,
    USDC,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

ZERO = "0x" + "0" * 40
# Selector of ReentrancyGuardReentrantCall.
REENTERED = "0x3ee5aeb5"


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Two takers with 10,000 USDC and 5 WETH each in their accounts, and as much in hand."""
    core = deploy_core(BrownieBackend(project, accounts))
    for who in core.takers[:2]:
        core.fund(who, 10_000, 5)
        core.usdc.mint(who, 10_000 * USDC, {"from": who})
        core.weth.mint(who, 5 * WAD, {"from": who})
    return core


@pytest.fixture(autouse=True)
def books(core: Core) -> Any:
    yield
    core.check_books()


# ---------------------------------------------------------------- deposits and withdrawals


def test_cash_in_and_out_to_the_unit(core: Core) -> None:
    who, to = core.takers[:2]
    held = core.usdc.balanceOf(to)
    tx = core.clearinghouse.depositCash(1, {"from": who})
    assert tx.events["CashDeposited"] == {"account": who, "usdc": 1}
    assert core.cash(who) == 10_000 * WAD + 10**12
    tx = core.clearinghouse.withdrawCash(10_000 * USDC + 1, to, {"from": who})
    assert dict(tx.events["CashWithdrawn"]) == {
        "account": who, "to": to, "usdc": 10_000 * USDC + 1
    }  # fmt: skip
    assert (core.cash(who), core.usdc.balanceOf(to) - held) == (0, 10_000 * USDC + 1)


def test_base_in_and_out_to_the_wei(core: Core) -> None:
    who, to = core.takers[:2]
    held = core.weth.balanceOf(to)
    core.clearinghouse.depositBase(1, {"from": who})
    assert core.base(who) == 5 * WAD + 1
    core.clearinghouse.withdrawBase(5 * WAD + 1, to, {"from": who})
    assert (core.base(who), core.weth.balanceOf(to) - held) == (0, 5 * WAD + 1)


def test_nothing_is_no_amount(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    for function, args in (
        (house.depositCash, (0,)), (house.withdrawCash, (0, who)), (house.depositBase, (0,)),
        (house.withdrawBase, (0, who)), (house.fundInsurance, (0,)),
    ):  # fmt: skip
        refused(function, *args, by=who, error="AmountZero")


def test_nobody_is_no_recipient(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    for function in (house.withdrawCash, house.withdrawBase):
        refused(function, 1, ZERO, by=who, error="ZeroAddress")


def test_more_than_there_is_stays(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    amount = 10_000 * USDC + 1
    values = (who, 10_000 * WAD, amount * 10**12)
    refused(house.withdrawCash, amount, who, by=who, error="CashShort", values=values)
    values = (who, 5 * WAD, 5 * WAD + 1)
    refused(house.withdrawBase, 5 * WAD + 1, who, by=who, error="BaseShort", values=values)


@pytest.mark.parametrize("amount", [2**100, 2**200, 2**250, 2**256 - 1])
def test_absurd_amounts_get_an_error_of_their_own(core: Core, amount: int) -> None:
    who, house = core.takers[0], core.clearinghouse
    for function, args, errors in (
        (house.depositCash, (amount,), ("AmountTooLarge", "ERC20InsufficientBalance")),
        (house.withdrawCash, (amount, who), ("AmountTooLarge", "CashShort")),
        (house.depositBase, (amount,), ("AmountTooLarge", "ERC20InsufficientBalance")),
        (house.withdrawBase, (amount, who), ("BaseShort",)),
        (house.fundInsurance, (amount,), ("AmountTooLarge", "ERC20InsufficientBalance")),
    ):
        with pytest.raises(Exception) as failure:  # noqa: PT011 (one of two names)
            function.call(*args, {"from": who})
        assert failure.value.revert_msg.split(":")[0] in errors, (function, failure.value)


def test_unsolicited_tokens_count_in_nothing(core: Core) -> None:
    """Incident 10: a donation changes no account and no total."""
    who, before = core.takers[0], tuple(core.clearinghouse.totals())
    core.usdc.transfer(core.clearinghouse, 777, {"from": who})
    core.weth.transfer(core.clearinghouse, 777, {"from": who})
    assert tuple(core.clearinghouse.totals()) == before


def test_a_fee_on_transfer_is_refused(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    core.usdc.setFee(WAD // 100, {"from": who})
    core.weth.setFee(WAD // 100, {"from": who})
    refused(house.depositCash, 1000, by=who, error="TransferShort", values=(1000, 990))
    refused(house.depositBase, 1000, by=who, error="TransferShort", values=(1000, 990))
    refused(house.fundInsurance, 1000, by=who, error="TransferShort", values=(1000, 990))


def test_a_blocked_holder_blocks_himself_alone(core: Core) -> None:
    """Incident 4."""
    bad, good = core.takers[:2]
    core.usdc.setBlocked(bad, True, {"from": core.gov})
    refused(core.clearinghouse.withdrawCash, 5, bad, by=bad, error="HolderBlocked", values=(bad,))
    core.clearinghouse.withdrawCash(5, good, {"from": bad})
    core.clearinghouse.withdrawCash(5, good, {"from": good})


@pytest.mark.parametrize("entry", ["depositCash", "withdrawCash", "depositBase", "fundInsurance"])
def test_a_token_that_calls_back_finds_the_door_shut(core: Core, entry: str) -> None:
    """The token re-enters every entry point in the middle of a transfer."""
    house, who = core.clearinghouse, core.takers[0]
    token = core.weth if entry == "depositBase" else core.usdc
    args = (1000, who) if entry == "withdrawCash" else (1000,)
    inner = (
        house.depositCash.encode_input(1),
        house.withdrawCash.encode_input(1, who),
        house.convert.encode_input(UNDERLYING, core.expiry(1), [who]),
        house.cure.encode_input(who, 1),
        house.finalise.encode_input(UNDERLYING, core.expiry(1)),
        house.claim.encode_input(UNDERLYING, core.expiry(1), [who]),
    )
    for data in inner:
        token.setHook(house, data, {"from": who})
        getattr(house, entry)(*args, {"from": who})
        assert str(token.hookResult()) == REENTERED


def test_free_cash_goes_out_as_far_as_there_is(core: Core) -> None:
    """`withdrawFreeCash`: no more than asked, no more than is free, and nothing where nothing is."""
    who, to, house = *core.takers[:2], core.clearinghouse
    held = core.usdc.balanceOf(to)
    tx = house.withdrawFreeCash(100 * USDC, to, {"from": who})
    assert tx.return_value == 100 * USDC
    assert tx.events["CashWithdrawn"]["to"] == to
    assert house.withdrawFreeCash(2**256 - 1, to, {"from": who}).return_value == 9_900 * USDC
    assert core.usdc.balanceOf(to) - held == 10_000 * USDC
    tx = house.withdrawFreeCash(1, to, {"from": who})
    assert (tx.return_value, len(tx.events)) == (0, 0)
    refused(house.withdrawFreeCash, 1, ZERO, by=who, error="ZeroAddress")
