"""A Uniswap v3 pool's depth around its price, read so that a tick asks for everything at once.

Which words of the tick bitmap lie around the price, and which ticks in them hold liquidity, is known from the tick
before; what changed since is asked for once more, at the same block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from keeper.chain.multicall import Answers, Query
from keeper.models import LiquidityBand, PoolDepth

# Prices up to exp(+-0.06) away: further than any slippage that the contract can allow.
WINDOW_TICKS = 600
_LAST_TICK = 887_272


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What never changes. `scale` turns raw liquidity into roots of ETH x USD, `unit` raw prices into USD per ETH."""

    address: str
    base_is_token0: bool
    fee: float
    spacing: int
    scale: float = 1e12
    unit: float = 1e12

    def price_usd(self, root: float) -> float:
        """USD per ETH at a square-root price of token1 per token0, both raw."""
        return root * root * self.unit if self.base_is_token0 else self.unit / (root * root)


@dataclass(slots=True)
class PoolReads:
    """What to ask about one pool, remembered from block to block."""

    facts: PoolFacts
    _words: frozenset[int] = field(default=frozenset(), init=False)
    _ticks: frozenset[int] = field(default=frozenset(), init=False)

    def queries(self) -> tuple[Query, ...]:
        """Everything that is known to matter."""
        return (
            self._query("slot0"),
            self._query("liquidity"),
            *(self._query("tickBitmap", word) for word in sorted(self._words)),
            *(self._query("ticks", tick) for tick in sorted(self._ticks)),
        )

    def missing(self, answers: Answers) -> tuple[Query, ...]:
        """What the answers show to matter too; empty when nothing is missing, or the pool cannot be read."""
        slot = answers.get(self._query("slot0"))
        if slot is None:
            return ()
        self._words = frozenset(self._words_around(slot[1]))
        bitmaps = {word: answers.get(self._query("tickBitmap", word)) for word in self._words}
        new = [self._query("tickBitmap", w) for w, found in bitmaps.items() if found is None]
        if not new:
            self._ticks = frozenset(
                tick
                for word, found in bitmaps.items()
                if found is not None
                for tick in self._set_ticks(word, found[0])
            )
            new = [q for t in self._ticks if (q := self._query("ticks", t)) not in answers]
        return tuple(new)

    def depth(self, answers: Answers) -> PoolDepth | None:
        """None where the pool could not be read."""
        slot, inside = answers.get(self._query("slot0")), answers.get(self._query("liquidity"))
        if slot is None or inside is None or slot[0] == 0:
            return None
        nets = {t: answers.get(self._query("ticks", t)) for t in sorted(self._ticks)}
        if any(found is None for found in nets.values()):
            return None
        steps = [(t, found[1]) for t, found in nets.items() if found is not None]
        facts = self.facts
        bands = []
        for a, b, liquidity in _bands(slot[0] / 2**96, slot[1], inside[0], steps):
            low, high = sorted((facts.price_usd(a), facts.price_usd(b)))
            bands.append(LiquidityBand(low, high, liquidity / facts.scale))
        if not facts.base_is_token0:
            bands.reverse()
        return PoolDepth(facts.address, facts.price_usd(slot[0] / 2**96), facts.fee, tuple(bands))

    def _query(self, function: str, *arguments: object) -> Query:
        return Query("IUniswapV3Pool", self.facts.address, function, arguments, optional=True)

    def _words_around(self, tick: int) -> range:
        low, high = ((tick + d) // self.facts.spacing >> 8 for d in (-WINDOW_TICKS, WINDOW_TICKS))
        return range(low, high + 1)

    def _set_ticks(self, word: int, bitmap: int) -> list[int]:
        bits = (bit for bit in range(256) if bitmap >> bit & 1)
        return [((word << 8) + bit) * self.facts.spacing for bit in bits]


def _bands(
    root: float, tick: int, liquidity: int, steps: Sequence[tuple[int, int]]
) -> list[tuple[float, float, int]]:
    """(low root, high root, raw liquidity) ascending, over the window: from the price outwards on both sides."""
    low_end = _root(max(tick - WINDOW_TICKS, -_LAST_TICK))
    high_end = _root(min(tick + WINDOW_TICKS, _LAST_TICK))
    below, at, inside = [], root, liquidity
    # The tick of the price itself lies at or below it, and is crossed on the way down.
    for t, net in reversed([step for step in steps if step[0] <= tick]):
        if _root(t) <= low_end:
            break
        below.append((_root(t), at, inside))
        at, inside = _root(t), inside - net
    below.append((low_end, at, inside))
    above, at, inside = [], root, liquidity
    for t, net in (step for step in steps if step[0] > tick):
        if _root(t) >= high_end:
            break
        above.append((at, _root(t), inside))
        at, inside = _root(t), inside + net
    above.append((at, high_end, inside))
    first, *rest = above
    last = below[0]
    # The two bands that meet at the price are one.
    return [*reversed(below[1:]), (last[0], first[1], liquidity), *rest]


def _root(tick: int) -> float:
    return float(1.0001 ** (tick / 2))
