"""The part of `orders` that reconciliation asks, and that takes what it finds.

What it finds is a suspicion: only evidence says what became of an order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from holdfast_actors.doubts import Doubts
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.reconciliation.messages import (
    AskOrders,
    CancelThere,
    OrderLine,
    OrdersView,
    Suspect,
)
from holdfast_actors.requests import Cancel
from holdfast_domain import events as ev
from holdfast_domain.fills import EXTERNAL, Fill
from holdfast_domain.money import Quantity
from holdfast_domain.orders import TRANSITIONS, Cause, OrderState
from holdfast_domain.ports import Busted, Corrected, Executed, VenueEvent
from holdfast_runtime import Ref

_AT_REST: Final = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
"""Where an order stands of which nothing is under way."""


class Inspection:
    """Shows the rows of `orders`, and follows suspicions about them."""

    def __init__(
        self,
        *,
        book: OrderBook,
        venue: str,
        session: Ref[Any],
        doubts: Doubts,
        record: Callable[[ev.Event], None],
    ) -> None:
        self._book = book
        self._venue = venue
        self._session = session
        self._doubts = doubts
        self._record = record

    def handle(self, message: AskOrders | Suspect | CancelThere) -> None:
        """Dispatch one message of the reconciler's."""
        match message:
            case AskOrders():
                message.to.tell(self._view(message))
            case Suspect():
                self._suspect(message)
            case CancelThere():
                self._session.tell(Cancel(message.order_id))

    def adopt(self, event: VenueEvent) -> None:
        """Keep what the venue says of an order that is none of ours.

        An execution is booked as external if the venue says what was traded.
        """
        if (
            isinstance(event, Executed)
            and event.execution_id in self._book.executions[self._venue].ids
        ):
            return
        fill = self._fill_of(event)
        if fill is None:
            self._record(ev.StrayEvidence(venue=self._venue, text=repr(event)))
        else:
            self._record(ev.ExternalFilled(venue=self._venue, fill=fill))

    @staticmethod
    def _fill_of(event: VenueEvent) -> Fill | None:
        if (
            not isinstance(event, Executed)
            or not event.instrument
            or event.side is None
        ):
            return None
        return Fill(
            execution_id=event.execution_id,
            order_id=event.order_id,
            strategy=EXTERNAL,
            instrument=event.instrument,
            side=event.side,
            quantity=event.quantity,
            price=event.price,
            fee=event.fee,
            filled_at=event.filled_at,
        )

    def _view(self, message: AskOrders) -> OrdersView:
        book, executions = self._book, self._book.executions[self._venue]
        fills: dict[str, Fill] = {}
        unbooked: list[str] = []
        for event in message.executions:
            name = event.execution_id
            fill = executions.fill_of(name)
            if fill is not None:
                fills[name] = fill
            elif name not in executions.ids and self._is_to_be_booked(event):
                unbooked.append(name)
        rows = (book.rows.get(order_id) for order_id in message.working)
        return OrdersView(
            message.number,
            executions.watermark,
            executions.bookings,
            tuple(self._line(r) for r in book.open.values() if r.venue == self._venue),
            tuple(unbooked),
            fills,
            {
                r.order_id: self._line(r)
                for r in rows
                if r is not None and not r.is_open
            },
        )

    def _is_to_be_booked(self, event: Executed | Corrected | Busted) -> bool:
        row = self._book.rows.get(event.order_id)
        if row is not None and row.venue == self._venue:
            return True
        return self._fill_of(event) is not None

    def _line(self, row: OrderRow) -> OrderLine:
        doubts = self._doubts
        asked = row.order_id in doubts.resolver.cases or row.order_id in doubts.behind
        terms = row.terms
        return OrderLine(
            row.order_id,
            row.venue_order_id,
            row.strategy,
            terms.instrument,
            terms.side,
            terms.quantity.value,
            row.filled,
            row.state,
            row.is_open and (asked or row.state not in _AT_REST),
        )

    def _suspect(self, message: Suspect) -> None:
        row = self._book.rows.get(message.order_id)
        if (
            row is None
            or row.state is not message.state
            or row.filled != message.filled
        ):
            return  # it has moved since
        if row.is_open and message.missing:
            self._doubts.doubt(row, message.why)
        elif row.is_open:
            self._doubts.look_up(row)
        elif (row.state, Cause.OVERRULE) in TRANSITIONS and row.reserved is not None:
            self._record(
                ev.OrderReopened(
                    order_id=row.order_id,
                    strategy=row.strategy,
                    terms=row.terms,
                    reserved=row.reserved,
                    filled=Quantity(row.filled),
                    why=message.why,
                )
            )
            self._doubts.look_up(row)
