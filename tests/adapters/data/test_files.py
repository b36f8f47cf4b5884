"""Bars come in from any common form, on one timeline."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from holdfast_adapters.data import load_bars
from holdfast_domain.marketdata import MarketData, utc_from_us

HEADER = "timestamp,open,high,low,close,volume"
BAR = "1,2,0.5,1.5,10"
CLOSE = datetime(2020, 1, 2, 21, tzinfo=UTC)


def write(
    folder: Path, *rows: str, name: str = "SPY.csv", header: str = HEADER
) -> Path:
    path = folder / name
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def ends(data: MarketData, symbol: str = "SPY") -> list[datetime]:
    return [utc_from_us(end) for end in data.columns[symbol].ends_us]


def test_a_csv_file_without_symbols_is_called_by_its_name(tmp_path: Path) -> None:
    data = load_bars(write(tmp_path, f"2020-01-02T21:00:00Z,{BAR}"))
    assert data.symbols == ("SPY",)
    bar = data.columns["SPY"].bar(0)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (1, 2, 0.5, 1.5, 10)
    assert bar.ended_at == CLOSE


@pytest.mark.parametrize(
    "stamp",
    [
        "2020-01-02T21:00:00Z",
        "2020-01-02 21:00:00+00:00",
        "2020-01-02t16:00:00.000000-05:00",
        "2020-01-02 16:00 -0500",
        "2020-01-03T02:30+05:30",
        "1577998800",
        "1577998800000",
        "1577998800000000",
        "1577998800000000000",
    ],
)
def test_a_moment_is_read_however_it_is_written(tmp_path: Path, stamp: str) -> None:
    assert ends(load_bars(write(tmp_path, f"{stamp},{BAR}"))) == [CLOSE]


def test_a_file_may_mix_forms_and_offsets(tmp_path: Path) -> None:
    stamps = ["2020-01-02", "2020-01-02 16:00", "2020-01-03T21:00:00.5Z", "2020-01-04"]
    path = write(tmp_path, *(f"{stamp},{BAR}" for stamp in stamps))
    assert ends(load_bars(path, timezone="America/New_York")) == [
        datetime(2020, 1, 2, 5, tzinfo=UTC),
        CLOSE,
        datetime(2020, 1, 3, 21, 0, 0, 500_000, tzinfo=UTC),
        datetime(2020, 1, 4, 5, tzinfo=UTC),
    ]


def test_naive_stamps_follow_the_clock_changes_of_their_zone(tmp_path: Path) -> None:
    rows = [f"2008-03-07 16:00,{BAR}", f"2008-03-10 16:00,{BAR}"]
    data = load_bars(write(tmp_path, *rows), timezone="America/New_York")
    assert [end.hour for end in ends(data)] == [21, 20]


def test_digits_of_a_date_are_a_date_and_no_second_of_1970(tmp_path: Path) -> None:
    data = load_bars(write(tmp_path, f"20200102,{BAR}"), timezone="UTC")
    assert ends(data) == [datetime(2020, 1, 2, tzinfo=UTC)]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_parquet_keeps_its_moments(tmp_path: Path, unit: str, zone: str | None) -> None:
    stamps = pl.Series([CLOSE]).dt.convert_time_zone(zone or "UTC")
    stamps = stamps if zone else stamps.dt.replace_time_zone(None)
    frame = pl.DataFrame(
        {
            "volume": [10],
            "Timestamp": stamps.cast(pl.Datetime(unit, zone)),  # type: ignore[arg-type]
            "OPEN": pl.Series([0.1], dtype=pl.Float32),
            "high": [2],
            "low": ["0.05"],
            "close": pl.Series(["1.5"]).cast(pl.Decimal(10, 2)),
            "comment": ["ignored"],
        }
    )
    frame.write_parquet(tmp_path / "SPY.parquet")
    data = load_bars(tmp_path / "SPY.parquet", timezone=None if zone else "UTC")
    assert ends(data) == [CLOSE]
    assert data.columns["SPY"].bar(0).open == 0.1


def test_a_long_file_is_split_by_symbol(tmp_path: Path) -> None:
    days = (1577998800, 1578085200)
    rows = [f"{day},{BAR},{symbol}" for day in days for symbol in "BA"]
    data = load_bars(write(tmp_path, *rows, header=f"{HEADER},Symbol"))
    assert data.symbols == ("A", "B")
    assert (data.bars, len(data)) == (4, 2)
    assert load_bars(tmp_path, symbols=["B", "A"]).symbols == ("B", "A")
    assert load_bars(tmp_path, symbols=["B"]).bars == 2


def test_a_folder_is_read_file_by_file_and_other_files_are_passed_over(
    tmp_path: Path,
) -> None:
    write(tmp_path, f"1577998800,{BAR}", name="B.csv")
    write(tmp_path, f"1577998800,{BAR}", name="A.CSV")
    text = f"{HEADER}\n1577998800,{BAR}\n".encode()
    (tmp_path / "C.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "README.md").write_text("not data", encoding="utf-8")
    (tmp_path / ".hidden.csv").write_text("not data", encoding="utf-8")
    assert load_bars(tmp_path).symbols == ("A", "B", "C")


def test_start_and_end_are_included_and_a_date_as_end_is_the_whole_day(
    tmp_path: Path,
) -> None:
    stamps = [f"2020-01-{day:02}T21:00:00Z" for day in (2, 3, 6, 7)]
    path = write(tmp_path, *(f"{stamp},{BAR}" for stamp in stamps))
    assert load_bars(path, start="2020-01-03", end="2020-01-06").bars == 2
    assert load_bars(path, start=stamps[1], end=stamps[2]).bars == 2
    assert load_bars(path, start=datetime(2020, 1, 3, 21, 0, 1, tzinfo=UTC)).bars == 2
    assert load_bars(path, end="9999-12-31").bars == 4
    tokyo = load_bars(path, timezone="Asia/Tokyo", end="2020-01-06")
    assert tokyo.bars == 2, "21:00 UTC is the next day in Tokyo"


def test_a_symbol_without_bars_in_the_range_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, f"2020-01-02T21:00:00Z,{BAR}", name="OLD.csv")
    write(tmp_path, f"2021-01-04T21:00:00Z,{BAR}", name="NEW.csv")
    assert load_bars(tmp_path, end="2020-12-31").symbols == ("OLD",)


def test_the_digest_is_of_values_and_not_of_files(tmp_path: Path) -> None:
    one = write(
        tmp_path, f"1577998800,{BAR},A", name="one.csv", header=f"{HEADER},symbol"
    )
    frame = load_bars(one).columns["A"].frame
    frame.write_parquet(tmp_path / "A.parquet")
    digest = load_bars(one).digest
    assert load_bars(tmp_path / "A.parquet").digest == digest
    other = frame.with_columns(pl.col("volume") + 1)
    other.write_parquet(tmp_path / "A.parquet")
    assert load_bars(tmp_path / "A.parquet").digest != digest
    frame.write_parquet(tmp_path / "B.parquet")
    assert load_bars(tmp_path / "B.parquet").digest != digest


def test_loading_imports_neither_pandas_nor_numpy(tmp_path: Path) -> None:
    path = write(tmp_path, f"1577998800,{BAR}")
    code = (
        "import sys; from pathlib import Path; "
        "from holdfast_adapters.data import load_bars; "
        f"load_bars(Path({str(path)!r})); "
        "print([name for name in ('pandas', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
