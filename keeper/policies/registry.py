"""Policies by the name that the configuration gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from keeper.errors import ConfigError
from keeper.models import Policy
from keeper.policies.delta_band import DeltaBand, DeltaBandParameters
from keeper.policies.gas_band import GasBand, GasBandParameters
from keeper.policies.interval import Interval, IntervalParameters
from keeper.policies.no_hedge import NoHedge, NoHedgeParameters
from keeper.policies.parameters import PolicyParameters
from keeper.policies.vol_scaled import VolScaled, VolScaledParameters
from keeper.policies.whalley_wilmott import WhalleyWilmott, WhalleyWilmottParameters
from keeper.policies.zakamouline import Zakamouline, ZakamoulineParameters

_POLICIES: dict[str, tuple[type[PolicyParameters], Callable[[Any], Policy]]] = {
    "delta_band": (DeltaBandParameters, DeltaBand),
    "gas_band": (GasBandParameters, GasBand),
    "interval": (IntervalParameters, Interval),
    "no_hedge": (NoHedgeParameters, NoHedge),
    "vol_scaled": (VolScaledParameters, VolScaled),
    "whalley_wilmott": (WhalleyWilmottParameters, WhalleyWilmott),
    "zakamouline": (ZakamoulineParameters, Zakamouline),
}


def policy_names() -> tuple[str, ...]:
    """Every name that `build_policy` knows, sorted."""
    return tuple(sorted(_POLICIES))


def parameters_of(name: str) -> type[PolicyParameters]:
    """The parameter model of a policy. Raises ConfigError for an unknown name."""
    if name not in _POLICIES:
        raise ConfigError(f"no policy is called {name!r}: use one of {', '.join(policy_names())}")
    return _POLICIES[name][0]


def build_policy(name: str, parameters: Mapping[str, object] | None = None) -> Policy:
    """The policy `name` with checked parameters.

    Raises ConfigError naming the parameter and what it must be.
    """
    model = parameters_of(name)
    try:
        checked = model.model_validate(dict(parameters or {}))
    except ValidationError as error:
        known = ", ".join(model.model_fields) or "none"
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"policy {name}: {faults} (parameters: {known})") from error
    return _POLICIES[name][1](checked)
