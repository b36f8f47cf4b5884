"""The two files as the auditor reads them: rows, and nothing that was derived."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

_DECODER = json.JSONDecoder()
NAN = Decimal("NaN")


class Record(NamedTuple):
    """One record of the journal."""

    sequence: int
    epoch: int
    cursor: int
    market_time_us: int
    wall_time_us: int
    kind: str
    body: str
    hash: bytes
    fields: Mapping[str, Any]
    order_id: str
    """The order that the record is about, or nothing."""


class Happening(NamedTuple):
    """One row of the venue's own record."""

    number: int
    kind: str
    order_id: str
    fields: Mapping[str, Any]
    venue: str = ""
    """Whose record it is; empty where there is one alone."""


def read_journal(path: Path) -> list[Record]:
    """Return the records of the journal at ``path`` in their order, archive first.

    Raises:
        sqlite3.Error: it is no journal.
    """
    question = (
        "SELECT sequence, epoch, cursor, market_time_us, wall_time_us, kind, body, "
        "hash FROM records ORDER BY sequence"
    )
    rows: list[Any] = []
    archived = sorted((path.parent / "archive").glob("records-*.sqlite"))
    for file in [*archived, path]:
        last = rows[-1][0] if rows else 0
        # A segment whose records are still in the next file was not finished.
        rows += [row for row in _rows(file, question) if row[0] > last]
    return [record(*row) for row in rows]


def read_venue(path: Path, venue: str = "") -> list[Happening]:
    """Return what happened at the venue whose record is at ``path``, in order.

    ``venue`` names it, where there are several.

    Raises:
        sqlite3.Error: it is no record of a venue.
    """
    question = "SELECT number, kind, order_id, body FROM events ORDER BY number"
    return [
        happening(number, kind, order_id, body, venue)
        for number, kind, order_id, body in _rows(path, question)
    ]


def record(
    sequence: int,
    epoch: int,
    cursor: int,
    market_time_us: int,
    wall_time_us: int,
    kind: str,
    body: str,
    digest: bytes,
) -> Record:
    """Return a record of the journal from the columns of its row."""
    head = (sequence, epoch, cursor, market_time_us, wall_time_us)
    fields = _fields(body)
    fill = fields.get("fill")
    holder = fill if isinstance(fill, dict) else fields
    order_id = str(holder.get("order_id", ""))
    return Record(*head, kind, body, digest, fields, order_id)


def happening(
    number: int, kind: str, order_id: str, body: str, venue: str = ""
) -> Happening:
    """Return what happened at the venue from the columns of its row."""
    return Happening(number, kind, order_id, _fields(body), venue)


def _rows(path: Path, question: str) -> list[Any]:
    # Read-only: whoever audits must not change, nor create, what is audited.
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as file:
        return file.execute(question).fetchall()


def _fields(body: str) -> Mapping[str, Any]:
    """Return the fields; a torn body has none, and the chain of hashes names it."""
    try:
        fields, end = _DECODER.raw_decode(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) and end == len(body) else {}


def number(value: object) -> Decimal:
    """Return what is written; NaN equals nothing, so that it is found by any check."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return NAN
