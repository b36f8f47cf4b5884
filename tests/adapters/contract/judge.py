"""The verdict on a case: what the port says, against the venue's own record.

It is read as the auditor reads it, and shares nothing with the adapter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from holdfast_adapters.auditor.reading import Happening, read_venue
from holdfast_domain.money import ZERO
from holdfast_domain.ports import (
    Corrected,
    Ended,
    Executed,
    Found,
    Replaced,
    VenueEvent,
)

from .face import Face


async def judge(face: Face) -> None:
    """Compare, order by order, all that the venue has with all that the port says."""
    rows = read_venue(face.record)
    sent = Counter(row.order_id for row in rows if row.kind == "submitted")
    assert not [order for order, times in sent.items() if times > 1], "sent twice"
    by_order: dict[str, list[Happening]] = defaultdict(list)
    for row in rows:
        if row.order_id:
            by_order[row.order_id].append(row)
    events = (await face.venue.executions_since("")).events
    assert [told(each) for each in events if not _says_again(each, events)] == [
        recorded(row.order_id, row.fields) for row in rows if row.kind == "executed"
    ]
    for order_id, story in by_order.items():
        await _judge_order(face, order_id, story)
    working = {
        order_id
        for order_id, story in by_order.items()
        if not _has_ended(story) and _filled(story) < _quantity(story)
    }
    listed = (await face.venue.open_orders()).orders
    assert {each.order_id for each in listed} == working


async def _judge_order(face: Face, order_id: str, story: list[Happening]) -> None:
    found = await face.venue.lookup(order_id)
    assert isinstance(found, Found)
    assert (found.instrument, found.side.value) == (
        face.symbol,
        story[0].fields["side"],
    )
    assert found.quantity.value == _quantity(story)
    assert found.cumulative is not None
    assert found.cumulative.value == _filled(story)
    fills = [told(each) for each in found.events if isinstance(each, Executed)]
    assert fills == [
        recorded(order_id, row.fields) for row in story if row.kind == "executed"
    ]
    ends = [each for each in found.events if isinstance(each, Ended)]
    assert len(ends) == _has_ended(story)
    # A venue that changes orders in place tells the terms that hold, old or new.
    changes = [each for each in found.events if isinstance(each, Replaced)]
    assert bool(changes) >= any(row.kind == "replaced" for row in story)
    assert all(each.terms.quantity == found.quantity for each in changes[-1:])


def _says_again(event: object, said: Sequence[VenueEvent]) -> bool:
    """Tell whether it is a correction to what its execution says anyway."""
    return isinstance(event, Corrected) and any(
        isinstance(each, Executed)
        and each.execution_id == event.execution_id
        and (each.quantity, each.price, each.fee)
        == (event.quantity, event.price, event.fee)
        for each in said
    )


def told(event: object) -> tuple[object, ...]:
    assert isinstance(event, Executed)
    return (
        event.order_id,
        event.execution_id,
        event.quantity.value,
        event.price.value,
        event.fee.amount,
        event.fee.currency,
        event.cumulative.value,
    )


def recorded(order_id: str, fields: Any) -> tuple[object, ...]:
    fee = fields["fee"]
    return (
        order_id,
        fields["execution_id"],
        Decimal(fields["quantity"]),
        Decimal(fields["price"]),
        Decimal(fee["amount"]),
        fee["currency"],
        Decimal(fields["cumulative"]),
    )


def _filled(story: list[Happening]) -> Decimal:
    parts = (Decimal(r.fields["quantity"]) for r in story if r.kind == "executed")
    return sum(parts, ZERO)


def _has_ended(story: list[Happening]) -> bool:
    return any(row.kind == "ended" for row in story)


def _quantity(story: list[Happening]) -> Decimal:
    terms = [r.fields["terms"] for r in story if r.kind == "replaced"]
    return Decimal((terms[-1] if terms else story[0].fields)["quantity"])
