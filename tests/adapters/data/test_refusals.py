"""What is wrong with a file is said in one line: where, what came, what to do."""

from __future__ import annotations

import gzip
import os
import random
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from holdfast_adapters.data import load_bars
from holdfast_domain.errors import InputError

HEADER = "timestamp,open,high,low,close,volume"
GOOD = ("2020-01-02T21:00:00Z,1,2,0.5,1.5,10", "2020-01-03T21:00:00Z,1,2,0.5,1.5,10")


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(InputError) as caught:
        load_bars(path, **options)
    text = str(caught.value)
    assert text.isprintable()
    assert str(path) in text or text.startswith("--")
    return text.removeprefix(str(path))


def csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "SPY.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


BAD_THIRD_ROWS = {
    "1,2,0.5,1.5,": ("volume", "got no value"),
    "1,2,0.5,NaN,10": ("close", "got 'NaN'"),
    "1,inf,0.5,1.5,10": ("high", "got 'inf'"),
    "one,2,0.5,1.5,10": ("open", "got 'one'"),
    '1,2,0.5,"1,5",10': ("close", "got '1,5'"),
    "-1,2,0.5,1.5,10": ("open", "expected a price above 0, got -1.0"),
    "1,2,0,1.5,10": ("low", "expected a price above 0, got 0.0"),
    "1,2,0.5,1.5,-10": ("volume", "expected a volume of at least 0, got -10.0"),
    "1,2,2.5,1.5,10": ("high", "got 2.0 (low 2.5)"),
    "3,2,0.5,1.5,10": ("open", "got 3.0 (high 2.0)"),
    "1,2,0.5,0.4,10": ("close", "got 0.4 (low 0.5)"),
}


@pytest.mark.parametrize("values", BAD_THIRD_ROWS)
def test_a_bad_value_is_named_by_row_and_column(tmp_path: Path, values: str) -> None:
    column, came = BAD_THIRD_ROWS[values]
    text = refusal(csv(tmp_path, *GOOD, f"2020-01-06T21:00:00Z,{values}"))
    assert text.startswith(f", row 3, column {column!r}: expected ")
    assert came in text


def test_rounding_does_not_put_a_close_outside_of_its_bar(tmp_path: Path) -> None:
    path = csv(tmp_path, "1577998800,1,2,0.5,2.000000001,10")
    assert load_bars(path).bars == 1
    path = csv(tmp_path, "1577998800,1,2,0.5,2.00000001,10")
    assert ", row 1, column 'close'" in refusal(path)


BAD_STAMPS = {
    "": "got no value",
    "yesterday": "got 'yesterday'",
    "01/03/2020": "got '01/03/2020'",
    "2020-13-03": "got '2020-13-03'",
    "2020-01-03T21:00:00": "name the zone of the file's times, such as --tz America",
    "2020-01-01T21:00:00Z": "2020-01-01T21:00:00+00:00 after 2020-01-02T21:00:00+00:00",
    "2020-01-02T16:00:00-05:00": "got 2020-01-02T21:00:00+00:00 twice",
    "9999-01-03T21:00:00Z": "expected a time between 1800 and 2200",
}


@pytest.mark.parametrize("stamp", BAD_STAMPS)
def test_a_bad_time_stamp_is_named_by_row(tmp_path: Path, stamp: str) -> None:
    text = refusal(csv(tmp_path, GOOD[0], f"{stamp},1,2,0.5,1.5,10"))
    assert text.startswith(", row 2, column 'timestamp': expected ")
    assert BAD_STAMPS[stamp] in text


@pytest.mark.parametrize(
    ("stamp", "why"),
    [("2008-03-09 02:30", "does not exist"), ("2008-11-02 01:30", "exists twice")],
)
def test_a_local_time_must_exist_once(tmp_path: Path, stamp: str, why: str) -> None:
    path = csv(tmp_path, "2008-01-02 16:00,1,2,0.5,1.5,10", f"{stamp},1,2,0.5,1.5,10")
    text = refusal(path, timezone="America/New_York")
    assert text.startswith(", row 2, column 'timestamp'")
    assert why in text


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc", "America"])
def test_an_unknown_zone_is_refused(tmp_path: Path, zone: str) -> None:
    text = refusal(csv(tmp_path, *GOOD), timezone=zone)
    assert text.startswith("--tz: expected an IANA time zone, got")


def test_the_row_of_a_long_file_is_that_of_the_file(tmp_path: Path) -> None:
    rows = [f"{GOOD[1]},A", f"{GOOD[1]},B", f"{GOOD[0]},B"]
    text = refusal(csv(tmp_path, *rows, header=f"{HEADER},symbol"))
    assert text.startswith(", row 3, column 'timestamp'")
    assert "'B'" in text


@pytest.mark.parametrize(
    ("header", "came"),
    [
        ("timestamp,open,high,low,last,volume", "'last', 'volume', without close"),
        (
            "timestamp;open;high;low;close;volume",
            "'timestamp;open;high;low;close;volume'",
        ),
        (
            "timestamp,open,high,low,close,Close,volume",
            "one column 'close', got several",
        ),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, header: str, came: str) -> None:
    text = refusal(csv(tmp_path, *GOOD, header=header))
    assert text.startswith(", header: expected")
    assert came in text


def test_a_row_with_too_many_fields_is_named(tmp_path: Path) -> None:
    text = refusal(csv(tmp_path, *GOOD, "2020-01-06T21:00:00Z,1,5,2,0,5,1,5,10"))
    assert text.startswith(", row 3: expected 6 fields, as in the header, got 9")


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.csv.gz"])
@pytest.mark.parametrize("size", [0, 1, 3, 5_000])
def test_rubbish_and_emptiness_are_refused(
    tmp_path: Path, name: str, size: int
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x93" + random.Random(size).randbytes(size - 1) if size else b"")
    came = "expected bars" if size == 0 else "cannot be read"
    assert came in refusal(path)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    assert "a file without rows" in refusal(csv(tmp_path))
    frame = pl.DataFrame({name: [1.0] for name in HEADER.split(",")})
    frame.head(0).write_parquet(tmp_path / "x.parquet")
    assert "a file without rows" in refusal(tmp_path / "x.parquet")


def test_what_is_no_data_is_refused(tmp_path: Path) -> None:
    assert "nothing there" in refusal(tmp_path / "missing.csv")
    assert "a folder without any" in refusal(tmp_path)
    (tmp_path / "x.txt").write_text("text", encoding="utf-8")
    assert "ending in .csv, .csv.gz, .parquet, got 'x.txt'" in refusal(
        tmp_path / "x.txt"
    )


def test_a_symbol_in_two_files_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, *GOOD)
    (tmp_path / "SPY.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    text = refusal(tmp_path)
    assert "expected each symbol in one file, got 'SPY', which is in" in text


def test_a_wrong_range_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, *GOOD)
    assert refusal(path, start="2020-01-04", end="2020-01-03").endswith("swap them")
    assert "expected an ISO date or time, got 'soon'" in refusal(path, end="soon")
    text = refusal(path, start="2021-01-01")
    assert "choose a range within 2020-01-02T21:00:00+00:00 to 2020-01-03" in text
    with pytest.raises(InputError, match="expected bars of 'QQQ', got those of 'SPY'"):
        load_bars(path, symbols=["QQQ"])


def test_a_damaged_file_is_refused_or_read_and_nothing_else_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = csv(tmp_path, *GOOD)
    load_bars(path).columns["SPY"].frame.write_parquet(tmp_path / "SPY.parquet")
    rng = random.Random(7)
    for name, times in (("SPY.parquet", 250), ("SPY.csv", 150)):
        good = (tmp_path / name).read_bytes()
        for _ in range(times):
            damaged = bytearray(good)
            for _ in range(rng.randint(1, 5)):
                place = rng.randrange(4, len(good) - 4)
                damaged[place] = rng.choice([rng.randrange(256), 10, 34, 44, 45])
            (tmp_path / f"damaged-{name}").write_bytes(damaged)
            with suppress(InputError):
                load_bars(tmp_path / f"damaged-{name}")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, *GOOD)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "cannot be read" in refusal(path)
