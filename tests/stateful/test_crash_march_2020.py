"""crash_replay.py: bad debt is stated, and the waterfall adds up to the wei. Figures: docs/clearing_model.md."""

import os
from pathlib import Path

import pytest

from keeper.units import WAD
from scripts.setup import env
from tests.stateful.crash_replay import AT_ONCE, BOOKS, LATE, NEVER, Crash, Outcome, hours

DATA = Path(os.environ.get("GAMMADESK_DATA", env.ROOT.parent / "shared" / "data"))

pytestmark = pytest.mark.skipif(
    not (DATA / "eth_usdt_spot_1h.parquet").is_file(), reason="needs the folder of market data"
)


def replay(*, bidders_from: int, insurance_usd: int = 1_000) -> Outcome:
    out = Crash(hours(DATA), bidders_from=bidders_from, insurance_usd=insurance_usd).run()
    report(out, bidders_from)
    return out


def report(out: Outcome, bidders_from: int) -> None:
    when = {AT_ONCE: "at once", LATE: "six hours late", NEVER: "never"}[bidders_from]
    print(f"\nbidders come {when}; insurance 1,000 USD")
    print(f"{'book of 100 contracts':<20} {'initial':>9} {'lost':>9} {'unpaid':>9}")
    for name in BOOKS:
        print(
            f"{name:<20} {out.margin[name]:9,.0f} {out.loss[name]:9,.0f} {out.bad_debt[name]:9,.0f}"
        )
    print(
        f"owed {out.owed / WAD:,.2f} = paid by losers {(out.owed - out.shortfall) / WAD:,.2f} + shortfall "
        f"{out.shortfall / WAD:,.2f}; insurance {out.insurance_used / WAD:,.2f}; factor {out.factor / WAD:.6f}; "
        f"winners {out.paid_to_winners / WAD:,.2f}; dust {out.dust} wei; recovery {out.recovery / WAD:,.2f}"
    )


@pytest.mark.parametrize("bidders_from", [AT_ONCE, LATE, NEVER])
def test_the_waterfall_adds_up_to_the_wei(bidders_from: int) -> None:
    out = replay(bidders_from=bidders_from)
    assert out.owed - out.shortfall + out.insurance_used == out.paid_to_winners + out.dust
    assert out.recovery == out.shortfall
    assert out.insurance_used <= 1_000 * WAD
    paid = out.owed - out.shortfall + out.insurance_used
    assert out.factor == paid * WAD // out.owed
    assert 0 <= out.dust < out.owed // WAD + 100


def test_liquidation_leaves_less_bad_debt_than_none() -> None:
    """The fall was spread over hours: most of what is unpaid without bidders is paid with them."""
    left, sold = replay(bidders_from=NEVER), replay(bidders_from=AT_ONCE)
    assert sum(sold.bad_debt.values()) < sum(left.bad_debt.values()) / 2
