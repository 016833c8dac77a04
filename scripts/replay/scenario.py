"""What the other people in the replay do: a fixed tape of listings and option trades. Pure, and the same every time.

Sizes are in ETH and strikes relative to spot, so that the scenario fits any price level.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from keeper.errors import ConfigError

HOUR_S = 3600
DAY_S = 24 * HOUR_S
LEAST_HOURS = 6
WEEK_S = 7 * DAY_S
# 1970-01-02 was a Friday; weekly options expire on Fridays at 08:00 UTC.
FIRST_FRIDAY_0800_S = DAY_S + 8 * HOUR_S


@dataclass(frozen=True, slots=True)
class ScenarioParameters:
    """Everything about the other actors.

    Deposits in ETH-equivalents at the first price, with the hour in which each is requested. The buyer insures a
    position of his own: an hour after each listing `first_calls_eth` calls, `first_puts_h` hours after it
    `first_puts_eth` puts, so that the hedge turns from long to short, then every `buy_every_h` hours two puts for
    each call; in every `by_quote_every_h`th hour by a quote that the desk's quoter signs for him. The seller comes
    every `sell_every_h` hours with more than the buyer has, so that the desk is long then.
    """

    seed: int = 31
    deposits_eth: tuple[float, ...] = (900.0, 700.0, 500.0)
    deposit_hours: tuple[int, ...] = (0, 0, 24)
    strikes: tuple[float, ...] = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
    extra_strikes: tuple[float, ...] = (0.85, 0.9, 1.0, 1.1, 1.15)
    buy_every_h: int = 4
    by_quote_every_h: int = 12
    first_calls_eth: float = 30.0
    first_calls_at: float = 1.0
    first_puts_h: int = 3
    first_puts_eth: float = 150.0
    first_puts_at: float = 1.1
    buy_puts_eth: tuple[float, float] = (8.0, 16.0)
    buy_calls_eth: tuple[float, float] = (5.0, 15.0)
    buy_calls_at: tuple[float, float] = (1.05, 1.15)
    buy_puts_at: tuple[float, float] = (0.95, 1.1)
    sell_every_h: int = 48
    sell_first_h: int = 14
    sell_calls_eth: float = 200.0
    sell_puts_eth: float = 30.0
    sell_calls_at: float = 1.05
    sell_puts_at: float = 0.9
    min_life_h: int = 12
    cutoff_h: int = 2

    def __post_init__(self) -> None:
        if len(self.deposits_eth) != len(self.deposit_hours):
            raise ConfigError("scenario: each deposit needs its hour")
        if len(self.strikes) * 2 + len(self.extra_strikes) * 2 > 32:
            raise ConfigError("scenario: the desk lists at most 32 series, calls and puts together")


@dataclass(frozen=True, slots=True)
class Wish:
    """A trade that an actor wants: + buys. `moneyness` is strike over spot."""

    actor: str
    is_call: bool
    moneyness: float
    size_eth: float


@dataclass(frozen=True, slots=True)
class Step:
    """One hour of the tape. `time_s` is the close of the hour's candle."""

    hour: int
    time_s: int
    expiry_s: int
    list_new: bool
    settle_s: int | None
    wishes: tuple[Wish, ...]
    close_out: bool
    by_quote: bool
    deposits: tuple[int, ...]


def next_expiry(time_s: int, min_life_s: int) -> int:
    """The first Friday 08:00 UTC at least `min_life_s` after `time_s`."""
    weeks = -(-(time_s + min_life_s - FIRST_FRIDAY_0800_S) // WEEK_S)
    return FIRST_FRIDAY_0800_S + weeks * WEEK_S


def build_tape(start_s: int, hours: int, p: ScenarioParameters) -> tuple[Step, ...]:
    """The tape of a replay whose first candle opens at `start_s`.

    At the end the takers close what they hold, in the last hour in which the desk still trades the series.
    """
    if hours < LEAST_HOURS:
        raise ConfigError(
            f"a replay needs at least {LEAST_HOURS} hours, not {hours}: choose a later END"
        )
    dice = random.Random(p.seed)
    times = [start_s + (h + 1) * HOUR_S for h in range(hours)]
    expiry = next_expiry(times[0], p.min_life_h * HOUR_S)
    close_at = _close_hour(times, expiry, p)
    steps: list[Step] = []
    listed, listed_at = False, 0
    for h, time in enumerate(times):
        settle = expiry if time >= expiry else None
        if settle is not None:
            expiry, listed = next_expiry(time, p.min_life_h * HOUR_S), False
        list_new = not listed and h < close_at
        listed = listed or list_new
        # In the first hour the first epoch may not be over yet: the vault has nothing to trade with.
        open_for_trade = listed and 0 < h < close_at and expiry - time > p.cutoff_h * HOUR_S
        listed_at = h if list_new else listed_at
        wishes = _wishes(h, h - listed_at, dice, p)
        steps.append(
            Step(
                hour=h,
                time_s=time,
                expiry_s=expiry,
                list_new=list_new,
                settle_s=settle,
                wishes=wishes if open_for_trade else (),
                close_out=h == close_at,
                by_quote=h % p.by_quote_every_h == 0,
                deposits=tuple(
                    i for i, at in enumerate(p.deposit_hours) if min(at, close_at - 2) == h
                ),
            )
        )
    return tuple(steps)


def nearest_strike(target: float, strikes: list[float]) -> float:
    """The listed strike nearest to a price, the lower of two as near."""
    return min(strikes, key=lambda strike: (abs(strike - target), strike))


def ladder(spot: float, relative: tuple[float, ...]) -> list[float]:
    """Strikes around a spot on a grid as exchanges have: 5 USD between 100 and 1,000, 50 between 1,000 and 10,000."""
    step = 10.0 ** math.floor(math.log10(spot)) / 20
    return sorted({round(round(spot * r / step) * step, 8) for r in relative})


def _close_hour(times: list[int], expiry: int, p: ScenarioParameters) -> int:
    """The last hour in which whatever is open then can still be traded."""
    for h in range(len(times) - 1, 0, -1):
        live = expiry
        while live <= times[h]:
            live = next_expiry(live, p.min_life_h * HOUR_S)
        if live - times[h] > p.cutoff_h * HOUR_S:
            return h
    raise ConfigError(
        "the whole replay lies inside the desk's cutoff before an expiry: choose an earlier START"
    )


def _wishes(
    hour: int, listed_h: int, dice: random.Random, p: ScenarioParameters
) -> tuple[Wish, ...]:
    """What is wanted `listed_h` hours after the last listing. The dice fall every hour, whatever comes of it."""
    put = Wish(
        "buyer", False, dice.uniform(*p.buy_puts_at), round(dice.uniform(*p.buy_puts_eth), 1)
    )
    call = Wish(
        "buyer", True, dice.uniform(*p.buy_calls_at), round(dice.uniform(*p.buy_calls_eth), 1)
    )
    wishes: list[Wish] = []
    if listed_h == 1:
        wishes = [Wish("buyer", True, p.first_calls_at, p.first_calls_eth)]
    elif listed_h == p.first_puts_h:
        wishes = [Wish("buyer", False, p.first_puts_at, p.first_puts_eth)]
    elif hour % p.buy_every_h == 0:
        wishes = [call if (hour // p.buy_every_h) % 3 == 0 else put]
    since = hour - p.sell_first_h
    if since >= 0 and since % p.sell_every_h == 0:
        wishes.append(Wish("seller", True, p.sell_calls_at, -p.sell_calls_eth))
        wishes.append(Wish("seller", False, p.sell_puts_at, -p.sell_puts_eth))
    return tuple(wishes)
