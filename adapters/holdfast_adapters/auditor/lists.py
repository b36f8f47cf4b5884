"""Order lists: sent whole, and never more of their exits than what binds them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from .reading import Happening, Record
from .report import Check

_ZERO = Decimal(0)


class _Leg(NamedTuple):
    list_id: str
    role: str
    quantity: Decimal


def check_lists(records: Sequence[Record], venue: Sequence[Happening]) -> list[Check]:
    """Return the checks of orders that are bound to each other."""
    return [
        Check("lists at the venue that are not whole", _not_whole(records, venue)),
        Check("exits filled beyond what binds them", _beyond(venue)),
    ]


def _not_whole(records: Sequence[Record], venue: Sequence[Happening]) -> list[str]:
    """Look for lists of which the venue has a part, or has it bound otherwise."""
    there = {
        row.order_id: row.fields.get("leg") for row in venue if row.kind == "submitted"
    }
    lists: dict[str, dict[str, Any]] = defaultdict(dict)
    for record in records:
        leg = record.fields.get("leg")
        if record.kind == "OrderIntended" and isinstance(leg, dict):
            lists[str(leg.get("list_id"))][record.order_id] = leg
    findings = []
    for name, legs in lists.items():
        found = [order for order in legs if order in there]
        if found and len(found) < len(legs):
            findings.append(f"{name}: the venue has {len(found)} of {len(legs)} legs")
        findings += [
            f"{order}: intended as {legs[order]}, at the venue as {there[order]}"
            for order in found
            if there[order] != legs[order]
        ]
    return findings


def _beyond(venue: Sequence[Happening]) -> list[str]:
    """Follow the fills of each list, in the order in which they happened.

    What an order trades beyond its own quantity is an over-fill: it is counted
    elsewhere, and not here. Exits of a bracket trade no more than their entry has.
    """
    legs = {row.order_id: leg for row in venue if (leg := _leg(row)) is not None}
    lists: dict[str, dict[str, _Leg]] = defaultdict(dict)
    for order, each in legs.items():
        lists[each.list_id][order] = each
    filled: dict[str, Decimal] = defaultdict(Decimal)
    findings: dict[str, str] = {}
    for row in venue:
        leg = legs.get(row.order_id)
        if row.kind != "executed" or leg is None:
            continue
        filled[row.order_id] += _number(row.fields, "quantity")
        limit, exited = _bounds(lists[leg.list_id], filled)
        if exited > limit:
            findings.setdefault(
                leg.list_id,
                f"{leg.list_id}: event {row.number} makes its exits {exited}, and "
                f"{limit} binds them",
            )
    return list(findings.values())


def _bounds(
    legs: Mapping[str, _Leg], filled: Mapping[str, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return what the exits of a list may trade by now, and what they did."""
    entry, exited, quantity = None, _ZERO, _ZERO
    for order, leg in legs.items():
        traded = min(filled.get(order, _ZERO), leg.quantity)
        quantity = max(quantity, leg.quantity)
        if leg.role == "entry":
            entry = traded
        else:
            exited += traded
    return (quantity if entry is None else entry), exited


def _leg(row: Happening) -> _Leg | None:
    leg = row.fields.get("leg")
    if row.kind != "submitted" or not isinstance(leg, dict):
        return None
    quantity = _number(row.fields, "quantity")
    return _Leg(str(leg.get("list_id")), str(leg.get("role")), quantity)


def _number(fields: Mapping[str, Any], name: str) -> Decimal:
    try:
        return Decimal(str(fields.get(name)))
    except InvalidOperation:
        return _ZERO
