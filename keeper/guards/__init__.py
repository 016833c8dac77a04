"""Checks between a plan and its sending: each returns (ok, reason), and they compose into one verdict."""

from keeper.guards.checks import ALL_GUARDS, evaluate
from keeper.guards.records import Check, Guard, GuardContext, Verdict

__all__ = ["ALL_GUARDS", "Check", "Guard", "GuardContext", "Verdict", "evaluate"]
