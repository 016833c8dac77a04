"""What a thief of the keeper's roles can do: moves, each bent by three numbers in [0, 1].

He trades against the pools before and after (a sandwich), sends batches over every venue, takes options from an
accomplice, commits surfaces, trades with the desk, fills quotes of the stolen quoter, farms the fallback, waits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from eth_abi import encode

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import FOREVER, HOUR, UNDERLYING, WAD
from tests.stateful.revm import Reverted
from tests.stateful.thief_chain import FEES
from tests.stateful.thief_world import MAKER, QUOTER, ThiefWorld

# A pool this far off leaves a fill just inside the keeper's slippage of 1 %, the fee of its tier included.
MOST_PUSH = {500: 0.0104, 3_000: 0.0078}
RFQ = "(address,address,(uint128,int128)[],int256,uint256,uint64)"
ANY_PREMIUM = 2**200


@dataclass(frozen=True)
class Gene:
    """One move of a week."""

    move: str
    a: float
    b: float
    c: float


def wait(w: ThiefWorld, g: Gene) -> None:
    """A quarter of an hour to a day; the surface is committed again as it is."""
    seconds = int(900 * 96**g.a)
    w.wait(max(min(seconds, w.left_s), 0))
    w.commit(w.level, w.skew)


def shift(w: ThiefWorld, g: Gene) -> None:
    """The market moves by as much as 8 %."""
    w.shift(w.price * (0.92 + 0.16 * g.a))


def push(w: ThiefWorld, fee: int, share: float) -> None:
    """One pool away from the oracle by a share, -1 to 1, of the most that pays."""
    w.bend_pool(fee, MOST_PUSH[fee] * share)


def inside(w: ThiefWorld) -> None:
    """The delta into the band at what the pools give, arbitrage between the slices."""
    m, band = w.market, float(w.market.parameters.hedge.band_eth)
    for _ in range(12):
        delta = w.delta()
        if abs(delta) <= band:
            return
        w.restore()
        short = delta > 0 and w.core.base(w.core.vault) / WAD < delta
        venue = m.short if short else m.spots[FEES[0]]
        if not w.rebalance("hedge", [w.order(venue, -delta)]):
            return


def hedge(w: ThiefWorld, g: Gene) -> None:
    """Sandwiched orders of the right sign, again and again, at one venue."""
    m, band = w.market, float(w.market.parameters.hedge.band_eth)
    venue = (*m.spots.values(), m.short)[int(g.c * 2.999)]
    fee = FEES[1] if venue is m.spots[FEES[1]] else FEES[0]
    for _ in range(1 + int(7 * g.a)):
        delta = w.delta()
        size = (abs(delta) + band) * (0.1 + 0.9 * g.b)
        side = -1 if delta > 0 else 1
        push(w, fee, side * (0.4 + 0.6 * g.a))
        held = w.core.base(w.core.vault) / WAD
        where = m.short if side < 0 and held < size else venue
        if not w.rebalance("hedge", [w.order(where, side * size)]):
            break
    w.restore()


def churn(w: ThiefWorld, g: Gene) -> None:
    """Up to eight orders a batch to and fro across the band: bought where the pool is dear, sold where it is cheap."""
    m, band = w.market, float(w.market.parameters.hedge.band_eth)
    dear, cheap = (FEES, FEES[::-1])[int(g.c * 1.999)]
    count = 2 << int(g.c * 5.999) % 3
    inside(w)
    for _ in range(1 + int(40 * g.b)):
        delta, held = w.delta(), w.core.base(w.core.vault) / WAD
        push(w, dear, g.a)
        push(w, cheap, -g.a)
        orders = []
        for _ in range(count):
            side = -1 if delta > 0 else 1
            size = abs(delta) + 0.99 * band
            short = side < 0 and held < size
            venue = m.short if short else m.spots[dear if side > 0 else cheap]
            orders.append(w.order(venue, side * size))
            delta, held = delta + side * size, held + (0 if short else side * size)
        if not w.rebalance("churn", orders):
            break
    w.restore()


def squeeze(w: ThiefWorld, g: Gene) -> None:
    """An accomplice borrows WETH away, so that the vault's short pays more; or the vault is brought to a larger one."""
    m, band = w.market, float(w.market.parameters.hedge.band_eth)
    if g.c > 0.5:
        w.borrow_out(g.a)
        return
    inside(w)
    for _ in range(1 + int(40 * g.b)):
        delta, orders = w.delta(), []
        for _ in range(8):
            side = -1 if delta > 0 else 1
            size = abs(delta) + 0.99 * band
            orders.append(w.order(m.short if side < 0 else m.spots[FEES[0]], side * size))
            delta += side * size
        w.restore()
        if not w.rebalance("churn", orders):
            break


def options(w: ThiefWorld, g: Gene) -> None:
    """Options back from an accomplice at the edge of the band around fair, and the delta with them."""
    held = w.holding().legs
    names = [s for s in w.series if held.get(s)]
    if not names:
        return
    series = names[int(g.a * (len(names) - 1e-9))]
    size = -int(held[series] * (0.02 + 0.9 * g.b)) // 10**15 * 10**15
    if not size:
        return
    try:
        found = w.core.desk.assess([(series, -size)], True)
    except Reverted:
        return
    premium = -int(found[2]) + int(int(found[4]) * (0.3 + 0.7 * g.c)) - 1
    quote, signature = w.signed(w.maker, [(series, size)], premium, MAKER)
    data = encode([RFQ, "bytes", "uint128"], [quote, signature, WAD])
    taken = (w.core.hedge.quoteAdapter(), 0, 0, data)
    if w.rebalance("options", [taken]):
        return
    after = w.delta() + w.option_deltas([(series, size)])
    w.rebalance("options", [taken, w.order(w.market.spots[FEES[0]], -after)])


def commit(w: ThiefWorld, g: Gene) -> None:
    """The surface as far as the rates let it go, up or down, bent or level."""
    bend = 0.3 * g.b if g.b > 0.3 else 0.0
    for part in (1.0, 0.5, 0.2):
        if w.commit(w.level * (1 + (g.a - 0.5) * 0.8 * part), bend if part == 1.0 else w.skew):
            break
    stances = [
        (expiry, 7_000, 7_000, 10_000, 10_000)
        for expiry in map(int, w.core.surface.expiries(UNDERLYING))
        if expiry > w.core.now
    ]
    try:
        w.core.desk.setStances(UNDERLYING, stances, {"from": QUOTER.address})
    except Reverted:
        return


def desk(w: ThiefWorld, g: Gene) -> None:
    """An accomplice trades, or gives back all that he holds."""
    who = w.who[1]
    if g.c > 0.6:
        for series, size in sorted(w.core.legs(who).items()):
            w.act("trade", lambda s=series, n=size: w.core.desk.trade(
                [(s, -n)], ANY_PREMIUM, FOREVER, {"from": who}
            ))  # fmt: skip
        return
    series = w.series[int(g.a * (len(w.series) - 1e-9))]
    size = wad(round((g.b - 0.5) * 600, 1))
    legs = [(series, size)]
    w.act("trade", lambda: w.core.desk.trade(legs, ANY_PREMIUM, FOREVER, {"from": who}))


def fill(w: ThiefWorld, g: Gene) -> None:
    """The stolen quoter sells at fair, the spread given away."""
    who = w.who[1]
    series = w.series[int(g.a * (len(w.series) - 1e-9))]
    size = wad(round((g.b - 0.5) * 600, 1))
    try:
        found = w.core.desk.assess([(series, size)], False)
    except Reverted:
        return
    quote, signature = w.signed(w.core.vault, [(series, size)], int(found[2]), QUOTER)
    w.act("trade", lambda: w.core.rfq.fill(quote, signature, WAD, ANY_PREMIUM, {"from": who}))


def farm(w: ThiefWorld, g: Gene) -> None:
    """Arms the fallback, waits for it, and sandwiches its slices."""
    who, fallback = {"from": w.who[1]}, w.core.fallback
    with contextlib.suppress(Reverted):
        fallback.arm(who)
    for _ in range(1 + int(9 * g.b)):
        ready = int(fallback.status()[1])
        if not ready or ready - w.core.now > w.left_s:
            break
        w.wait(max(ready - w.core.now, 1))
        side = -1 if w.delta() > 0 else 1
        for fee in FEES:
            push(w, fee, side * g.a)
        if not w.act("fallback", lambda: fallback.fallbackHedge(who)):
            break
    w.restore()


MOVES: dict[str, Callable[[ThiefWorld, Gene], None]] = {
    f.__name__: f for f in (wait, shift, hedge, churn, squeeze, options, commit, desk, fill, farm)
}


def play(w: ThiefWorld, week: list[Gene]) -> None:
    """The moves in their order, until the week is over."""
    for gene in week:
        if w.left_s <= HOUR // 4:
            return
        MOVES[gene.move](w, gene)
