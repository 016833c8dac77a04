"""What the surface contract asks of a commit, in its own integers, so that nothing is sent that it refuses."""

from __future__ import annotations

import math

HOUR_S = 3600
DAY_S = 24 * HOUR_S
LONG_TENOR_S = 30 * DAY_S
# Volatility is kept in units of 1e-11 and seconds are rounded up: a little is left on the table.
_SLACK_S = 2


def reachable_vol(
    wanted: float, last: float, credit_s: int, tenor_s: int, level_rate_per_hour: float
) -> float:
    """The at-the-money volatility nearest to `wanted` that a commit may hold.

    `last` is that of the last commit, `credit_s` the expiry's allowance (VolSurface.credit), the rate relative per
    hour at 30 days and more.
    """
    tenor = min(max(tenor_s, DAY_S), LONG_TENOR_S)
    hours = max(credit_s - _SLACK_S, 0) / HOUR_S
    reach = 1.0 + level_rate_per_hour * hours * math.sqrt(LONG_TENOR_S / tenor)
    return min(max(wanted, last / reach), last * reach)
