"""Option chains from Parquet or CSV, in the columns of Deribit's book summaries; nothing is filled in silence.

One row an option at a moment: `timestamp`, `expiry` (ISO 8601, datetimes or unix seconds), `option_type` (call or
put), `strike`, `bid_price` and `ask_price` (empty for none), `underlying_price` (the forward of that expiry, USD).
Optional: `index_price` (spot, USD; else the shortest expiry's forward stands for it), `quoted_at`. Prices are in
units of the underlying (inverse options), or in USD with `inverse=False`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from keeper.errors import DataError
from keeper.pricing.option_chain import OptionChain

NEEDED = (
    "timestamp",
    "expiry",
    "option_type",
    "strike",
    "bid_price",
    "ask_price",
    "underlying_price",
)
OPTIONAL = ("index_price", "quoted_at")
KINDS = {"call": True, "c": True, "put": False, "p": False}


@dataclass(frozen=True, slots=True)
class ChainFile:
    """A file of one or many chains. `delay_s` is how long after `timestamp` the quotes were read."""

    path: Path
    underlying: str = "ETH"
    inverse: bool = True
    delay_s: int = 0

    def chains(self) -> Iterator[OptionChain]:
        """Every moment of the file, in order. DataError names the file, and the row (1 is the first) at fault."""
        frame = self._table()
        for moment, rows in frame.groupby("moment", sort=True):
            yield self._chain(int(str(moment)), rows)

    def chain(self, at_s: int | None = None) -> OptionChain:
        """The last moment at or before `at_s` (unix seconds), by default the file's last."""
        frame = self._table()
        known = frame if at_s is None else frame[frame["moment"] <= at_s]
        if known.empty:
            raise DataError(f"{self.path}: no chain at or before {at_s}")
        moment = int(known["moment"].max())
        return self._chain(moment, known[known["moment"] == moment])

    def _table(self) -> pd.DataFrame:
        raw = read_table(self.path)
        missing = [name for name in NEEDED if name not in raw.columns]
        if missing:
            raise DataError(
                f"{self.path}: column {', '.join(missing)} is missing; found {', '.join(raw.columns)}"
            )
        if raw.empty:
            raise DataError(f"{self.path}: holds no options")
        kind = raw["option_type"].astype(str).str.lower().map(KINDS)
        self._refuse(kind.isna(), raw["option_type"], "option_type", "call or put")
        columns = {name: self._numbers(raw, name) for name in NEEDED[3:]}
        spot = (
            self._numbers(raw, "index_price") if "index_price" in raw else np.full(len(raw), np.nan)
        )
        return pd.DataFrame(
            {
                "moment": self._seconds(raw, "timestamp"),
                "expiry_s": self._seconds(raw, "expiry"),
                "is_call": kind.astype(bool).to_numpy(),
                **columns,
                "index_price": spot,
                "quoted_at": self._seconds(raw, "quoted_at").astype(np.float64)
                if "quoted_at" in raw
                else np.full(len(raw), np.nan),
            }
        )

    def _chain(self, moment: int, rows: pd.DataFrame) -> OptionChain:
        forward = rows["underlying_price"].to_numpy()
        unit = forward if self.inverse else np.ones(len(rows))
        spot = float(rows["index_price"].median())
        if not np.isfinite(spot):
            near = rows["expiry_s"] == rows["expiry_s"].min()
            spot = float(rows.loc[near, "underlying_price"].median())
        return OptionChain(
            source=f"{self.path.name} at {moment}",
            underlying=self.underlying,
            read_at_s=moment + self.delay_s,
            spot_usd=spot,
            expiry_s=rows["expiry_s"].to_numpy(),
            strike_usd=rows["strike"].to_numpy(),
            is_call=rows["is_call"].to_numpy(),
            forward_usd=forward,
            bid_usd=rows["bid_price"].to_numpy() * unit,
            ask_usd=rows["ask_price"].to_numpy() * unit,
            quoted_at_s=rows["quoted_at"].to_numpy(),
        )

    def _numbers(self, raw: pd.DataFrame, name: str) -> NDArray[np.float64]:
        """Empty cells become NaN, which is how a side without a quote is told; text is refused."""
        values = pd.to_numeric(raw[name], errors="coerce")
        self._refuse(values.isna() & raw[name].notna(), raw[name], name, "a number, or empty")
        return values.to_numpy(dtype=np.float64)

    def _seconds(self, raw: pd.DataFrame, name: str) -> NDArray[np.int64]:
        column = raw[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=np.float64)
            bad = ~np.isfinite(values)
            self._refuse(pd.Series(bad, index=column.index), column, name, "unix seconds")
            whole: NDArray[np.int64] = np.floor(values).astype(np.int64)
            return whole
        parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
        self._refuse(parsed.isna(), column, name, "ISO 8601 or unix seconds")
        moments = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
        seconds: NDArray[np.int64] = moments.astype(np.int64)
        return seconds

    def _refuse(self, bad: pd.Series, column: pd.Series, name: str, wanted: str) -> None:
        if bad.any():
            row = int(np.flatnonzero(bad.to_numpy())[0])
            raise DataError(
                f"{self.path}: row {row + 1}: {name} is {column.iloc[row]!r}, it must be {wanted}"
            )


def read_table(path: Path) -> pd.DataFrame:
    """A .parquet or .csv file; DataError says what is wrong with it."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".csv":
            return pd.read_csv(path, skipinitialspace=True)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: give a CSV or Parquet file of options") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path}: holds no options") from None
    except (OSError, ValueError) as error:  # pyarrow and pandas raise subclasses of these
        raise DataError(f"{path} cannot be read as {path.suffix[1:]}: {error}") from None
    raise DataError(f"{path}: unknown kind of file {path.suffix!r}, use .csv or .parquet")
