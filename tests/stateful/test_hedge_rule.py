"""I-05 on random books and batches; `python -m tests.stateful.hedge 100000` for the long run."""

from tests.stateful.hedge_rule import RuleWorld

EVERY_OUTCOME = {
    "passed", "WrongSign", "DeltaOvershoot", "DeltaNotReduced", "BaseShort", "VenueOverCap",
    "GrossExposureTooHigh", "MigrationAddsGross", "MigrationAddsDelta",
}  # fmt: skip


def test_every_rebalance_obeys_the_rule_and_no_good_one_is_refused() -> None:
    tally = RuleWorld(seed=5).run(2_000)
    assert tally.trials == 2_000
    assert tally.outcomes.keys() >= EVERY_OUTCOME - {"MigrationAddsDelta", "VenueOverCap"}
    assert tally.outcomes["passed"] > 200
    assert tally.expired > 400
