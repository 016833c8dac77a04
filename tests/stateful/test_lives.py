"""Lives of the long search that once failed: `python -m tests.stateful NAME` prints their steps."""

import pytest

from tests.stateful.random_life import STEPS_OF_A_LIFE, live

LIVES = {
    "1-55": "the shadow asked a dead feed that the margin of a portfolio does not need",
    "2-644": "at the least factor up to two wei of each USD owed stay in the pot",
}


@pytest.mark.parametrize("name", LIVES)
def test_lives_to_its_end(name: str) -> None:
    lived = live(name)
    assert not lived.failure, lived.failure
    assert lived.counts["steps"] == STEPS_OF_A_LIFE
