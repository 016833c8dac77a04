"""One random life of the clearing machine, wholly given by its name.

Hypothesis draws the arguments of every rule; its engine, which remembers, mutates and shrinks, takes longer than the
contracts do and is left out.
"""

import traceback
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis.control import BuildContext
from hypothesis.internal.conjecture.data import ConjectureData

from tests.stateful.clearing_marks import ChainMarks
from tests.stateful.test_clearing_model import ClearingMachine

# Longer than in the suite: less of the time goes into opening books and settling them. The opening is one of them.
STEPS_OF_A_LIFE = 120
# The shadow is slow, and the suite compares every margin.
SHADOW_EVERY = 8
# Rules that one life does without, so that lives differ in kind and not in their dice alone.
LEFT_OUT = 0.25
ENDLESS = 2**40


@dataclass(frozen=True)
class Lived:
    """What was done, the largest difference of the shadow, and, of a life that failed, its steps and why."""

    name: str
    counts: Counter[str]
    worst_shadow: float
    failure: str


def live(name: str) -> Lived:
    """An opening, steps drawn at random, and the settlement of everything; invariants after each step."""
    ClearingMachine.counts.clear()
    ClearingMachine.worst_shadow = 0.0
    kept, ChainMarks.compare_every = ChainMarks.compare_every, SHADOW_EVERY
    tape: list[str] = []
    failure = ""
    try:
        _live(Random(name), tape)
    except Exception:  # noqa: BLE001 whatever it is, it is the finding
        failure = "\n".join([*tape, traceback.format_exc()])
    ChainMarks.compare_every = kept
    counts = Counter(ClearingMachine.counts)
    return Lived(name, counts, ClearingMachine.worst_shadow, failure)


def _live(random: Random, tape: list[str]) -> None:
    machine = ClearingMachine()
    data = ConjectureData(max_length=ENDLESS, prefix=b"", random=random)
    with BuildContext(data):
        (opening,) = machine.initialize_rules()
        _step(machine, data, opening, tape)
        rules = [rule for rule in machine.rules() if random.random() >= LEFT_OUT]
        while len(tape) < STEPS_OF_A_LIFE:
            rule = random.choice(rules)
            if all(holds(machine) for holds in rule.preconditions):
                _step(machine, data, rule, tape)
        machine.teardown()


def _step(machine: ClearingMachine, data: ConjectureData, rule: Any, tape: list[str]) -> None:
    arguments = data.draw(rule.arguments_strategy)
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    tape.append(f"{rule.function.__name__}({given})")
    rule.function(machine, **arguments)
    machine.after_every_step()
