"""What changes a fill after it was booked: the venue's corrections, a person's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .reading import Happening, Record

CORRECTING = frozenset({"FillCorrected", "FillBusted"})
"""What is written of a fill after it was booked."""


class Corrections(NamedTuple):
    """The corrections of both sides, by the venue's id of each."""

    booked: Counter[str]
    made: Mapping[str, str]
    """Which execution each of the venue's corrects."""


class Words(NamedTuple):
    """What persons said was filled, and the venue has not overruled."""

    fills: frozenset[str]
    orders: frozenset[str]


def corrections_of(
    records: Sequence[Record],
    venue: Sequence[Happening],
    places: Mapping[str, str],
) -> Corrections:
    """Return the corrections that we booked, and those that the venue made.

    ``places`` has the venue of each order, where there are several.
    """
    booked = Counter(
        _named(record.fields, "correction_id", places.get(record.order_id, ""))
        for record in records
        if record.kind in CORRECTING
    )
    made = {
        _named(row.fields, "correction_id", row.venue): _named(
            row.fields, "execution_id", row.venue
        )
        for row in venue
        if row.kind in ("corrected", "busted")
    }
    return Corrections(booked, made)


def words_of(records: Sequence[Record]) -> Words:
    """Return the words that stand: with a name and a reason, and not taken back.

    The fill is the record before the word itself; the venue knows nothing of it.
    """
    fills: dict[str, str] = {}
    last = ""
    for record in records:
        order = record.order_id
        if is_word(record) and record.fields.get("outcome") == "filled":
            fills[order] = last
        elif record.kind == "OrderReopened":
            fills.pop(order, None)
        fill = record.fields.get("fill")
        name = str(fill.get("execution_id")) if isinstance(fill, dict) else ""
        last = name if name.startswith(f"person:{order}:") else ""
    return Words(frozenset(fills.values()) - {""}, frozenset(fills))


def is_word(record: Record) -> bool:
    """Tell whether a person said what became of an order, by name and with a reason."""
    get = record.fields.get
    return record.kind == "OrderResolved" and bool(get("by") and get("because"))


def _named(fields: Mapping[str, Any], name: str, venue: str) -> str:
    value = str(fields.get(name))
    return f"{venue}/{value}" if venue else value
