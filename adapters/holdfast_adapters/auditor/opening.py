"""What an account had before the engine came, where the venue's record tells it.

An engine knows of its own capital alone, until its first comparison with the account
books what is there besides. From then on its books of that unit are all that the venue
has, and not only what was traded, so they are compared as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .reading import Happening, Record, number


def beside_capital(
    records: Sequence[Record], venue: Sequence[Happening]
) -> list[tuple[str, Decimal]]:
    """Return what the account had besides the capital, of units that were adjusted.

    A unit has the name by which the journal calls it. Of one that was never adjusted
    nothing is said: nobody has claimed to know it.
    """
    capital: dict[str, Decimal] = defaultdict(Decimal)
    for each in records:
        if each.kind == "CapitalAllotted":
            money = each.fields.get("money")
            if isinstance(money, dict):
                capital[str(money.get("currency"))] += number(money.get("amount"))
    adjusted = {
        (str(each.fields.get("venue")), str(each.fields.get("unit")))
        for each in records
        if each.kind == "BooksAdjusted"
    }
    found = []
    for row in venue:
        if row.kind == "opened":
            name = _called(row, adjusted)
            if name:
                amount = number(row.fields.get("amount"))
                found.append((name, amount - capital.pop(name, Decimal(0))))
    return found


def _called(row: Happening, adjusted: set[tuple[str, str]]) -> str:
    """Return the name by which a unit was adjusted; empty if it was not."""
    get: Any = row.fields.get
    for name in (str(get("unit")), *map(str, get("symbols", ()))):
        for venue, unit in adjusted:
            if unit == name and row.venue in ("", venue):
                return name
    return ""
