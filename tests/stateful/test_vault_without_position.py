"""A life of the search that failed: the vault lost more than it had while its venue had never held anything.

The model credited the vault with its margin's view of the WETH, which the contract reads only for an account that has
something else besides: legs, or a venue that holds anything.
"""

import pytest

from keeper.simulation.clearing.accounts import DebtParameters
from keeper.simulation.clearing.house import Trade
from tests.contracts.core_constants import DAY, UNDERLYING, USDC, WAD
from tests.stateful.clearing_world import World

DISCOUNT = WAD // 50
PRICE_USD = 20_000


@pytest.mark.parametrize("held", [0, WAD], ids=["a venue that is empty", "a venue that holds WETH"])
def test_the_vaults_default_is_the_models(held: int) -> None:
    w = World.new(1)
    vault, winner = w.core.vault, w.who[0]
    w.commit(UNDERLYING, 0.8, 0.0, 0.0)
    debts = 5_000 * WAD, 0, DISCOUNT, 1_800
    w.house.setDebtParameters(debts, {"from": w.core.gov})
    w.model.set_debts(DebtParameters(*debts))
    for who in (vault, winner):
        assert not w.act("depositCash", 10_000 * USDC, sender=who)
        assert not w.act("depositBase", 6 * WAD, sender=who)
    legs = ((w.core.series(1, 2_000), 8 * WAD),)
    trades = [(vault, winner, 0, list(legs))]
    deal = ([Trade(vault, winner, 0, legs)],)
    assert not w.act("trade", trades, sender=w.core.market, model=deal)
    w.set_venue(held, 0, 0, 0)
    w.prove(UNDERLYING, 1, PRICE_USD)
    page = (UNDERLYING, w.core.expiry(1), [vault])
    assert not w.act("convert", *page, sender=w.core.gov, model=page)
    w.compare_books()
    covered = 6 * PRICE_USD * (WAD - DISCOUNT)
    more = min(5_000 * WAD, 6 * PRICE_USD * DISCOUNT + held * PRICE_USD) if held else 0
    assert w.core.cash(vault) == -covered - more
    assert w.core.now - w.core.start < 2 * DAY
