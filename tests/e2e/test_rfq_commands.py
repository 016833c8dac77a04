"""`gammadesk rfq` and `gammadesk signal --live` on a chain: a maker's, a taker's and the quoter's own keystores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from keeper.chain.keystore import create_keystore, load_signer
from keeper.chain.rfq import SignedRfq
from keeper.config import Config
from keeper.errors import Halt
from keeper.execution.records import OutcomeKind
from keeper.market.series_names import parse_leg
from keeper.runtime.alerts import AppriseAlerts
from keeper.runtime.assembly import connect
from keeper.runtime.metrics import Metrics
from keeper.runtime.stance_service import build_stancer
from keeper.simulation.synthetic import SyntheticParameters, generate
from scripts.replay.makers import Makers
from scripts.replay.world import BUYER, COMMITTER, OPTION_MAKER
from tests.e2e.desk import EXPIRY_S, SPOT_USD, START_S, LiveDesk, live_desk, node_key, undone

CALL = "ETH-13MAR20-200-C"
SERIES = parse_leg(f"{CALL}:1").series
KEYS = {"taker": BUYER, "maker": OPTION_MAKER, "quoter": COMMITTER}
CONTRACT = 10**18


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    with live_desk(tmp_path_factory.mktemp("rfq")) as desk:
        for name, index in KEYS.items():
            path, key = desk.world.folder / f"{name}.json", node_key(index)
            create_keystore(path, desk.world.password, key, kdf="pbkdf2", work=10)
        Makers(desk.world).fund(SPOT_USD)
        yield desk


@pytest.fixture
def desk(deployed: LiveDesk) -> Iterator[LiveDesk]:
    with undone(deployed):
        yield deployed


def run(desk: LiveDesk, who: str, *words: str, exit_code: int = 0, more: str = "") -> str:
    result = desk.run(*words, keystore=f"{who}.json", more=more)
    assert result.exit_code == exit_code, result.output + result.stderr
    return result.output if exit_code == 0 else result.stderr


def signed(desk: LiveDesk, who: str, leg: str, premium: float, *more: str) -> Path:
    path = desk.world.folder / "quote.json"
    words = ("rfq", "sign", leg, "--premium", str(premium), "--out", str(path), "--block-time")
    run(desk, who, *words, *more)
    return path


def fill(desk: LiveDesk, path: Path, *more: str, exit_code: int = 0) -> str:
    words = ("rfq", "fill", str(path), "--live", "--block-time", *more)
    return run(desk, "taker", *words, exit_code=exit_code)


def held(desk: LiveDesk, account: str) -> int:
    return int(desk.chain.read(desk.world.contracts.clearing, "sizeOf", account, SERIES))


def cash(desk: LiveDesk, account: str) -> int:
    return int(desk.chain.read(desk.world.contracts.clearing, "accountOf", account)[0])


def account(desk: LiveDesk, who: str) -> str:
    return desk.chain.account(KEYS[who])


def test_a_makers_quote_is_filled_in_parts_between_the_two_accounts(desk: LiveDesk) -> None:
    taker, maker = account(desk, "taker"), account(desk, "maker")
    path = signed(desk, "maker", f"{CALL}:2", 30.0, "--taker", taker)
    had, paid = held(desk, taker), cash(desk, taker)
    assert "mined_success" in fill(desk, path, "--share", "0.5")
    assert (held(desk, taker) - had, held(desk, maker)) == (CONTRACT, -CONTRACT)
    assert paid - cash(desk, taker) == 15 * CONTRACT
    fill(desk, path, "--share", "0.5")
    assert held(desk, maker) == -2 * CONTRACT
    assert "ShareOutOfRange" in fill(desk, path, "--share", "0.5", exit_code=3)


def test_a_cancelled_quote_and_one_for_somebody_else_are_not_filled(desk: LiveDesk) -> None:
    path = signed(desk, "maker", f"{CALL}:1", 15.0)
    nonce = str(SignedRfq.load(path).nonce)
    stranger = signed(desk, "maker", f"{CALL}:1", 15.0, "--taker", account(desk, "quoter"))
    assert "NotTaker" in fill(desk, stranger, exit_code=3)
    path = signed(desk, "maker", f"{CALL}:1", 15.0, "--nonce", nonce)
    words = ("rfq", "cancel", nonce, "--block-time")
    assert "dry_run" in run(desk, "maker", *words)
    assert "mined_success" in run(desk, "maker", *words, "--live")
    assert "ShareOutOfRange" in fill(desk, path, exit_code=3)


def test_the_quoter_sells_for_the_vault_inside_the_band_alone(desk: LiveDesk) -> None:
    vault, taker = desk.world.contracts.vault.address, account(desk, "taker")
    fair, band = Makers(desk.world).fair([(SERIES, CONTRACT)], hedging=False)
    low, inside = (fair - band / 20) / 1e18, (fair + band / 2) / 1e18
    refused = signed(desk, "quoter", f"{CALL}:1", low, "--for-vault")
    assert "OutsideFairBand" in fill(desk, refused, exit_code=3)
    forged = signed(desk, "maker", f"{CALL}:1", inside, "--for-vault")
    assert "SignatureInvalid" in fill(desk, forged, exit_code=3)
    good = signed(desk, "quoter", f"{CALL}:1", inside, "--for-vault", "--taker", taker)
    had = held(desk, vault)
    assert "mined_success" in fill(desk, good)
    assert held(desk, vault) == had - CONTRACT


def wallet_code(approved: bytes) -> str:
    """ERC-1271: isValidSignature answers its selector for this digest, whatever the signature, else 0."""
    compare = "6004357f" + approved.hex() + "14"
    return "0x" + compare + "631626ba7e02" + "60e01b600052" + "60206000f3"


def test_a_maker_that_is_a_wallet_approves_by_its_code(desk: LiveDesk) -> None:
    maker, market = account(desk, "maker"), desk.world.contracts.rfq
    other = SignedRfq.load(signed(desk, "maker", f"{CALL}:1", 15.0))
    path = signed(desk, "maker", f"{CALL}:2", 30.0)
    rfq = SignedRfq.load(path)
    quote = (rfq.maker, rfq.taker, rfq.legs, rfq.premium, rfq.nonce, rfq.deadline)
    digest = bytes(desk.chain.read(market, "digestOf", quote))
    desk.chain.rpc("anvil_setCode", maker, wallet_code(digest))
    path.write_text(other.model_dump_json())
    assert "SignatureInvalid" in fill(desk, path, exit_code=3), "a key signs for no wallet"
    path.write_text(rfq.model_copy(update={"signature": "0x"}).model_dump_json())
    assert "mined_success" in fill(desk, path)
    assert held(desk, maker) == -2 * CONTRACT


def candles(desk: LiveDesk, vol: float) -> str:
    """A history of 400 days up to the desk's day; the configuration's section that names it."""
    made = SyntheticParameters(
        start_s=START_S, history_hours=400 * 24, volatility=vol, jump_std=0.001
    )
    frame = generate(made)
    frame = frame[frame["timestamp"] < pd.Timestamp(START_S, unit="s", tz="UTC")]
    frame.to_csv(desk.world.folder / "candles.csv", index=False)
    return '[forecast]\ncandles = "candles.csv"\n'


def stance(desk: LiveDesk) -> tuple[int, ...]:
    found, _ = desk.chain.read(
        desk.world.contracts.desk, "stanceOf", desk.world.underlying, EXPIRY_S
    )
    return tuple(found)


def test_the_quoter_sets_stances_by_the_signal_and_the_desk_asks_less_for_it(
    desk: LiveDesk,
) -> None:
    section, words = candles(desk, 0.4), ("signal", "--block-time")
    asked = desk.chain.read(desk.world.contracts.desk, "quote", [(SERIES, CONTRACT)])
    neutral = stance(desk)
    assert "13MAR20" in run(desk, "quoter", *words, more=section)
    assert stance(desk) == neutral, "a dry run sends nothing"
    stranger = run(desk, "taker", *words, "--live", exit_code=3, more=section)
    assert "OnlyQuoter" in stranger
    assert "mined_success" in run(desk, "quoter", *words, "--live", more=section)
    expiry_s, bid, ask, bid_limit, _ = stance(desk)
    assert expiry_s == EXPIRY_S
    assert bid > 10_000 > ask >= 7_000, "80 % implied is rich against 40 %: the desk would sell"
    assert 4_000 <= bid_limit < 10_000
    assert desk.chain.read(desk.world.contracts.desk, "quote", [(SERIES, CONTRACT)]) < asked


def test_the_service_sets_stances_between_its_ticks(desk: LiveDesk) -> None:
    section = candles(desk, 0.4)
    config = desk.configure("keeper.json", section + "[stances]\ninterval_s = 3600.0\n")
    folder, seen = desk.world.folder, desk.world
    quoter = load_signer(folder / "quoter.json", seen.password)
    alerts, metrics = AppriseAlerts(()), Metrics()
    desk_of = connect(Config.load(config), block_time=True)
    dry = build_stancer(desk_of, None, metrics, alerts).run()
    assert dry.kind is OutcomeKind.DRY_RUN
    assert stance(desk)[1] == 10_000
    with pytest.raises(Halt, match="takes stances from"):
        build_stancer(desk_of, load_signer(folder / "taker.json", seen.password), metrics, alerts)
    done = build_stancer(desk_of, quoter, metrics, alerts).run()
    assert done.kind is OutcomeKind.MINED_SUCCESS
    assert stance(desk)[2] < 10_000
    assert desk_of.journal.counts()["mined_success"] == 1
