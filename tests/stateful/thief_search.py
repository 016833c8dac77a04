"""Weeks at random, and weeks bred from the best: the same number of attempts for both."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from tests.stateful.thief_moves import MOVES, Gene, play
from tests.stateful.thief_world import Losses, ThiefWorld

LENGTH = 24
ELITE = 6
# USD by which marks in floats and in the contracts' integers may differ in a week.
CENTS = 1.0
# The first part of a guided search looks around as the random one does.
SCOUTS = 0.25


class BoundBroken(AssertionError):
    """A week cost more than a stated term."""


@dataclass
class Found:
    """Of one search, USD: the dearest week, and how near anything came to its bound."""

    attempts: int = 0
    loss: float = 0.0
    bound: float = 0.0
    carry: float = 0.0
    week: list[Gene] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)
    nearest: dict[str, float] = field(default_factory=dict)


class Search:
    """Attempts on one world, each a life of its own."""

    def __init__(self, world: ThiefWorld, seed: int) -> None:
        self.world, self.draw = world, random.Random(seed)
        self.elite: list[tuple[float, list[Gene]]] = []

    def at_random(self, attempts: int) -> Found:
        found = Found()
        for _ in range(attempts):
            self.attempt(self._any(), found)
        return found

    def guided(self, attempts: int) -> Found:
        """Mutations and crossings of the dearest weeks."""
        found = Found()
        self.elite = []
        for number in range(attempts):
            scout = number < attempts * SCOUTS or not self.elite
            week = self._any() if scout else self._bred()
            loss = self.attempt(week, found)
            self.elite = sorted([*self.elite, (loss, week)], key=lambda e: -e[0])[:ELITE]
        return found

    def attempt(self, week: list[Gene], found: Found) -> float:
        """Plays a week. Raises BoundBroken where it breaks a bound."""
        with self.world.life():
            play(self.world, week)
            losses, bounds = self.world.losses, self.world.bounds()
        shares = check(losses, bounds, week)
        found.attempts += 1
        found.nearest = {k: max(found.nearest.get(k, 0.0), v) for k, v in shares.items()}
        found.carry = max(found.carry, losses.carry)
        if losses.real > found.loss:
            found.loss, found.bound = losses.real, sum(bounds)
            found.week, found.losses = week, losses
        return losses.real

    # ------------------------------------------------------------------ weeks

    def _gene(self) -> Gene:
        move = self.draw.choice(list(MOVES))
        return Gene(move, *(round(self.draw.random(), 4) for _ in range(3)))

    def _any(self) -> list[Gene]:
        return [self._gene() for _ in range(LENGTH)]

    def _bred(self) -> list[Gene]:
        draw = self.draw
        week = list(draw.choice(self.elite)[1])
        if draw.random() < 0.3:
            other, cut = draw.choice(self.elite)[1], draw.randrange(1, LENGTH)
            week = week[:cut] + other[cut:]
        for _ in range(draw.choice((1, 2, 4))):
            self._mutate(week)
        return week[:LENGTH]

    def _mutate(self, week: list[Gene]) -> None:
        draw, at = self.draw, self.draw.randrange(len(week))
        kind = draw.random()
        if kind < 0.3:
            week[at] = self._gene()
        elif kind < 0.5:
            week.insert(draw.randrange(len(week)), week[at])
        elif kind < 0.6:
            week.insert(draw.randrange(len(week)), week.pop(at))
        else:
            name = draw.choice("abc")
            value = getattr(week[at], name) + draw.gauss(0.0, 0.25)
            week[at] = replace(week[at], **{name: round(min(max(value, 0.0), 1.0), 4)})


def check(losses: Losses, bounds: tuple[float, float, float], week: list[Gene]) -> dict[str, float]:
    """Share of each term that a week used. Raises BoundBroken above one, with the week that did it."""
    parts = {
        "budget": (losses.charged, bounds[0]),
        "reserve": (losses.fallback, bounds[1]),
        "surface": (losses.real - losses.charged - losses.fallback, bounds[2] + CENTS),
    }
    for name, (loss, bound) in parts.items():
        if loss > bound:
            raise BoundBroken(f"{name}: {loss:.2f} USD lost, bound {bound:.2f}: {week} {losses}")
    return {name: loss / bound for name, (loss, bound) in parts.items()}
