"""The guards. NaN passes none of them: every comparison is written so that a number that is not one refuses."""

from __future__ import annotations

from collections.abc import Iterable

from keeper.guards.records import Check, Guard, GuardContext, Verdict
from keeper.models import OracleState
from keeper.units import GWEI, WAD


def snapshot_age(ctx: GuardContext) -> Check:
    """The block must be recent, and not from the future."""
    age = ctx.now_s - ctx.snapshot.timestamp_s
    limits = ctx.limits
    return Check(
        "snapshot_age",
        -limits.max_clock_lead_s <= age <= limits.max_snapshot_age_s,
        f"block {ctx.snapshot.block_number} is {age} s old, allowed are "
        f"{-limits.max_clock_lead_s} to {limits.max_snapshot_age_s} s",
        "passes with the next block; if not, the node lags or a clock is wrong",
        age_s=age,
    )


def oracle_state(ctx: GuardContext) -> Check:
    """Any state but stale, without a price to decide by: fills are checked one by one on the chain."""
    return Check(
        "oracle_state",
        ctx.snapshot.oracle_state is not OracleState.STALE,
        f"the oracle is {ctx.snapshot.oracle_state.name}",
        "passes with the feed's next round",
        age_s=ctx.now_s - ctx.snapshot.spot_updated_at_s,
    )


def oracle_age(ctx: GuardContext) -> Check:
    """A feed may be silent for its heartbeat; longer means that it died, whatever the contract's state says."""
    age = ctx.now_s - ctx.snapshot.spot_updated_at_s
    return Check(
        "oracle_age",
        age <= ctx.limits.max_oracle_age_s,
        f"the feed's round is {age} s old, at most {ctx.limits.max_oracle_age_s} s are allowed",
        "passes with the feed's next round; check the feed, then guards.max_oracle_age_s",
        age_s=age,
    )


def surface_age(ctx: GuardContext) -> Check:
    """The stricter of the contract's limit and ours: the chain refuses to hedge on an older one."""
    committed = ctx.snapshot.surface_committed_at_s
    age = ctx.now_s - committed
    limit = min(ctx.limits.max_surface_age_s, ctx.snapshot.rules.surface_max_age_s)
    if committed == 0:
        reason, fresh = "no volatility surface was ever committed", False
    else:
        reason, fresh = f"the surface is {age} s old, at most {limit} s are allowed", age <= limit
    return Check(
        "surface_age",
        fresh,
        reason,
        "passes after the next surface commit: see that the committer runs",
        age_s=age,
    )


def surface_complete(ctx: GuardContext) -> Check:
    """Every live leg needs a slice: without one it is valued at no volatility, and so is its delta."""
    known = {s.expiry_s for s in ctx.snapshot.slices}
    now = ctx.snapshot.timestamp_s
    missing = sorted(
        {
            leg.expiry_s
            for leg in ctx.snapshot.legs
            if leg.expiry_s > now and leg.expiry_s not in known
        }
    )
    return Check(
        "surface_complete",
        not missing,
        f"no slice for live expiries {missing}" if missing else "every live expiry has a slice",
        "passes after a surface commit that holds these expiries",
        age_s=ctx.now_s - ctx.snapshot.surface_committed_at_s,
    )


def delta_agrees(ctx: GuardContext) -> Check:
    """Two implementations of the same Greeks must agree before either is acted upon."""
    gap = abs(ctx.snapshot.chain_delta_eth - ctx.book.delta_eth)
    return Check(
        "delta_agrees",
        gap <= ctx.limits.delta_tolerance_eth,
        f"delta is {ctx.snapshot.chain_delta_eth:.9g} ETH on the chain and {ctx.book.delta_eth:.9g} ETH here, "
        f"{gap:.3g} apart, at most {ctx.limits.delta_tolerance_eth:g} is allowed",
        "a person must find which is wrong: compare legs, slices and venues; the fallback stays open on the chain",
        age_s=_age(ctx),
    )


def budget_left(ctx: GuardContext) -> Check:
    """The plan's expected cost must fit into what is left of the contract's loss budget."""
    rules = ctx.snapshot.rules
    cost = abs(ctx.plan.trade_eth) * ctx.snapshot.spot_usd * ctx.costs.proportional
    left = rules.budget_left_usd - cost
    return Check(
        "budget_left",
        left >= ctx.limits.min_budget_usd,
        f"{rules.budget_left_usd:.2f} of {rules.budget_cap_usd:.2f} USD are left, the plan costs about "
        f"{cost:.2f} USD, {ctx.limits.min_budget_usd:.2f} USD must remain",
        "the budget refills with time; a smaller policy.parameters.max_clip_eth fits sooner; governance may reset it",
        age_s=_age(ctx),
    )


def base_fee_cap(ctx: GuardContext) -> Check:
    """Gas dearer than the cap is not paid."""
    fee, cap = ctx.snapshot.base_fee_wei, ctx.max_base_fee_wei
    return Check(
        "base_fee_cap",
        0 <= fee <= cap,
        f"the base fee is {fee / GWEI:.3f} gwei, the cap {cap / GWEI:.3f} gwei",
        "passes when gas falls; raise gas.max_base_fee_gwei when the hedge is worth it",
        age_s=_age(ctx),
    )


def keeper_balance(ctx: GuardContext) -> Check:
    """The keeper must be able to pay for this transaction and its replacement."""
    balance = ctx.snapshot.keeper_balance_wei / WAD
    return Check(
        "keeper_balance",
        balance >= ctx.limits.min_keeper_balance_eth,
        f"{ctx.snapshot.keeper_address} holds {balance:.6f} ETH, at least "
        f"{ctx.limits.min_keeper_balance_eth:g} ETH are needed for gas",
        "send ETH to the keeper's address",
        age_s=_age(ctx),
    )


def plan_size(ctx: GuardContext) -> Check:
    """A trade larger than anyone expected is a fault until a person says otherwise."""
    size, cap = abs(ctx.plan.trade_eth), ctx.limits.max_trade_eth
    return Check(
        "plan_size",
        size <= cap,
        f"the plan trades {size:.6g} ETH, at most {cap:g} ETH are allowed",
        "set policy.parameters.max_clip_eth to hedge in slices, or raise guards.max_trade_eth",
        age_s=_age(ctx),
    )


def expired_legs(ctx: GuardContext) -> Check:
    """Expired legs have no delta, so they only warn: they wait for anyone to prove and settle them."""
    now = ctx.snapshot.timestamp_s
    expired = sorted({leg.expiry_s for leg in ctx.snapshot.legs if leg.expiry_s <= now})
    return Check(
        "expired_legs",
        not expired,
        f"legs of expiries {expired} are not settled" if expired else "no leg has expired",
        "prove the settlement price, convert, finalise and claim: anyone may",
        age_s=now - expired[0] if expired else 0,
        blocking=False,
    )


ALL_GUARDS: tuple[Guard, ...] = (
    snapshot_age,
    oracle_state,
    oracle_age,
    surface_age,
    surface_complete,
    delta_agrees,
    budget_left,
    base_fee_cap,
    keeper_balance,
    plan_size,
    expired_legs,
)


def evaluate(guards: Iterable[Guard], ctx: GuardContext) -> Verdict:
    """Every guard's answer: none is skipped because an earlier one refused, so that all reasons are known."""
    return Verdict(tuple(guard(ctx) for guard in guards))


def _age(ctx: GuardContext) -> int:
    return ctx.now_s - ctx.snapshot.timestamp_s
