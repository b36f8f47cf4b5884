"""What a venue's word means for an order of ours: pure, one event to one record.

Evidence may come twice, late, or in another order than it happened. What is known
already, or says nothing of an order that has ended, makes no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, assert_never

from msgspec.structs import replace

from holdfast_actors.executions import Executions
from holdfast_actors.orderbook import OrderRow
from holdfast_actors.requests import Asked
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.money import Quantity
from holdfast_domain.orders import OrderState, OrderTerms
from holdfast_domain.ports import (
    Acked,
    Busted,
    Corrected,
    Ended,
    Executed,
    Found,
    Replaced,
    VenueEvent,
)

_DOUBTED = (OrderState.SENT, OrderState.UNKNOWN)
_CHANGING = (OrderState.REPLACE_PENDING, OrderState.CANCEL_PENDING)


def record_of(
    row: OrderRow, event: VenueEvent, asked: Asked, executions: Executions
) -> ev.Event | None:
    """Return the record that ``event`` makes for ``row``; None where it is no news."""
    # The commonest by their very classes: a pattern is slow.
    if type(event) is Acked:
        return _accepted(row, event)
    if type(event) is Executed:
        known = event.execution_id in executions.ids
        return None if known else _filled(row, event)
    match event:
        case Corrected():
            return _corrected(row, event, executions)
        case Busted():
            return _busted(row, event, executions)
        case Ended():
            return _ended(row, event, asked) if row.is_open else None
        case Replaced():
            return _replaced(row, event, asked)
        case _:
            assert_never(event)


def misfit(row: OrderRow, story: Found, skew_us: int) -> str:
    """Return why ``story`` cannot be of ``row``'s order; empty if it can.

    Instrument, side and quantity are those of the order, as it is, was to become, or
    became by what the story tells; and it was not placed before its intent.
    """
    terms = row.terms
    quantities = {terms.quantity}
    if row.wanted is not None:
        quantities.add(row.wanted.quantity)
    for event in story.events:
        if isinstance(event, Replaced):
            quantities.add(event.terms.quantity)
    if (story.instrument, story.side) != (terms.instrument, terms.side):
        return f"expected {_text(terms)}, was {story.instrument} {story.side.value}"
    if story.quantity.value and story.quantity not in quantities:
        return f"expected {_text(terms)}, was a quantity of {story.quantity.value}"
    if story.placed_at_us + skew_us < row.intended_us:
        early_s = (row.intended_us - story.placed_at_us) / 1_000_000
        return f"expected it after its intent, was {early_s:g} s before"
    return ""


def _text(terms: OrderTerms) -> str:
    return f"{terms.instrument} {terms.side.value} {terms.quantity.value}"


def overrules(row: OrderRow, event: VenueEvent, executions: Executions) -> bool:
    """Tell whether ``event`` shows that an order that had ended without it is there.

    It does for an order that counts as not placed, and for one that a person resolved.
    """
    if not row.resolved and row.state is not OrderState.NOT_PLACED:
        return False
    if isinstance(event, Executed):
        return event.execution_id not in executions.ids
    if isinstance(event, Ended):
        return event.how != "rejected"
    return isinstance(event, Acked)


def reopening(
    row: OrderRow, event: VenueEvent, executions: Executions
) -> list[ev.FillBusted | ev.OrderReopened]:
    """Return the records that take back how ``row`` ended; then it is in doubt."""
    records: list[ev.FillBusted | ev.OrderReopened] = []
    filled, names = row.filled, {"order_id": row.order_id, "strategy": row.strategy}
    said = executions.fill_of(said_id(row.order_id, row.resolutions))
    if row.resolved and said is not None:
        filled -= said.quantity.value
        records.append(
            ev.FillBusted(
                **names,
                correction_id=f"overruled:{said.execution_id}",
                execution_id=said.execution_id,
                was=said,
                reason="overruled by the venue",
            )
        )
    assert row.reserved is not None
    records.append(
        ev.OrderReopened(
            **names,
            terms=row.terms,
            reserved=row.reserved,
            filled=Quantity(filled),
            why=f"the venue says: {type(event).__name__.lower()}",
        )
    )
    return records


def said_id(order_id: str, number: int) -> str:
    """Return the execution id of what a person said was filled, the n-th time."""
    return f"person:{order_id}:{number}"


def is_unasked(row: OrderRow, event: VenueEvent, asked: Asked) -> bool:
    """Tell whether the stream tells of new terms that nobody here has asked for.

    They may be a venue's own, or a person's; or old ones that come late. A lookup tells
    which terms hold.
    """
    if asked is not Asked.STREAM or not isinstance(event, Replaced):
        return False
    return row.is_open and event.terms not in (row.terms, row.wanted)


def latest(events: Sequence[VenueEvent]) -> Sequence[VenueEvent]:
    """Return ``events`` without the terms that later ones of them replaced."""
    last = None
    for event in events:
        if type(event) is Replaced:
            last = event
    if last is None:
        return events
    return [e for e in events if type(e) is not Replaced or e is last]


def _accepted(row: OrderRow, event: Acked) -> ev.Event | None:
    is_doubted = row.state in _DOUBTED
    if not is_doubted and (row.venue_order_id or not row.is_open):
        return None
    return ev.OrderAccepted(
        order_id=row.order_id,
        strategy=row.strategy,
        venue_order_id=event.venue_order_id,
    )


def _filled(row: OrderRow, event: Executed) -> ev.OrderFilled:
    terms, filled = row.terms, row.filled + event.quantity.value
    return ev.OrderFilled(
        fill=Fill(
            execution_id=event.execution_id,
            order_id=row.order_id,
            strategy=row.strategy,
            instrument=terms.instrument,
            side=terms.side,
            quantity=event.quantity,
            price=event.price,
            fee=event.fee,
            filled_at=event.filled_at,
        ),
        complete=filled >= most_of(row),
    )


def most_of(row: OrderRow) -> Decimal:
    """Return how much of an order may trade: by its terms, or by those it waits for."""
    most = row.terms.quantity.value
    return most if row.wanted is None else max(most, row.wanted.quantity.value)


def _corrected(
    row: OrderRow, event: Corrected, executions: Executions
) -> ev.Event | None:
    if event.correction_id in executions.ids:
        return None
    was = executions.fill_of(event.execution_id)
    if was is None and event.execution_id in executions.ids:
        return ev.StrayEvidence(venue=row.venue, text=repr(event))
    values: dict[str, Any] = {
        name: getattr(event, name) for name in ("quantity", "price", "fee", "filled_at")
    }
    if was is None:
        # It came before what it corrects, which is then never booked.
        executed = Executed(
            order_id=event.order_id,
            execution_id=event.execution_id,
            cumulative=event.quantity,
            **values,
        )
        return _filled(row, executed)
    now = replace(was, **values)
    # One that changes nothing is journaled as well: told again behind a later one, it
    # would undo that.
    filled = row.filled - was.quantity.value + now.quantity.value
    return ev.FillCorrected(
        order_id=row.order_id,
        strategy=row.strategy,
        correction_id=event.correction_id,
        was=was,
        now=now,
        complete=row.is_open and filled >= most_of(row),
    )


def _busted(row: OrderRow, event: Busted, executions: Executions) -> ev.Event | None:
    if event.correction_id in executions.ids:
        return None
    was = executions.fill_of(event.execution_id)
    if was is None and event.execution_id in executions.ids:
        return ev.StrayEvidence(venue=row.venue, text=repr(event))
    return ev.FillBusted(
        order_id=row.order_id,
        strategy=row.strategy,
        correction_id=event.correction_id,
        execution_id=event.execution_id,
        was=was,
        reason=event.reason,
    )


def _replaced(row: OrderRow, event: Replaced, asked: Asked) -> ev.Event | None:
    if asked is Asked.LOOKUP:
        # The history of an order: its last terms hold, and may be known.
        is_news = row.is_open and event.terms != row.terms
    else:
        is_news = row.state in _CHANGING or event.terms == row.wanted
    if not is_news:
        return None
    if row.is_open and not row.recounted and event.terms.quantity.value <= row.filled:
        # It is smaller now, by a rule of the venue's or on request, and is filled.
        return filled_up(row, event.terms.quantity)
    return ev.OrderReplaced(
        order_id=row.order_id, strategy=row.strategy, terms=event.terms
    )


def filled_up(row: OrderRow, quantity: Quantity) -> ev.OrderCanceled:
    """Return the end of an order that its venue has for no more than is filled."""
    reason = f"the venue has it for {quantity.value}, which is filled"
    return ev.OrderCanceled(order_id=row.order_id, strategy=row.strategy, reason=reason)


def _ended(row: OrderRow, event: Ended, asked: Asked) -> ev.Event | None:
    names = {"order_id": row.order_id, "strategy": row.strategy}
    # A story tells all executions before the end; one that was taken back may count.
    is_told = asked is Asked.LOOKUP and row.recounted
    cumulative = None if is_told else event.cumulative
    if cumulative is not None and cumulative.value > row.filled:
        # A fill is missing. The end is taken when it is there: it is asked for.
        if row.state is OrderState.UNKNOWN:
            return None
        why = f"{event.how} at {cumulative.value}, its fills are {row.filled}"
        return ev.OrderUnknown(**names, why=why)
    if event.how == "expired":
        return ev.OrderExpired(**names)
    # What has traded is there: to reject the rest of it can only be its end.
    if event.how == "rejected" and not (row.filled or row.recounted):
        return ev.OrderRejected(**names, reason=event.reason, code=event.code)
    return ev.OrderCanceled(**names, reason=event.reason)
