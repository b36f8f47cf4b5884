"""Bars from a file or a folder of files, checked row by row, on one timeline."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from holdfast_adapters.calendars.zones import zone_of
from holdfast_adapters.data.checks import check_bars, check_order
from holdfast_adapters.data.numbers import with_floats
from holdfast_adapters.data.reading import SUFFIXES, read_table, suffix_of, symbol_of
from holdfast_adapters.data.refusals import at_row, first_true, listed, refusing, shown
from holdfast_adapters.data.span import Span, span_of
from holdfast_adapters.data.stamps import with_utc
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData, utc_from_us


def load_bars(
    path: Path,
    *,
    timezone: str | None = None,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    symbols: Sequence[str] | None = None,
) -> MarketData:
    """Return the bars in ``path``: a CSV or Parquet file, or a folder of them.

    The columns are ``timestamp`` (the end of the bar), the prices, ``volume`` and
    perhaps ``symbol``; without it the symbol is the file's name. Naive time stamps
    are read in ``timezone``, an IANA name. ``start`` and ``end`` are included; a
    naive one is in ``timezone`` or UTC, a date as ``end`` means the whole day.

    The symbols come in the order of ``symbols``, or sorted; one without bars in the
    range is left out unless it was asked for. Every row of every file is checked,
    also outside of the range. The digest depends on symbols and values alone.

    Raises:
        InputError: something is wrong with the data; it names file, row and column.
    """
    span = span_of(start, end, timezone)
    if timezone is not None:
        zone_of(timezone)
    frames: dict[str, pl.DataFrame] = {}
    sources: dict[str, Path] = {}
    for file in _files(path):
        for symbol, frame in _by_symbol(_checked(file, timezone), file).items():
            _refuse_second(symbol, file, sources)
            frames[symbol] = frame
    chosen = _in_span(_chosen(frames, symbols, path), span, path, symbols)
    columns = {symbol: BarColumns(symbol, frame) for symbol, frame in chosen.items()}
    return MarketData(columns, digest_of(columns))


def digest_of(columns: Mapping[str, BarColumns]) -> str:
    """Return the SHA-256 of symbols and values, in hex; the order counts."""
    digest = hashlib.sha256()
    for symbol, column in columns.items():
        name = symbol.encode()
        digest.update(f"{len(name)}:{len(column)}:".encode() + name)
        digest.update(array("q", column.ends_us))
        for field in FIELDS:
            digest.update(array("d", column.values[field]))
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    with refusing(path, "a CSV or Parquet file, or a folder of them"):
        if not path.exists():
            raise InputError(
                str(path),
                "a CSV or Parquet file, or a folder of them",
                "nothing there",
                "check the path",
            )
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if _is_data(file))
    if not files:
        ends = ", ".join(SUFFIXES)
        raise InputError(
            str(path), f"files ending in {ends}", "a folder without any", "add one"
        )
    return files


def _is_data(file: Path) -> bool:
    hidden = file.name.startswith((".", "_"))
    return not hidden and suffix_of(file) is not None and not file.is_dir()


def _checked(file: Path, timezone: str | None) -> pl.DataFrame:
    frame = with_floats(with_utc(read_table(file), file, timezone), file)
    check_bars(frame, file)
    return frame


def _by_symbol(frame: pl.DataFrame, file: Path) -> dict[str, pl.DataFrame]:
    """Split ``frame`` by symbol; each part is sorted and keeps its rows' numbers."""
    numbered = frame.with_row_index("row")
    if "symbol" not in frame.columns:
        parts = {symbol_of(file): numbered}
    else:
        named = numbered.with_columns(_names(frame["symbol"], file))
        split = named.partition_by("symbol", as_dict=True, maintain_order=True)
        parts = {str(key[0]): part for key, part in split.items()}
    for symbol, part in parts.items():
        stamps = pl.col("timestamp").dt.epoch("us")
        check_order(part.select("row", stamps), file, symbol)
    return {symbol: part.select("timestamp", *FIELDS) for symbol, part in parts.items()}


def _names(raw: pl.Series, file: Path) -> pl.Series:
    if not (raw.dtype.is_integer() or raw.dtype in (pl.String, pl.Categorical)):
        where = f"{file}, column 'symbol'"
        raise InputError(
            where, "names", f"a column of {raw.dtype}", "convert the column"
        )
    names = raw.cast(pl.String).str.strip_chars()
    row = first_true(names.is_null() | (names == ""))
    if row is not None:
        where = at_row(file, row, "symbol")
        raise InputError(where, "a symbol", "no value", "fill it in, or drop the row")
    return names


def _refuse_second(symbol: str, file: Path, sources: dict[str, Path]) -> None:
    if symbol in sources:
        raise InputError(
            str(file),
            "each symbol in one file",
            f"{shown(symbol)}, which is in {sources[symbol]} too",
            "join the two files, or take one away",
        )
    sources[symbol] = file


def _chosen(
    frames: dict[str, pl.DataFrame], symbols: Sequence[str] | None, path: Path
) -> dict[str, pl.DataFrame]:
    if symbols is None:
        return {symbol: frames[symbol] for symbol in sorted(frames)}
    for symbol in symbols:
        if symbol not in frames:
            raise InputError(
                str(path),
                f"bars of {shown(symbol)}",
                f"those of {listed(sorted(frames))}",
                "check the symbol, or add its data",
            )
    return {symbol: frames[symbol] for symbol in symbols}


def _in_span(
    frames: dict[str, pl.DataFrame],
    span: Span,
    path: Path,
    symbols: Sequence[str] | None,
) -> dict[str, pl.DataFrame]:
    if span.start_us is None and span.end_us is None:
        return frames
    cut = {symbol: _between(frame, span) for symbol, frame in frames.items()}
    kept = {symbol: frame for symbol, frame in cut.items() if len(frame)}
    if not kept or (symbols is not None and len(kept) < len(cut)):
        missing = [symbol for symbol in cut if symbol not in kept]
        ends = [frames[symbol]["timestamp"].dt.epoch("us") for symbol in missing]
        first, last = min(end[0] for end in ends), max(end[-1] for end in ends)
        came = f"none of {listed(missing)}"
        had = f"{utc_from_us(first).isoformat()} to {utc_from_us(last).isoformat()}"
        todo = f"choose a range within {had}"
        raise InputError(str(path), "bars from --start to --end", came, todo)
    return kept


def _between(frame: pl.DataFrame, span: Span) -> pl.DataFrame:
    stamps = pl.col("timestamp").dt.epoch("us")
    start = stamps >= span.start_us if span.start_us is not None else pl.lit(value=True)
    end = stamps <= span.end_us if span.end_us is not None else pl.lit(value=True)
    return frame.filter(start & end)
