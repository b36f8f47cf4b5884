"""The data that ships with Holdfast is what its README says."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.data import load_bars
from holdfast_domain.instruments import Instrument

FOLDER = Path(__file__).parents[3] / "examples" / "data"
ROW = re.compile(r"\| (\w+)\.parquet \| (\d+) \| (\S+) \| (\S+) \| ([0-9a-f]{64}) \|")


def rows_of_the_readme() -> list[tuple[str, ...]]:
    return ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))


def test_the_readme_tells_rows_dates_and_checksum_of_each_file() -> None:
    data = load_bars(FOLDER)
    told = rows_of_the_readme()
    assert [row[0] for row in told] == ["AAPL", "GOOG", "IBM", "MSFT"]
    assert list(data.symbols) == [row[0] for row in told]
    for symbol, rows, first, last, checksum in told:
        days = data.columns[symbol].frame["timestamp"].dt.date()
        assert len(days) == int(rows)
        assert (days[0], days[-1]) == tuple(map(date.fromisoformat, (first, last)))
        content = (FOLDER / f"{symbol}.parquet").read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum


def test_the_files_are_small_and_have_the_promised_columns() -> None:
    files = sorted(FOLDER.glob("*.parquet"))
    assert sum(file.stat().st_size for file in files) < 1_000_000
    for file in files:
        assert pl.read_parquet_schema(file) == {
            "timestamp": pl.Datetime("us", "UTC"),
            **dict.fromkeys(("open", "high", "low", "close", "volume"), pl.Float64()),
            "symbol": pl.String(),
        }


def test_no_split_is_left_in_the_prices() -> None:
    for column in load_bars(FOLDER).columns.values():
        moves = column.series["close"].pct_change().drop_nulls()
        assert moves.abs().max() < 0.6, column.symbol  # type: ignore[operator]


@pytest.mark.parametrize(
    ("symbol", "day", "close", "before", "volume"),
    [
        ("AAPL", "2000-06-21", 27.815, 25.3125, 17_500_000),
        ("AAPL", "2005-02-28", 44.86, 44.495, 23_271_800),
        ("MSFT", "2003-02-18", 24.96, 24.15, 57_415_500),
    ],
)
def test_a_split_changes_nothing_overnight(
    symbol: str, day: str, close: float, before: float, volume: float
) -> None:
    column = load_bars(FOLDER, end=day, symbols=[symbol]).columns[symbol]
    assert column.values["close"][-2:] == [before, close]
    assert column.values["volume"][-1] == volume


def test_every_bar_ends_with_a_session_of_new_york(tmp_path: Path) -> None:
    listed = {"IBM": Instrument(symbol="IBM", calendar="XNYS")}
    calendar = MarketCalendars(listed, tmp_path).calendar_of("IBM")
    assert calendar is not None
    ends = load_bars(FOLDER, symbols=["IBM"]).columns["IBM"].ends_us
    assert ends == list(calendar.closes_us(ends[0] - 1, ends[-1]))
