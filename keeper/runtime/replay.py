"""Takes a recorded decision again: same inputs, same policy, same plan to the last bit."""

from __future__ import annotations

import json
from dataclasses import dataclass

from keeper.errors import DataError
from keeper.execution.tables import Decision
from keeper.models import Plan
from keeper.policies import build_policy
from keeper.policies.overlay import OverlayPlan
from keeper.portfolio.book import value_book
from keeper.runtime.codec import from_json, to_json
from keeper.runtime.tick_records import Inputs


@dataclass(frozen=True, slots=True)
class Replayed:
    """The stored plan beside the one that was just made; `same` compares book and plan as text."""

    stored: Plan
    again: Plan
    same: bool


def replay(decision: Decision) -> Replayed:
    """Values the stored snapshot and decides again. DataError when the record is of another version."""
    inputs = from_json(Inputs, decision.inputs)
    try:
        policy = build_policy(**json.loads(decision.policy))
    except (TypeError, ValueError) as error:
        raise DataError(f"decision {decision.id} names no policy that exists: {error}") from error
    again, _ = inputs.cut(inputs.decide(policy))
    same_book = to_json(value_book(inputs.snapshot)) == to_json(inputs.book)
    kind = Plan if inputs.overlay is None else OverlayPlan
    stored = from_json(kind, decision.plan)
    return Replayed(stored, again, same_book and to_json(again) == decision.plan)
