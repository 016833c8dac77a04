"""Option chains from files: what they mean in USD, and what is refused with file, row and rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from keeper.errors import DataError
from keeper.market.chain_files import ChainFile
from keeper.pricing.surface_fit import fit_surface
from tests.keeper.surface_world import NOW_S, SPOT_USD, TRUTH, make_chain

LATER_S = NOW_S + 3_600


def table(inverse: bool = True) -> pd.DataFrame:
    """Two moments of one chain, the later first."""
    chain = make_chain()
    unit = chain.forward_usd if inverse else 1.0
    one = pd.DataFrame(
        {
            "expiry": pd.to_datetime(chain.expiry_s, unit="s", utc=True),
            "option_type": np.where(chain.is_call, "call", "put"),
            "strike": chain.strike_usd,
            "bid_price": chain.bid_usd / unit,
            "ask_price": chain.ask_usd / unit,
            "underlying_price": chain.forward_usd,
            "index_price": SPOT_USD,
        }
    )
    stamps = [one.assign(timestamp=pd.Timestamp(s, unit="s", tz="UTC")) for s in (LATER_S, NOW_S)]
    return pd.concat(stamps, ignore_index=True)


def write(tmp_path, frame: pd.DataFrame, name: str = "chains.csv"):
    path = tmp_path / name
    if name.endswith(".csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["chains.csv", "chains.parquet"])
@pytest.mark.parametrize("inverse", [True, False])
def test_a_file_gives_the_chain_that_was_written(tmp_path, name, inverse):
    source = ChainFile(write(tmp_path, table(inverse), name), inverse=inverse, delay_s=7)
    first, second = source.chains()
    truth = make_chain()
    assert (first.read_at_s, second.read_at_s) == (NOW_S + 7, LATER_S + 7)
    assert first.spot_usd == SPOT_USD
    for field in ("strike_usd", "forward_usd", "bid_usd", "ask_usd"):
        np.testing.assert_allclose(getattr(first, field), getattr(truth, field), rtol=1e-12)
    np.testing.assert_array_equal(first.expiry_s, truth.expiry_s)
    np.testing.assert_array_equal(first.is_call, truth.is_call)
    assert np.isnan(first.quoted_at_s).all()
    assert fit_surface(first).slices[0].carry == pytest.approx(TRUTH[0].carry, abs=0.01)


def test_a_moment_is_the_last_at_or_before_what_is_asked(tmp_path):
    source = ChainFile(write(tmp_path, table()))
    assert source.chain().read_at_s == LATER_S
    assert source.chain(LATER_S - 1).read_at_s == NOW_S
    assert source.chain(NOW_S).read_at_s == NOW_S
    with pytest.raises(DataError, match="no chain at or before"):
        source.chain(NOW_S - 1)


def test_empty_sides_are_missing_and_times_may_be_unix_seconds(tmp_path):
    frame = table()
    frame.loc[0, "bid_price"] = np.nan
    frame["timestamp"] = [s.timestamp() for s in frame["timestamp"]]
    frame["quoted_at"] = frame["timestamp"] - 30
    frame["option_type"] = frame["option_type"].str[0].str.upper()
    chain = ChainFile(write(tmp_path, frame)).chain()
    assert np.isnan(chain.bid_usd[0])
    assert np.isfinite(chain.bid_usd[1:]).all()
    assert (chain.quoted_at_s == LATER_S - 30).all()
    assert fit_surface(chain).quotes.dropped["one_sided"] == 1


def test_without_an_index_the_nearest_forward_is_the_spot(tmp_path):
    chain = ChainFile(write(tmp_path, table().drop(columns="index_price"))).chain()
    near = chain.forward_usd[chain.expiry_s == chain.expiry_s.min()]
    assert chain.spot_usd == pytest.approx(near[0])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("option_type", "straddle", r"row 3: option_type is 'straddle', it must be call or put"),
        ("strike", "high", "row 3: strike is 'high'"),
        ("bid_price", "n/a?", "row 3: bid_price"),
        ("timestamp", "yesterday", "row 3: timestamp"),
        ("expiry", "", "row 3: expiry"),
    ],
)
def test_a_bad_cell_is_named(tmp_path, column, value, message):
    frame = table().astype({column: object})
    frame.loc[2, column] = value
    with pytest.raises(DataError, match=message):
        ChainFile(write(tmp_path, frame)).chain()


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        ChainFile(tmp_path / "none.csv").chain()
    with pytest.raises(DataError, match="unknown kind"):
        ChainFile(write(tmp_path, table()).rename(tmp_path / "chains.xls")).chain()
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(DataError, match="holds no options"):
        ChainFile(empty).chain()
    with pytest.raises(DataError, match="holds no options"):
        ChainFile(write(tmp_path, table().iloc[:0], "none.csv")).chain()
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"not parquet")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        ChainFile(broken).chain()
    with pytest.raises(DataError, match=r"column strike, ask_price is missing"):
        ChainFile(write(tmp_path, table().drop(columns=["strike", "ask_price"]), "c.csv")).chain()
