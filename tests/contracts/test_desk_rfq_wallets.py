"""A Safe of three owners as a maker (ERC-1271), and verified batches that take its quotes from the market itself."""

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account

from scripts.components.artifacts import SAFE, packaged
from scripts.components.runner import DirectRunner
from scripts.components.safe import ZERO_ADDRESS, deploy_safe
from tests.contracts.core_accounts import to_packed
from tests.contracts.core_constants import FOREVER, UNDERLYING, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused
from tests.contracts.test_desk_rfq import ANY_PREMIUM, RFQ_ABI, fair, rfq, vega

OWNERS = sorted((Account.from_key(bytes([n]) * 32) for n in (7, 8, 9)), key=lambda a: a.address)
HANDLER = "handler/CompatibilityFallbackHandler"
CASH = 200_000 * 10**6
SOLD = 20 * WAD


@dataclass
class Wallet:
    """Two of its owners must sign: what it does, and what it says is its word."""

    runner: DirectRunner
    address: str

    def approvals(self, digest: bytes, owners: list[Any]) -> bytes:
        """In the order of the owners' addresses, as a Safe wants them."""
        return b"".join(bytes(owner.unsafe_sign_hash(digest).signature) for owner in owners)

    def word(self, digest: bytes, owners: list[Any] | None = None) -> bytes:
        """Its ERC-1271 signature of a digest."""
        message, abi = encode(["bytes32"], [digest]), packaged(SAFE, HANDLER).abi
        hashed = self.runner.read(self.address, abi, "getMessageHash", [message])
        return self.approvals(hashed, OWNERS[:2] if owners is None else owners)

    def act(self, name: str, to: Any, data: str) -> None:
        abi, no_refund = packaged(SAFE, "Safe").abi, [0, 0, 0, 0, ZERO_ADDRESS, ZERO_ADDRESS]
        call = [str(to), 0, bytes.fromhex(data[2:])]
        nonce = self.runner.read(self.address, abi, "nonce")
        digest = self.runner.read(
            self.address, abi, "getTransactionHash", [*call, *no_refund, nonce]
        )
        arguments = [*call, *no_refund, self.approvals(digest, OWNERS[1:])]
        self.runner.call(name, self.address, abi, "execTransaction", arguments)


@dataclass
class World:
    core: Core
    wallet: Wallet

    def quote(self, size: int, premium: int, **changes: Any) -> tuple:
        return rfq(self.core, self.wallet.address, size, premium, **changes)

    def signed(self, quote: tuple, owners: list[Any] | None = None) -> bytes:
        return self.wallet.word(bytes(self.core.rfq.digestOf(quote)), owners)

    def order(self, quote: tuple, share: int = WAD, owners: list[Any] | None = None) -> tuple:
        """At the hedge manager's adapter, which is the market of signed quotes."""
        data = encode([RFQ_ABI, "bytes", "uint128"], [quote, self.signed(quote, owners), share])
        return self.core.hedge.quoteAdapter(), 0, 0, data

    def swap(self, base: int) -> tuple:
        return self.core.venue, base, (2_020 if base > 0 else 1_980) * WAD, b""

    def limits(self) -> tuple:
        return self.core.hedge.epoch(), FOREVER, 10**12, b"\x01" * 32


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any) -> World:
    """The vault is short 20 calls and level; the Safe has cash in the clearinghouse."""
    import brownie

    core = deploy_core(BrownieBackend(project, accounts))
    core.desk.list([core.series(7, 2_000)], {"from": core.gov})
    core.fund(core.vault, 500_000, 20)
    core.fund(core.takers[0], 200_000)
    runner = DirectRunner(brownie.web3, str(core.gov))
    wallet = Wallet(runner, deploy_safe(runner, "maker", [o.address for o in OWNERS], 2))
    core.usdc.mint(wallet.address, CASH, {"from": core.gov})
    house = core.clearinghouse
    wallet.act("approve", core.usdc, core.usdc.approve.encode_input(house, CASH))
    wallet.act("deposit", house, house.depositCash.encode_input(CASH))
    core.desk.trade([(core.series(7, 2_000), SOLD)], ANY_PREMIUM, FOREVER, {"from": core.takers[0]})
    found = World(core, wallet)
    delta = int(core.hedge.netDelta(UNDERLYING)[0])
    core.hedge.rebalance([found.swap(-delta)], found.limits(), {"from": core.keeper})
    return found


def test_a_wallets_word_is_a_makers(world: World) -> None:
    core, taker, series = world.core, world.core.takers[1], world.core.series(7, 2_000)
    core.fund(taker, 200_000)
    quote = world.quote(4 * WAD, 400 * WAD)
    signature = world.signed(quote)
    core.rfq.fill(quote, signature, WAD // 4, ANY_PREMIUM, {"from": taker})
    assert core.legs(taker) == {series: WAD}
    assert core.legs(world.wallet.address) == {series: -WAD}
    assert core.cash(world.wallet.address) == CASH * 10**12 + 100 * WAD
    core.check_books((series,), world.wallet.address)


def test_too_few_owners_and_words_about_something_else(world: World) -> None:
    core, taker = world.core, world.core.takers[0]
    quote, other = world.quote(WAD, 100 * WAD), world.quote(WAD, 100 * WAD, nonce=2)
    stranger = Account.from_key("0x" + "55" * 32)
    plain = bytes(OWNERS[0].unsafe_sign_hash(bytes(core.rfq.digestOf(quote))).signature)
    for wrong in (
        world.signed(quote, OWNERS[:1]),
        world.signed(quote, [OWNERS[0], stranger]),
        world.signed(other),
        plain,
        b"",
    ):
        refused(core.rfq.fill, quote, wrong, WAD, ANY_PREMIUM, by=taker, error="SignatureInvalid")
    core.rfq.fill.call(quote, world.signed(quote), WAD, ANY_PREMIUM, {"from": taker})


def test_only_the_wallet_itself_cancels(world: World) -> None:
    core, taker = world.core, world.core.takers[0]
    maker = world.wallet.address
    refused(core.rfq.cancel, maker, [1], by=taker, error="OnlyMaker")
    world.wallet.act("cancel", core.rfq, core.rfq.cancel.encode_input(maker, [1]))
    quote = world.quote(WAD, 100 * WAD)
    args = quote, world.signed(quote), WAD, ANY_PREMIUM
    refused(core.rfq.fill, *args, by=taker, error="ShareOutOfRange")


def test_a_verified_batch_takes_half_of_its_quote_and_hedges_what_that_leaves(world: World) -> None:
    """Vega falls by the market itself, delta by a swap, in one transaction that the hedge manager verifies."""
    core, series = world.core, world.core.series(7, 2_000)
    value, band = fair(core, -SOLD, hedging=True)
    quote = world.quote(SOLD, -value + band // 2, taker=str(core.vault))
    bought = core.marks.optionGreeks(UNDERLYING, to_packed([(series, SOLD // 2 // WAD)]))[0]
    before, cash = vega(core), core.cash(core.vault)
    orders = [world.order(quote, WAD // 2), world.swap(-int(bought))]
    tx = core.hedge.rebalance(orders, world.limits(), {"from": core.keeper})
    taken, filled = tx.events["OptionsTaken"], tx.events["RfqFilled"]
    assert before < vega(core) < 0
    assert int(taken["vegaAfter"]) == pytest.approx(before // 2, rel=1e-3)
    assert int(filled["premium"]) == pytest.approx(quote[3] / 2, abs=1)
    assert filled["maker"] == world.wallet.address
    assert core.legs(core.vault) == {series: -SOLD // 2}
    assert core.cash(core.vault) != cash
    assert core.rfq.filled(world.wallet.address, 1) == WAD // 2
    assert abs(int(core.hedge.netDelta(UNDERLYING)[0])) <= WAD // 2
    core.check_books((series,), world.wallet.address)


def test_a_batch_is_undone_whole_where_its_quote_does_not_hold(world: World) -> None:
    """The hedge manager adds no way round the market's own rules."""
    core = world.core
    value, band = fair(core, -SOLD, hedging=True)
    good = world.quote(SOLD, -value + band // 2)
    dear = world.quote(SOLD, -value + band + WAD)
    late = world.quote(SOLD, -value, deadline=core.now - 1)
    more = world.quote(-WAD, -WAD)
    for order, error in (
        (world.order(good, owners=OWNERS[:1]), "SignatureInvalid"),
        (world.order(dear), "OutsideFairBand"),
        (world.order(late), "DeadlinePassed"),
        (world.order(good, 2 * WAD), "ShareOutOfRange"),
        (world.order(world.quote(SOLD, -value, taker=str(core.gov))), "NotTaker"),
        (world.order(good), "DeltaOvershoot"),
    ):
        refused(core.hedge.rebalance, [order], world.limits(), by=core.keeper, error=error)
    with pytest.raises(Exception, match=r"OptionRiskNotReduced|OutsideFairBand"):
        core.hedge.rebalance.call([world.order(more)], world.limits(), {"from": core.keeper})
    assert core.rfq.filled(world.wallet.address, 1) == 0
