"""Parameters of DeskGovernor and of the authority's delays, in people's units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from scripts.deployment.configuration import Section
from scripts.deployment.scales import DAY_S, between, wad


class GovernanceParameters(Section):
    """Seconds, shares, percent of all shares."""

    voting_delay_s: Annotated[int, Field(ge=DAY_S // 4, le=2 * DAY_S)]
    voting_period_s: Annotated[int, Field(ge=3 * DAY_S, le=7 * DAY_S)]
    proposal_threshold_shares: Annotated[Decimal, between("1", "100000")]
    quorum_percent: Annotated[int, Field(ge=4, le=30)]
    parameter_delay_s: Annotated[int, Field(ge=2 * DAY_S, le=14 * DAY_S)]
    address_delay_s: Annotated[int, Field(ge=24 * DAY_S, le=60 * DAY_S)]

    def struct(self) -> dict[str, int]:
        """IDeskGovernor.VotingRules."""
        return {
            "votingDelay": self.voting_delay_s,
            "votingPeriod": self.voting_period_s,
            "baseDelay": self.parameter_delay_s,
            "threshold": wad(self.proposal_threshold_shares),
            "quorum": self.quorum_percent,
        }
