"""The rows of `orders`: a pure projection of the journal.

`apply` is the only place where a row changes, at replay and when a record is made
alike, and `next_state` is the only one that decides what an order may become.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import attrs
import msgspec

from holdfast_domain.events import (
    CancelRefused,
    CancelRequested,
    DecisionMade,
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderNotPlaced,
    OrderNotSent,
    OrderReadmitted,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    ReplaceRequested,
)
from holdfast_domain.money import ZERO
from holdfast_domain.orders import TERMINAL, Cause, OrderState, OrderTerms, next_state

CAUSES: Final[dict[type, Cause]] = {
    OrderAccepted: Cause.ACK,
    OrderRejected: Cause.REJECT,
    CancelRequested: Cause.REQUEST_CANCEL,
    CancelRefused: Cause.CANCEL_REFUSED,
    ReplaceRequested: Cause.REQUEST_REPLACE,
    OrderReplaced: Cause.REPLACE_ACK,
    OrderCanceled: Cause.CANCEL_ACK,
    OrderExpired: Cause.EXPIRE,
    OrderUnknown: Cause.DOUBT,
    OrderReadmitted: Cause.INTEND,
    OrderNotPlaced: Cause.GIVE_UP,
}
"""What each record does to its order."""


@attrs.define
class OrderRow:
    """One order, as `orders` knows it."""

    order_id: str
    strategy: str
    venue: str
    terms: OrderTerms
    state: OrderState
    valid_until_us: int = 0
    generation: int = 0
    filled: Decimal = ZERO
    venue_order_id: str = ""
    reason: str = ""
    cancel_wanted: bool = False
    """Asked for while the order was on its way; done when the venue has it."""

    wanted: OrderTerms | None = None
    """The new terms of a replacement that the venue has not answered."""

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.state not in TERMINAL

    @property
    def left(self) -> Decimal:
        """What is not filled yet."""
        return max(ZERO, self.terms.quantity.value - self.filled)


_WITH_REASON = (OrderRejected, OrderNotPlaced, OrderCanceled)


class OrderBook:
    """Every order, every execution id, and each strategy's last decision."""

    def __init__(self) -> None:
        self.rows: dict[str, OrderRow] = {}
        self.open: dict[str, OrderRow] = {}
        self.executions: set[str] = set()
        self.watermark = ""
        """The last execution id that was recorded."""

        self.decisions: dict[str, int] = {}

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        return {
            "rows": [msgspec.to_builtins(row) for row in list(self.rows.values())],
            "executions": sorted(self.executions),
            "watermark": self.watermark,
            "decisions": dict(self.decisions),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        rows = [msgspec.convert(each, OrderRow) for each in saved["rows"]]
        self.rows = {row.order_id: row for row in rows}
        self.open = {row.order_id: row for row in rows if row.is_open}
        self.executions = set(saved["executions"])
        self.watermark = saved["watermark"]
        self.decisions = dict(saved["decisions"])

    def apply(self, event: Event) -> None:
        """Take one record; records that concern no order change nothing."""
        kind = type(event)
        if kind is OrderFilled:
            self._filled(event)  # type: ignore[arg-type]
        elif kind is OrderIntended:
            self._intended(event)  # type: ignore[arg-type]
        elif kind is DecisionMade:
            self._decided(event)  # type: ignore[arg-type]
        elif kind is OrderRefused:
            self._refused(event)  # type: ignore[arg-type]
        elif kind is OrderNotSent:
            self._not_sent(event)  # type: ignore[arg-type]
        elif kind in CAUSES:
            self._moved(event, CAUSES[kind])

    def _decided(self, event: DecisionMade) -> None:
        self.decisions[event.strategy] = event.number
        for order_id in event.cancels:
            row = self.open.get(order_id)
            if row is not None and row.state in (OrderState.INTENT, OrderState.SENT):
                row.cancel_wanted = True

    def _intended(self, event: OrderIntended) -> None:
        row = OrderRow(
            event.order_id,
            event.strategy,
            event.venue,
            event.terms,
            next_state(OrderState.NEW, Cause.INTEND),
            event.valid_until_us,
        )
        self.rows[event.order_id] = self.open[event.order_id] = row

    def _refused(self, event: OrderRefused) -> None:
        state = next_state(OrderState.NEW, Cause.REFUSE)
        row = OrderRow(event.order_id, event.strategy, "", event.terms, state)
        row.reason = event.reason
        self.rows[event.order_id] = row

    def _not_sent(self, event: OrderNotSent) -> None:
        row = self.rows[event.order_id]
        if row.state is OrderState.INTENT:
            # After a replay an order in flight stands at INTENT, for SENT is not
            # journaled; the proof is of what was in flight.
            row.state = next_state(row.state, Cause.SEND)
        sent = row.state is OrderState.SENT
        cause = Cause.NO_BYTE_LEFT if sent else Cause.PROVEN_ABSENT
        self._move(row, cause)

    def _filled(self, event: OrderFilled) -> None:
        fill = event.fill
        self.executions.add(fill.execution_id)
        self.watermark = fill.execution_id
        row = self.rows[fill.order_id]
        row.filled += fill.quantity.value
        self._catch_up(row)
        self._move(row, Cause.LAST_FILL if event.complete else Cause.PARTIAL_FILL)

    def _moved(self, event: Event, cause: Cause) -> None:
        row = self.rows[event.order_id]  # type: ignore[union-attr]
        if isinstance(event, OrderAccepted):
            row.venue_order_id = event.venue_order_id
            self._catch_up(row)
            self._move(row, cause)
            return
        if isinstance(event, ReplaceRequested):
            row.wanted = event.terms
        if isinstance(event, CancelRequested):
            # In doubt it may come too early: it is asked for again with the ack.
            row.cancel_wanted = row.state is OrderState.UNKNOWN
        if isinstance(event, OrderUnknown) and row.state is OrderState.CANCEL_PENDING:
            row.cancel_wanted = True
        if isinstance(event, OrderReplaced):
            row.terms = event.terms
            if row.state is not OrderState.REPLACE_PENDING:
                # Evidence of terms alone; the state was settled before it.
                return
        if isinstance(event, _WITH_REASON):
            row.reason = event.reason
        if cause is not Cause.INTEND and cause is not Cause.GIVE_UP:
            self._catch_up(row)
        self._move(row, cause)

    @staticmethod
    def _catch_up(row: OrderRow) -> None:
        """Count an order as sent of which the venue speaks: SENT is not journaled."""
        if row.state is OrderState.INTENT:
            row.state = next_state(row.state, Cause.SEND)

    def _move(self, row: OrderRow, cause: Cause) -> None:
        row.state = after = next_state(row.state, cause)
        if after in TERMINAL:
            self.open.pop(row.order_id, None)
