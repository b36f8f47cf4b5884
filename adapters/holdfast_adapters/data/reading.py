"""One CSV or Parquet file as raw columns under the names that bars have."""

from __future__ import annotations

import codecs
import csv
import gzip
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import attrs
import polars as pl

from holdfast_adapters.data.refusals import listed, refusing, shown, silent_stderr
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import FIELDS

SUFFIXES = (".csv", ".csv.gz", ".parquet")
STAMP_NAMES = ("timestamp", "datetime", "date")
"""What the column of time stamps may be called; the first that is there counts."""

_HEAD_BYTES = 65_536
_COLUMNS = f"timestamp, {', '.join(FIELDS)} and perhaps symbol"


@attrs.frozen
class Picked:
    """Where the wanted columns stand in a file: positions, and our names for them."""

    positions: list[int]
    names: list[str]


def suffix_of(path: Path) -> str | None:
    """Return which of `SUFFIXES` the file's name ends in, in any case."""
    name = path.name.lower()
    return next((end for end in SUFFIXES if name.endswith(end)), None)


def symbol_of(path: Path) -> str:
    """Return the file's name without its suffix: the symbol of its bars."""
    return path.name[: -len(suffix_of(path) or "")] or path.name


def read_table(path: Path) -> pl.DataFrame:
    """Return the rows of ``path``: timestamp, `FIELDS` and perhaps symbol, as read.

    A CSV file comes as text columns. Other columns are left out.

    Raises:
        InputError: there is no such file, or it is not what its name says.
    """
    suffix = suffix_of(path)
    if suffix is None:
        expected = f"a file ending in {', '.join(SUFFIXES)}"
        came, todo = shown(path.name), "convert it or rename it"
        raise InputError(str(path), expected, came, todo)
    with refusing(path, "a file of bars"):
        if path.stat().st_size == 0:
            raise _refused(path, "an empty file (0 bytes)")
    frame = _read_parquet(path) if suffix == ".parquet" else _read_csv(path)
    if frame.is_empty():
        raise _refused(path, "a file without rows")
    return frame


def _refused(path: Path, came: str) -> InputError:
    return InputError(
        str(path), f"bars in the columns {_COLUMNS}", came, "give it at least one row"
    )


def _read_parquet(path: Path) -> pl.DataFrame:
    with refusing(path, "a Parquet file"), silent_stderr():
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4))
            end = file.read(4)
        if (start, end) != (b"PAR1", b"PAR1"):
            message = "it does not start and end as one, or is cut off"
            raise ValueError(message)
        names = list(pl.read_parquet_schema(path))
        picked = _pick(path, names)
        wanted = [names[position] for position in picked.positions]
        frame = pl.read_parquet(path, columns=wanted, glob=False)
    return frame.select(wanted).rename(dict(zip(wanted, picked.names, strict=True)))


def _read_csv(path: Path) -> pl.DataFrame:
    with refusing(path, "a CSV file (UTF-8 text)"):
        header = _header(path)
    picked = _pick(path, header)
    try:
        frame = pl.read_csv(
            path, columns=picked.positions, infer_schema=False, glob=False
        )
    except pl.exceptions.NoDataError as error:
        raise _refused(path, "a file without rows") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        _refuse_ragged(path, len(header))
        with refusing(path, "a CSV file (UTF-8 text)"):
            raise
    frame.columns = picked.names
    # A blank line reads as a row of nulls; at the end of a file it means nothing.
    empty = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    return frame.head(len(frame) - _trailing(empty))


def _trailing(empty: pl.Series) -> int:
    if empty.is_empty() or not empty[-1]:
        return 0
    kept = (~empty).reverse().arg_max() if not empty.all() else len(empty)
    return int(kept or 0)


def _header(path: Path) -> list[str]:
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opened(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if b"\0" in head:
        message = "it holds binary data"
        raise ValueError(message)
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    lines = text.splitlines()
    return next(csv.reader(lines[:1]), []) if lines else []


def _refuse_ragged(path: Path, width: int) -> None:
    """Name the first row that has more fields than the header, if there is one."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with (
        refusing(path, "a CSV file (UTF-8 text)"),
        opened(path, "rt", encoding="utf-8-sig", newline="") as file,
    ):
        rows = csv.reader(file)
        next(rows, None)
        for number, row in enumerate((row for row in rows if row), start=1):
            if len(row) > width:
                raise InputError(
                    f"{path}, row {number}",
                    f"{width} fields, as in the header",
                    f"{len(row)}",
                    "quote the fields that hold a comma, or drop the row",
                )


def _pick(path: Path, names: Sequence[str]) -> Picked:
    """Find the wanted columns among ``names``, in any case and order."""
    lower = [name.strip().lower() for name in names]
    stamp = next((name for name in STAMP_NAMES if name in lower), "timestamp")
    wanted = {stamp: "timestamp"} | {name: name for name in (*FIELDS, "symbol")}
    missing = [
        wanted[name] for name in wanted if name not in lower and name != "symbol"
    ]
    if missing:
        raise InputError(
            f"{path}, header",
            f"the columns {_COLUMNS}",
            f"{listed(names)}, without {', '.join(missing)}",
            "name the columns in the first row, separated by commas",
        )
    twice = [name for name in wanted if lower.count(name) > 1]
    if twice:
        raise InputError(
            f"{path}, header",
            f"one column {twice[0]!r}",
            "several",
            "rename the others",
        )
    found = [
        (position, wanted[name])
        for position, name in enumerate(lower)
        if name in wanted
    ]
    return Picked([position for position, _ in found], [name for _, name in found])
