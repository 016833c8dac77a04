"""`gammadesk quote` and `gammadesk trade` against the real desk, with a taker's own keystore."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from keeper.chain.keystore import create_keystore
from keeper.market.series_names import parse_leg
from scripts.replay.world import BUYER
from tests.e2e.desk import LiveDesk, live_desk, node_key, undone

CALL, PUT = "ETH-13MAR20-200-C", "ETH-13MAR20-180-P"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    with live_desk(tmp_path_factory.mktemp("trade")) as desk:
        path = desk.world.folder / "taker.json"
        key = node_key(BUYER)
        address = create_keystore(path, desk.world.password, key, kdf="pbkdf2", work=10)
        assert address == desk.takers.account("buyer")
        yield desk


@pytest.fixture
def desk(deployed: LiveDesk) -> Iterator[LiveDesk]:
    with undone(deployed):
        yield deployed


def run(desk: LiveDesk, *words: str, exit_code: int = 0) -> str:
    result = desk.run(*words, keystore="taker.json")
    assert result.exit_code == exit_code, result.output
    return result.output if exit_code == 0 else result.stderr


def trade(desk: LiveDesk, *words: str, exit_code: int = 0) -> str:
    return run(desk, "trade", *words, "--live", "--block-time", exit_code=exit_code)


def held(desk: LiveDesk, series: int) -> int:
    c, who = desk.world.contracts, desk.takers.account("buyer")
    return int(desk.chain.read(c.clearing, "sizeOf", who, series))


def cash(desk: LiveDesk) -> float:
    c, who = desk.world.contracts, desk.takers.account("buyer")
    return float(desk.chain.read(c.clearing, "accountOf", who)[0]) / 1e18


def amount(output: str, before: str) -> float:
    found = re.search(before + r" ([\d,]+\.\d\d) USD", output)
    assert found, output
    return float(found[1].replace(",", ""))


def rows(output: str) -> list[list[str]]:
    cells = [re.split(r"\s*│\s*", line.strip("│ ")) for line in output.splitlines() if "│" in line]
    return [row for row in cells if row[0].startswith("ETH-")]


def test_a_quote_shows_price_volatility_edge_and_margin(desk: LiveDesk) -> None:
    output = run(desk, "quote", f"{CALL}:+20", f"{PUT}:-10")
    put, call = rows(output)
    assert (put[0], put[1], call[0], call[1]) == (PUT, "-10", CALL, "+20")
    for row, sign in ((put, -1.0), (call, 1.0)):
        price, mark, edge = (float(row[i]) for i in (2, 3, 5))
        assert edge == pytest.approx(sign * (price - mark), abs=2e-4)
        assert edge > 0.0
    # The mark is at 80 %: who buys pays more, who sells gets less.
    assert float(call[4].split()[0]) > 80.0
    assert float(put[4].split()[0]) > 70.0
    legs = sorted(
        (leg.series, leg.size_wad) for leg in map(parse_leg, (f"{CALL}:20", f"{PUT}:-10"))
    )
    premium = desk.chain.read(desk.world.contracts.desk, "quote", legs) / 1e18
    assert amount(output, "the taker pays") == pytest.approx(premium, abs=0.006)
    assert output.count("margin ") == 2


def test_the_margin_after_is_the_margin_after(desk: LiveDesk) -> None:
    output = trade(desk, f"{CALL}:-5", f"{PUT}:+3")
    after = next(line for line in output.splitlines() if line.startswith("margin after"))
    c, who = desk.world.contracts, desk.takers.account("buyer")
    found = [v / 1e18 for v in desk.chain.read(c.clearing, "marginOf", who, 0)]
    told = [float(x.replace(",", "")) for x in re.findall(r"[\d,]+\.\d\d", after)]
    # Time and the fresh mark have moved by a block.
    assert told == pytest.approx(found, rel=1e-4, abs=0.05)


def test_a_trade_moves_legs_and_cash_once(desk: LiveDesk) -> None:
    series, before, had = (
        parse_leg(f"{CALL}:1").series,
        cash(desk),
        held(desk, parse_leg(f"{CALL}:1").series),
    )
    output = trade(desk, f"{CALL}:+1.5")
    assert "mined_success" in output
    assert held(desk, series) == had + 15 * 10**17
    assert before - cash(desk) == pytest.approx(amount(output, "paid"), abs=0.006)
    sold = trade(desk, f"{CALL}:-1.5")
    assert held(desk, series) == had
    assert amount(sold, "received") < amount(output, "paid")


def test_it_is_dry_unless_told(desk: LiveDesk) -> None:
    before = cash(desk)
    assert "dry_run" in run(desk, "trade", f"{CALL}:+1", "--block-time")
    assert cash(desk) == before


def test_a_limit_holds(desk: LiveDesk) -> None:
    before = cash(desk)
    assert "over the limit" in trade(desk, f"{CALL}:+1", "--limit", "0.5", exit_code=3)
    assert "over the limit" in trade(desk, f"{CALL}:-1", "--limit", "-500", exit_code=3)
    assert cash(desk) == before
    trade(desk, f"{CALL}:+1", "--limit", "50")


@pytest.mark.parametrize(
    ("legs", "code", "says"),
    [
        (("ETH-13MAR20-205-C:+1",), 65, "the desk lists ETH-13MAR20-180-P"),
        ((f"{CALL}:+0.0000001",), 3, "SizeBelowMinimum"),
        ((f"{CALL}:+1", f"{CALL}:-1"), 65, "named twice"),
        (("ETH-13MAR20-200:+1",), 65, "names no series"),
        ((f"{CALL}:+1000000",), 3, "LimitExceeded"),
    ],
)
def test_what_cannot_be_traded_is_said(
    desk: LiveDesk, legs: tuple[str, ...], code: int, says: str
) -> None:
    before = cash(desk)
    assert says in trade(desk, *legs, exit_code=code)
    assert cash(desk) == before


def test_another_account_is_asked_for_by_address(desk: LiveDesk) -> None:
    seller = desk.takers.account("seller")
    output = run(desk, "quote", f"{CALL}:+1", "--account", seller)
    equity = desk.chain.read(desk.world.contracts.clearing, "marginOf", seller, 0)[0] / 1e18
    assert f"margin before: equity {equity:,.2f}" in output
