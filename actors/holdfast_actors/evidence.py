"""What a venue's word means for an order of ours: pure, one event to one record.

Evidence may come twice, late, or in another order than it happened. What is known
already, or says nothing of an order that has ended, makes no record.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import assert_never

from holdfast_actors.orderbook import OrderRow
from holdfast_actors.requests import Asked
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import (
    Acked,
    Busted,
    Corrected,
    Ended,
    Executed,
    Replaced,
    VenueEvent,
)

_DOUBTED = (OrderState.SENT, OrderState.UNKNOWN)
_CHANGING = (OrderState.REPLACE_PENDING, OrderState.CANCEL_PENDING)


def record_of(
    row: OrderRow, event: VenueEvent, asked: Asked, executions: Collection[str]
) -> ev.Event | None:
    """Return the record that ``event`` makes for ``row``; None where it is no news.

    ``executions`` are the execution ids that were booked.
    """
    match event:
        case Acked():
            return _accepted(row, event)
        case Executed():
            known = event.execution_id in executions
            return None if known else _filled(row, event)
        case Corrected() | Busted():
            return ev.StrayEvidence(venue=row.venue, text=repr(event))
        case Ended():
            return _ended(row, event) if row.is_open else None
        case Replaced():
            return _replaced(row, event, asked)
        case _:
            assert_never(event)


def latest(events: Sequence[VenueEvent]) -> Sequence[VenueEvent]:
    """Return ``events`` without the terms that later ones of them replaced."""
    if len(events) <= 1:
        return events
    last = None
    for event in events:
        last = event if isinstance(event, Replaced) else last
    return [e for e in events if not isinstance(e, Replaced) or e is last]


def _accepted(row: OrderRow, event: Acked) -> ev.Event | None:
    is_news = row.state in _DOUBTED or not row.venue_order_id
    if not row.is_open or not is_news:
        return None
    return ev.OrderAccepted(
        order_id=row.order_id,
        strategy=row.strategy,
        venue_order_id=event.venue_order_id,
    )


def _filled(row: OrderRow, event: Executed) -> ev.Event:
    filled = row.filled + event.quantity.value
    return ev.OrderFilled(
        fill=Fill(
            execution_id=event.execution_id,
            order_id=row.order_id,
            strategy=row.strategy,
            instrument=row.terms.instrument,
            side=row.terms.side,
            quantity=event.quantity,
            price=event.price,
            fee=event.fee,
            filled_at=event.filled_at,
        ),
        complete=filled >= row.terms.quantity.value,
    )


def _replaced(row: OrderRow, event: Replaced, asked: Asked) -> ev.Event | None:
    if asked is Asked.LOOKUP:
        # The history of an order: its last terms hold, and may be known.
        is_news = row.is_open and event.terms != row.terms
    else:
        is_news = row.state in _CHANGING
    if not is_news:
        return None
    return ev.OrderReplaced(
        order_id=row.order_id, strategy=row.strategy, terms=event.terms
    )


def _ended(row: OrderRow, event: Ended) -> ev.Event:
    names = {"order_id": row.order_id, "strategy": row.strategy}
    if event.how == "expired":
        return ev.OrderExpired(**names)
    if event.how == "rejected":
        return ev.OrderRejected(**names, reason=event.reason, code=event.code)
    return ev.OrderCanceled(**names, reason=event.reason)
