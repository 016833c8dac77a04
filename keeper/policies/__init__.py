"""Hedging policies: pure functions of (snapshot, book, forecast, costs), named in the configuration."""

from keeper.policies.registry import build_policy, policy_names

__all__ = ["build_policy", "policy_names"]
