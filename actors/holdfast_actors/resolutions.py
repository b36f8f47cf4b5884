"""What a person says of an order in doubt, as records: pure.

It counts like any evidence, and is taken back when the venue speaks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from holdfast_actors.evidence import said_id
from holdfast_actors.orderbook import OrderRow
from holdfast_actors.requests import Resolve
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.money import ZERO, Money, Quantity
from holdfast_domain.orders import OrderState


def refusal(row: OrderRow | None, message: Resolve) -> str:
    """Return why a person's word cannot be taken; empty if it can."""
    if row is None:
        return f"expected the id of an order, got {message.order_id!r}"
    if row.state is not OrderState.UNKNOWN:
        return f"{row.order_id}: expected an unknown order, was {row.state.value}"
    if message.quantity is None:
        if row.filled or row.venue_order_id:
            return f"{row.order_id}: expected --filled, for the venue had the order"
        return ""
    least, most = row.filled, row.terms.quantity.value
    if not least <= message.quantity.value <= most or not message.quantity.value:
        return (
            f"{row.order_id}: expected a quantity from {least} to {most}, "
            f"got {message.quantity.value}"
        )
    return ""


def records_of(row: OrderRow, message: Resolve, now: datetime) -> list[ev.Event]:
    """Return the records of a person's word that was not refused.

    The quantity is all that was filled: what is booked already is not booked again.
    """
    outcome: Literal["filled", "not_placed"] = "not_placed"
    records: list[ev.Event] = []
    if message.quantity is not None and message.price is not None:
        outcome = "filled"
        units = message.quantity - Quantity(row.filled)
        if units.value:
            assert row.reserved is not None
            records.append(
                ev.OrderFilled(
                    fill=Fill(
                        execution_id=said_id(row.order_id, row.resolutions + 1),
                        order_id=row.order_id,
                        strategy=row.strategy,
                        instrument=row.terms.instrument,
                        side=row.terms.side,
                        quantity=units,
                        price=message.price,
                        fee=Money(ZERO, row.reserved.currency),
                        filled_at=now,
                    ),
                    complete=message.quantity.value >= row.terms.quantity.value,
                )
            )
    records.append(
        ev.OrderResolved(
            order_id=row.order_id,
            strategy=row.strategy,
            outcome=outcome,
            by=message.by,
            because=message.because,
        )
    )
    return records
