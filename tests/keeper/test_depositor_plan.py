"""What the depositors' commands would send, and what they refuse before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from keeper.chain.vault import Call, Request, Side, VaultRules, VaultView, WindDownPart
from keeper.depositor import plan
from keeper.depositor.plan import Refused
from keeper.depositor.view import epoch, price
from keeper.errors import DataError

USD, SHARE = 10**6, 10**18
WHO = "0x00000000000000000000000000000000000000aa"
WEEK_S, WINDOW_S, ENDS_S = 604_800, 86_400, 1_584_000_000
VIEW = VaultView(
    account=WHO,
    now_s=ENDS_S - 100,
    epoch=5,
    ends_at_s=ENDS_S,
    winding_down=False,
    rules=VaultRules(WEEK_S, WINDOW_S, 4, 100 * USD, SHARE),
    bid_wad=99 * SHARE // 100,
    ask_wad=101 * SHARE // 100,
    no_price="",
    wei=SHARE,
    usdc=5_000 * USD,
    allowance=0,
    shares=300 * SHARE,
    votes=0,
    requests=(),
    claim_shares=(0, 0),
    claim_assets=(0, 0),
    part=WindDownPart(0, 0, 0),
)


@dataclass(frozen=True)
class Sent:
    """A call as it was asked for."""

    function: str
    args: tuple[object, ...]


class Calls:
    """Remembers what would be encoded."""

    def __init__(self) -> None:
        self.made: list[Sent] = []

    def approve(self, units: int) -> Call:
        self.made.append(Sent("approve", (units,)))
        return Call("approve", "usdc", b"")

    def to_vault(self, what: str, function: str, *args: object, waits: bool = False) -> Call:
        self.made.append(Sent(function, args))
        return Call(what, "vault", b"", waits)


@pytest.fixture
def calls() -> Calls:
    return Calls()


def request(side: Side, request_id: int, **amounts: int) -> Request:
    return Request(side, request_id, **({"pending": 0, "claimable": 0, "cancelled": 0} | amounts))


def test_a_deposit_approves_exactly_its_amount(calls: Calls) -> None:
    made = plan.deposit(calls, VIEW, "1234.56")
    assert calls.made == [
        Sent("requestDeposit", (1_234_560_000, WHO, WHO)),
        Sent("approve", (1_234_560_000,)),
    ]
    assert [call.what for call in made] == ["approve", "request to deposit 1,234.560000 USDC"]
    assert [call.waits for call in made] == [False, True]


@pytest.mark.parametrize(("allowance", "number"), [(100 * USD, 1), (100 * USD - 1, 2)])
def test_an_allowance_that_is_there_is_used(calls: Calls, allowance: int, number: int) -> None:
    assert len(plan.deposit(calls, replace(VIEW, allowance=allowance), "100")) == number


def test_all_of_it(calls: Calls) -> None:
    plan.deposit(calls, VIEW, "all")
    plan.redeem(calls, VIEW, "all")
    assert calls.made[0].args[0] == 5_000 * USD
    assert calls.made[-1] == Sent("requestRedeem", (300 * SHARE, WHO, WHO))


@pytest.mark.parametrize(
    ("amount", "error", "message"),
    [
        ("99.999999", Refused, "below the vault's minimum of 100.000000 USDC"),
        ("5000.000001", Refused, "holds 5,000.000000 USDC, not 5,000.000001 USDC"),
        ("1.0000001", DataError, "more than 6 decimals"),
        ("0", DataError, "above zero"),
        ("-5", DataError, "above zero"),
        ("nan", DataError, "above zero"),
        ("1e999999", DataError, "no amount of USDC"),
        ("1e-999999", DataError, "more than 6 decimals|above zero"),
        ("ten", DataError, "write a number"),
        ("", DataError, "write a number"),
    ],
)
def test_a_deposit_that_is_refused(
    calls: Calls, amount: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plan.deposit(calls, VIEW, amount)
    assert not calls.made


def test_nobody_joins_a_vault_that_winds_down(calls: Calls) -> None:
    with pytest.raises(Refused, match="winds down"):
        plan.deposit(calls, replace(VIEW, winding_down=True), "100")


def test_amounts_are_exact_to_the_last_unit(calls: Calls) -> None:
    held = 123_456_789_012 * SHARE + 123_456_789_012_345_678
    plan.redeem(calls, replace(VIEW, shares=held), "123456789012.123456789012345678")
    assert calls.made[0].args[0] == held
    assert plan.shares(held) == "123,456,789,012.123456789012345678 shares"


@pytest.mark.parametrize(
    ("amount", "held", "message"),
    [
        ("301", 300 * SHARE, "holds 300 shares, not 301 shares"),
        ("0.5", 300 * SHARE, "below the vault's minimum of 1 shares"),
        ("all", 0, "there are no shares"),
    ],
)
def test_a_redemption_that_is_refused(calls: Calls, amount: str, held: int, message: str) -> None:
    with pytest.raises(Refused, match=message):
        plan.redeem(calls, replace(VIEW, shares=held), amount)


def test_a_whole_balance_may_be_small(calls: Calls) -> None:
    plan.redeem(calls, replace(VIEW, shares=SHARE // 2), "0.5")
    assert calls.made == [Sent("requestRedeem", (SHARE // 2, WHO, WHO))]


def test_shares_of_a_vault_that_winds_down_are_given_up(calls: Calls) -> None:
    plan.redeem(calls, replace(VIEW, winding_down=True), "200")
    assert calls.made == [Sent("surrender", (200 * SHARE, WHO))]


MIXED = (
    request(Side.DEPOSIT, 3, claimable=7, cancelled=2 * USD),
    request(Side.DEPOSIT, 5, pending=10 * USD),
    request(Side.REDEEM, 6, pending=SHARE),
)


@pytest.mark.parametrize(("request_id", "cancelled"), [(None, (5, 6)), (6, (6,))])
def test_cancelling_takes_what_is_pending(
    calls: Calls, request_id: int | None, cancelled: tuple[int, ...]
) -> None:
    plan.cancel(calls, replace(VIEW, requests=MIXED), request_id)
    names = {5: "cancelDepositRequest", 6: "cancelRedeemRequest"}
    assert calls.made == [Sent(names[number], (number, WHO)) for number in cancelled]


def test_a_request_stands_while_its_epoch_can_be_processed(calls: Calls) -> None:
    executing = replace(VIEW, requests=MIXED, now_s=ENDS_S + WINDOW_S - 1)
    with pytest.raises(Refused, match=rf"until {ENDS_S + WINDOW_S}, and requests \[5\] stand"):
        plan.cancel(calls, executing, None)
    plan.cancel(calls, executing, 6)
    plan.cancel(calls, replace(executing, now_s=ENDS_S + WINDOW_S), None)
    plan.cancel(calls, replace(executing, winding_down=True), None)


@pytest.mark.parametrize("request_id", [None, 3, 9])
def test_nothing_to_cancel(calls: Calls, request_id: int | None) -> None:
    view = replace(VIEW, requests=MIXED[:1])
    with pytest.raises(Refused, match="is pending: see 'gammadesk position'"):
        plan.cancel(calls, view, request_id)


def test_a_claim_takes_everything(calls: Calls) -> None:
    view = replace(
        VIEW,
        requests=(*MIXED, request(Side.REDEEM, 2, cancelled=SHARE)),
        claim_shares=(7, 8),
        claim_assets=(9 * SHARE, 10 * USD),
        part=WindDownPart(SHARE, 5, 0),
    )
    plan.claim(calls, view)
    assert calls.made == [
        Sent("deposit(uint256,address,address)", (7, WHO, WHO)),
        Sent("redeem", (9 * SHARE, WHO, WHO)),
        Sent("claimCancelDepositRequest", (3, WHO, WHO)),
        Sent("claimCancelRedeemRequest", (2, WHO, WHO)),
        Sent("collect", (WHO, WHO)),
    ]


def test_nothing_to_claim(calls: Calls) -> None:
    with pytest.raises(Refused, match="nothing is there"):
        plan.claim(calls, VIEW)


@pytest.mark.parametrize(
    ("now_s", "text", "number"),
    [
        (ENDS_S - 1, "ends 2020-03-12 08:00:00 UTC, then anybody may process it", 5),
        (ENDS_S, "anybody may process it until 2020-03-13 08:00:00 UTC", 6),
        (ENDS_S + WINDOW_S, "passed unused, the next opens 2020-03-19 08:00:00 UTC", 6),
        (ENDS_S + WEEK_S, "anybody may process it until 2020-03-20 08:00:00 UTC", 6),
    ],
)
def test_when_it_is_processed_and_where_a_request_belongs(
    now_s: int, text: str, number: int
) -> None:
    said = epoch(replace(VIEW, now_s=now_s))
    assert text in said
    assert said.endswith(f"has id {number}")


def test_prices() -> None:
    assert price(VIEW) == "0.990000 USD to leave, 1.010000 USD to join, now"
    without = replace(VIEW, bid_wad=None, ask_wad=None, no_price="FeedAnswerInvalid(answer=0)")
    assert price(without) == "none now: FeedAnswerInvalid(answer=0)"
