"""Words for what is wrong with a file: where, what came, and nothing unprintable."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from holdfast_domain.errors import InputError

SHOWN_MAX = 60
"""Characters of a user's value that an error repeats."""


def shown(value: object) -> str:
    """Return ``value`` as short printable text on one line."""
    text = str(value) if isinstance(value, int | float) else repr(str(value))
    return brief(text if text.isprintable() else ascii(str(value)))


def brief(text: str) -> str:
    """Return ``text`` short and printable, for the reason that another code gave."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Return ``names`` as a list of words, cut after ``limit`` of them."""
    every = list(names)
    words = ", ".join(shown(name) for name in every[:limit]) or "none"
    rest = len(every) - limit
    return f"{words} and {rest} more" if rest > 0 else words


def refusal(path: Path, row: int, column: str, expected: str, came: str) -> InputError:
    """Return the error of a value; ``row`` counts the data rows from 0."""
    return InputError(
        at_row(path, row, column), expected, came, "correct or drop the row"
    )


def at_row(path: Path, row: int, column: str) -> str:
    """Return where a value stands; ``row`` counts the data rows from 0."""
    return f"{path}, row {row + 1}, column {column!r}"


def first_true(mask: pl.Series) -> int | None:
    """Return the first row where ``mask`` holds, or ``None``; null does not hold."""
    return mask.fill_null(value=False).arg_max() if mask.any() else None


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Send what native code writes to standard error nowhere, for a moment.

    A panic of polars over a damaged file prints a page there before it is raised.
    """
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def refusing(path: Path, expected: str) -> Iterator[None]:
    """Turn whatever a reader raises over a bad file into one `InputError`."""
    try:
        yield
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        ValueError,
        EOFError,
    ) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = brief(lines[0])
        todo = "check the file, or write it anew"
        raise InputError(
            str(path), expected, f"one that cannot be read ({reason})", todo
        ) from error
