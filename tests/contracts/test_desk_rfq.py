"""RFQ: signatures of keys and wallets, partial fills, cancelling, the fair band, and quotes that the vault takes."""

from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import FOREVER, HOUR, UNDERLYING, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

ZERO = "0x" + "00" * 20
ANY_PREMIUM = 2**250
KEY = Account.from_key("0x" + "11" * 32)
TYPES = {
    "Leg": [{"name": "series", "type": "uint128"}, {"name": "size", "type": "int128"}],
    "Rfq": [
        {"name": "maker", "type": "address"},
        {"name": "taker", "type": "address"},
        {"name": "legs", "type": "Leg[]"},
        {"name": "premium", "type": "int256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint64"},
    ],
}
RFQ_ABI = "(address,address,(uint128,int128)[],int256,uint256,uint64)"


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The quoter signs with KEY, which is a funded maker too; the third taker stands in for the hedge manager."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.desk.list([core.series(7, 2_000), core.series(7, 2_200)], {"from": core.gov})
    core.desk.setQuoter(KEY.address, {"from": core.gov})
    core.fund(core.vault, 1_000_000)
    for who in core.takers[:2]:
        core.fund(who, 200_000)
    maker = accounts.add(KEY.key)
    core.gov.transfer(maker, 10**18)
    core.fund(maker, 200_000)
    return core


def stand_in(core: Core) -> Any:
    core.clearinghouse.setVault(core.vault, core.takers[2], {"from": core.gov})
    return core.takers[2]


def rfq(core: Core, maker: Any, size: int, premium: int, **changes: Any) -> tuple:
    fields = {
        "maker": str(maker), "taker": ZERO, "legs": [(core.series(7, 2_000), size)],
        "premium": premium, "nonce": 1, "deadline": core.now + HOUR,
    }  # fmt: skip
    return tuple((fields | changes).values())


def signed(core: Core, quote: tuple, key: Any = KEY) -> bytes:
    from brownie import chain

    message = dict(zip((f["name"] for f in TYPES["Rfq"]), quote, strict=True))
    message["legs"] = [{"series": s, "size": n} for s, n in quote[2]]
    domain = {
        "name": "Gammadesk RFQ", "version": "1", "chainId": chain.id, "verifyingContract": core.rfq.address,
    }  # fmt: skip
    return bytes(key.sign_message(encode_typed_data(domain, TYPES, message)).signature)


def fair(core: Core, size: int, hedging: bool = False) -> tuple[int, int]:
    found = core.desk.assess([(core.series(7, 2_000), size)], hedging)
    return int(found[2]), int(found[4])


def test_the_desks_quote_fills_in_parts_at_its_price(core: Core) -> None:
    """Between fair and fair + band, for whoever it names."""
    taker, least = core.takers[0], fair(core, 10 * WAD)[0]
    quote = rfq(core, core.vault, 10 * WAD, least + 20 * WAD, taker=str(taker))
    signature = signed(core, quote)
    before = core.cash(taker)
    core.rfq.fill(quote, signature, WAD // 4, ANY_PREMIUM, {"from": taker})
    assert core.legs(taker) == {core.series(7, 2_000): 10 * WAD // 4}
    assert before - core.cash(taker) == -(-quote[3] // 4)
    refused(
        core.rfq.fill,
        quote,
        signature,
        WAD // 4 * 3 + 1,
        ANY_PREMIUM,
        by=taker,
        error="ShareOutOfRange",
    )
    core.rfq.fill(quote, signature, WAD // 4 * 3, ANY_PREMIUM, {"from": taker})
    refused(core.rfq.fill, quote, signature, 1, ANY_PREMIUM, by=taker, error="ShareOutOfRange")
    other = core.takers[1]
    refused(core.rfq.fill, quote, signature, WAD, ANY_PREMIUM, by=other, error="NotTaker")
    core.check_books((core.series(7, 2_000),), KEY.address)


@pytest.mark.parametrize("off", [-1, 1])
def test_nobody_fills_outside_the_band_of_the_vault(core: Core, off: int) -> None:
    taker, (least, band) = core.takers[0], fair(core, 10 * WAD)
    premium = least - WAD // 100 if off < 0 else least + band + WAD // 100
    quote = rfq(core, core.vault, 10 * WAD, premium)
    args = quote, signed(core, quote), WAD, ANY_PREMIUM
    refused(core.rfq.fill, *args, by=taker, error="OutsideFairBand")


def test_what_is_not_signed_by_the_quoter_is_nothing(core: Core) -> None:
    taker, least = core.takers[0], fair(core, WAD)[0]
    quote = rfq(core, core.vault, WAD, least + WAD)
    wrong = signed(core, quote, Account.from_key("0x" + "22" * 32))
    refused(core.rfq.fill, quote, wrong, WAD, ANY_PREMIUM, by=taker, error="SignatureInvalid")
    changed = (*quote[:3], least, *quote[4:])
    right = signed(core, quote)
    refused(core.rfq.fill, changed, right, WAD, ANY_PREMIUM, by=taker, error="SignatureInvalid")
    core.desk.setQuoter(ZERO, {"from": core.gov})
    refused(core.rfq.fill, quote, right, WAD, ANY_PREMIUM, by=taker, error="SignatureInvalid")


def test_a_maker_cancels_and_a_quote_ends(core: Core) -> None:
    taker = core.takers[0]
    quote = rfq(core, KEY.address, WAD, 100 * WAD)
    args = quote, signed(core, quote), WAD, ANY_PREMIUM
    refused(core.rfq.cancel, KEY.address, [1], by=taker, error="OnlyMaker")
    refused(core.rfq.fill, *args[:3], 99 * WAD, by=taker, error="PremiumAboveLimit")
    core.rfq.cancel(KEY.address, [1], {"from": KEY.address})
    assert core.rfq.filled(KEY.address, 1) == WAD
    refused(core.rfq.fill, *args, by=taker, error="ShareOutOfRange")
    late = rfq(core, KEY.address, WAD, 100 * WAD, nonce=2, deadline=core.now - 1)
    refused(
        core.rfq.fill, late, signed(core, late), WAD, ANY_PREMIUM, by=taker, error="DeadlinePassed"
    )


def test_makers_trade_with_takers_at_any_price(core: Core) -> None:
    taker, series = core.takers[0], core.series(7, 2_000)
    quote = rfq(core, KEY.address, -WAD, -500 * WAD)
    core.rfq.fill(quote, signed(core, quote), WAD, ANY_PREMIUM, {"from": taker})
    assert core.legs(taker) == {series: -WAD}
    assert core.legs(KEY.address) == {series: WAD}


def take(core: Core, quote: tuple, share: int = WAD) -> bytes:
    return encode([RFQ_ABI, "bytes", "uint128"], [quote, signed(core, quote), share])


def vega(core: Core) -> int:
    packed = core.clearinghouse.portfolioOf(core.vault)[4]
    return int(core.marks.optionGreeks(UNDERLYING, packed)[2])


def test_the_vault_lowers_its_vega_by_a_makers_quote(core: Core) -> None:
    """The vault is short 20 calls and buys half of them back from a maker."""
    manager, series = stand_in(core), core.series(7, 2_000)
    core.desk.trade([(series, 20 * WAD)], ANY_PREMIUM, FOREVER, {"from": core.takers[0]})
    short = vega(core)
    value, band = fair(core, -20 * WAD, hedging=True)
    quote = rfq(core, KEY.address, 20 * WAD, -value + band // 2)
    cash = core.cash(core.vault)
    core.rfq.take(take(core, quote, WAD // 2), {"from": manager})
    assert short < vega(core) < 0
    assert vega(core) == pytest.approx(short / 2, rel=1e-3)
    assert cash - core.cash(core.vault) == pytest.approx(quote[3] / 2, abs=1)
    assert core.legs(core.vault) == {series: -10 * WAD}
    core.check_books((series,), KEY.address)


def test_the_vault_takes_nothing_too_dear_or_from_a_stranger(core: Core) -> None:
    manager, series = stand_in(core), core.series(7, 2_000)
    core.desk.trade([(series, 20 * WAD)], ANY_PREMIUM, FOREVER, {"from": core.takers[0]})
    value, band = fair(core, -20 * WAD, hedging=True)
    dear = take(core, rfq(core, KEY.address, 20 * WAD, -value + band + WAD // 10))
    refused(core.rfq.take, dear, by=manager, error="OutsideFairBand")
    refused(core.rfq.take, dear, by=core.takers[0], error="OnlyHedgeManager")
    own = take(core, rfq(core, core.vault, 20 * WAD, 0))
    refused(core.rfq.take, own, by=manager, error="MakerIsVault")
    with reverts_with("ActionNotAllowed"):
        core.set_spot(2_000.0, pool_usd=2_100.0)
        more = take(core, rfq(core, KEY.address, -20 * WAD, -900 * WAD))
        core.rfq.take.call(more, {"from": manager})
