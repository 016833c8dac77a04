"""A token that calls back in the middle of a transfer finds every door of the Clearinghouse shut. Bad input; I-02."""

import pytest

from keeper.units import encode_series
from tests.contracts.core_constants import HOUR, UNDERLYING, USDC, WAD
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core

REENTERED = "3ee5aeb5"  # ReentrancyGuardReentrantCall
EXPIRY = 8 * HOUR
SERIES = encode_series(UNDERLYING, EXPIRY, 2_000.0, True)


@pytest.fixture(scope="module")
def core() -> Core:
    """An owner with means in his account and in hand, and a debtor with WETH whose call ended far in the money."""
    core = new_core()
    owner, debtor, winner = core.takers[:3]
    for who in (owner, winner):
        core.fund(who, 10_000, 5)
    core.fund(debtor, 100, 5)
    core.trade(winner, debtor, [(core.series(1, 2_000), -1)])
    core.prove(1, 3_000.0)
    core.clearinghouse.convert(UNDERLYING, core.expiry(1), [debtor], {"from": core.gov})
    assert core.cash(debtor) == -900 * WAD
    core.usdc.mint(owner, 10_000 * USDC, {"from": owner})
    core.weth.mint(owner, 5 * WAD, {"from": owner})
    return core


def entries(core: Core) -> dict[str, tuple[str, tuple]]:
    """Every way in which tokens move at somebody's wish."""
    owner, debtor = core.takers[:2]
    return {
        "depositCash": ("usdc", (USDC,)),
        "withdrawCash": ("usdc", (USDC, owner)),
        "withdrawFreeCash": ("usdc", (USDC, owner)),
        "depositBase": ("weth", (WAD // 10,)),
        "withdrawBase": ("weth", (WAD // 10, owner)),
        "fundInsurance": ("usdc", (USDC,)),
        "cure": ("weth", (debtor, WAD // 200)),
        "cure in USDC": ("usdc", (debtor, WAD // 200)),
    }


def doors(core: Core) -> dict[str, tuple]:
    """Every function that changes state and is not governance's."""
    owner, debtor = core.takers[:2]
    return {
        "depositCash": (1,),
        "withdrawCash": (1, owner),
        "withdrawFreeCash": (1, owner),
        "depositBase": (1,),
        "withdrawBase": (1, owner),
        "trade": ([(owner, debtor, 0, [(SERIES, 1)])],),
        "wrap": (owner, SERIES, 1),
        "unwrap": (owner, SERIES, 1),
        "payWrapped": (owner, SERIES, 1),
        "sellSlice": (debtor, owner, WAD, 0, 0, owner, 0),
        "tradeOnVenue": (core.venue.address, 1, 1, b""),
        "convert": (UNDERLYING, core.expiry(1), [owner]),
        "finalise": (UNDERLYING, core.expiry(1)),
        "claim": (UNDERLYING, core.expiry(1), [owner]),
        "cure": (debtor, 1),
        "accrue": (debtor,),
        "fundInsurance": (1,),
    }


@pytest.mark.parametrize(
    "entry",
    [
        *("depositCash", "withdrawCash", "withdrawFreeCash", "depositBase", "withdrawBase"),
        *("fundInsurance", "cure", "cure in USDC"),
    ],
)
def test_every_door_is_shut(core: Core, entry: str) -> None:
    house, owner = core.clearinghouse, core.takers[0]
    kind, args = entries(core)[entry]
    token = getattr(core, kind)
    function = getattr(house, entry.split()[0])
    for door, inner in doors(core).items():
        token.setHook(house, house.data_of(door, *inner), {"from": owner})
        function(*args, {"from": owner})
        assert token.hookResult()[:4].hex() == REENTERED, door
    core.check_books()
