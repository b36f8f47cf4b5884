"""The rows of `orders`: a pure projection of the journal.

`apply` is the only place where a row changes, at replay and when a record is made
alike (of a decision, and an intent, its parts may be called by themselves), and
`next_state` is the only one that decides what an order may become.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from holdfast_actors.executions import Executions, SavedExecutions
from holdfast_domain.events import (
    AttentionNeeded,
    CancelRefused,
    CancelRequested,
    DecisionMade,
    Event,
    ExecutionsCovered,
    ExternalFilled,
    FillBusted,
    FillCorrected,
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
    OrderReopened,
    OrderReplaced,
    OrderResolved,
    OrderUnknown,
    ReplaceRefused,
    ReplaceRequested,
)
from holdfast_domain.money import ZERO, Money
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import (
    TERMINAL,
    TRANSITIONS,
    Cause,
    OrderState,
    OrderTerms,
    next_state,
)

CAUSES: Final[dict[type, Cause]] = {
    OrderRejected: Cause.REJECT,
    CancelRequested: Cause.REQUEST_CANCEL,
    CancelRefused: Cause.CANCEL_REFUSED,
    ReplaceRequested: Cause.REQUEST_REPLACE,
    OrderReplaced: Cause.REPLACE_ACK,
    ReplaceRefused: Cause.REPLACE_REFUSED,
    OrderCanceled: Cause.CANCEL_ACK,
    OrderExpired: Cause.EXPIRE,
    OrderUnknown: Cause.DOUBT,
    OrderReadmitted: Cause.INTEND,
    OrderNotPlaced: Cause.GIVE_UP,
}
"""What each record does to its order, but for the commonest."""


class OrderRow(Struct, omit_defaults=True, gc=False):
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

    reserved: Money | None = None
    """What the guard set aside for its terms, and for those that are wanted."""

    wanted_reserved: Money | None = None
    intended_us: int = 0
    """Market time of its intent."""

    called: bool = False
    """Whether a person was called because of it, in this doubt."""

    resolutions: int = 0
    """How often a person said what became of it."""

    resolved: bool = False
    """Whether it ended by a person's word, which the venue may overrule."""

    recounted: bool = False
    """Whether an execution of it was taken back or changed in size.

    From then on what we count need not be what the venue does: only the venue can say
    whether the order still works.
    """

    place: int = 0
    """How many requests were meant before the last that was meant for it.

    Those of one decision: its cancels, new terms, new orders, as they are sent.
    """

    leg: Leg | None = None
    """What binds it to others."""

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.state not in TERMINAL

    @property
    def is_in_doubt(self) -> bool:
        """Whether something about it is not known, and is to be asked."""
        return self.state in _IN_DOUBT

    @property
    def left(self) -> Decimal:
        """What is not filled yet."""
        return max(ZERO, self.terms.quantity.value - self.filled)


_IN_DOUBT: Final = frozenset({
    OrderState.UNKNOWN,
    OrderState.CANCEL_PENDING,
    OrderState.REPLACE_PENDING,
})  # fmt: skip
_INTENT: Final = OrderState.INTENT
_MEANT: Final = next_state(OrderState.NEW, Cause.INTEND)
_SILENT: Final = (Cause.INTEND, Cause.GIVE_UP)
"""Causes of ours, of which no venue speaks."""

_SEND, _ACK = Cause.SEND, Cause.ACK
_LAST_FILL, _PARTIAL_FILL = Cause.LAST_FILL, Cause.PARTIAL_FILL
_CHANGED: Final = (OrderReplaced, ReplaceRefused)
_ASKED: Final = (OrderUnknown, CancelRequested, ReplaceRequested)
_WITH_REASON: Final = (OrderRejected, OrderNotPlaced, OrderCanceled)


class OrderBook:
    """Every order, every execution id, and each strategy's last decision."""

    def __init__(self) -> None:
        self.rows: dict[str, OrderRow] = {}
        self.open: dict[str, OrderRow] = {}
        self._lists: dict[str, list[OrderRow]] = {}
        self.executions = defaultdict[str, Executions](Executions)
        """By venue: the ids are each venue's own."""

        self.decisions: dict[str, int] = {}
        self.requests = 0
        """How many were meant by decisions, whatever became of them."""

        self._next_place = 0
        """Of a cancel, or of new terms, of the decision that was made last."""

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        return {
            "rows": [msgspec.to_builtins(row) for row in list(self.rows.values())],
            "executions": {
                venue: each.plain() for venue, each in self.executions.items()
            },
            "decisions": dict(self.decisions),
            "requests": self.requests,
            "next_place": self._next_place,
            "bookings": {
                venue: each.bookings
                for venue, each in self.executions.items()
                if each.bookings
            },
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        rows = [msgspec.convert(each, OrderRow) for each in saved["rows"]]
        self.rows = {row.order_id: row for row in rows}
        self.open = {row.order_id: row for row in rows if row.is_open}
        self._lists = {}
        for row in rows:
            self._bind(row)
        executions = msgspec.convert(saved["executions"], dict[str, SavedExecutions])
        bookings = saved.get("bookings", {})
        self.executions.clear()
        for venue, each in executions.items():
            self.executions[venue] = Executions(each, bookings.get(venue, 0))
        self.decisions = dict(saved["decisions"])
        # Snapshots of older versions count orders alone, or not even those.
        self.requests = saved.get("requests", saved.get("intents", len(rows)))
        self._next_place = saved.get("next_place", self.requests)

    def legs_of(self, row: OrderRow) -> list[OrderRow]:
        """Return all orders of a list, its first one first; or the order alone."""
        return [row] if row.leg is None else self._lists[row.leg.list_id]

    def _bind(self, row: OrderRow) -> None:
        if row.leg is not None:
            self._lists.setdefault(row.leg.list_id, []).append(row)

    def apply(self, event: Event, at_us: int = 0) -> None:
        """Take one record, made at market time ``at_us``; most change nothing."""
        kind = type(event)
        if kind is OrderFilled:
            self._filled(event)  # type: ignore[arg-type]
        elif kind is OrderAccepted:
            self._accepted(event)  # type: ignore[arg-type]
        elif kind is OrderIntended:
            self.intended(event, at_us)  # type: ignore[arg-type]
        elif kind is DecisionMade:
            self.decided(event)  # type: ignore[arg-type]
        elif kind in CAUSES:
            self._moved(event, CAUSES[kind])
        else:
            self._rarely(event)

    def _rarely(self, event: Event) -> None:
        match event:
            case OrderRefused():
                self._refused(event)
            case OrderNotSent():
                self._not_sent(event)
            case ExecutionsCovered():
                self.executions[event.venue].watermark = event.watermark
            case FillCorrected():
                self._corrected(event)
            case FillBusted():
                self._busted(event)
            case ExternalFilled():
                self.executions[event.venue].add(event.fill)
            case OrderResolved():
                self._resolved(event)
            case OrderReopened():
                self._reopened(event)
            case AttentionNeeded():
                self.rows[event.order_id].called = True
            case _:
                """It concerns no order."""

    def decided(self, event: DecisionMade) -> None:
        """Take that a strategy decided."""
        self.decisions[event.strategy] = event.number
        self._next_place = self.requests
        if event.cancels or event.replaces:
            self._asked_for(event.cancels, event.replaces)

    def _asked_for(self, cancels: Sequence[str], replaces: Sequence[str]) -> None:
        self.requests += len(cancels) + len(replaces)
        for order_id in cancels:
            row = self.open.get(order_id)
            if row is not None and row.state in (OrderState.INTENT, OrderState.SENT):
                row.cancel_wanted = True

    def intended(
        self, event: OrderIntended, at_us: int, generation: int = 0
    ) -> OrderRow:
        """Take a new order, meant at market time ``at_us``; return its row.

        It may leave in that ``generation`` of the halt; from a replay none does.
        """
        row = OrderRow(
            event.order_id,
            event.strategy,
            event.venue,
            event.terms,
            _MEANT,
            event.valid_until_us,
            generation,
            reserved=event.reserved,
            intended_us=at_us,
            place=self.requests,
            leg=event.leg,
        )
        self.requests += 1
        self.rows[event.order_id] = self.open[event.order_id] = row
        if event.leg is not None:
            self._bind(row)
        return row

    def _refused(self, event: OrderRefused) -> None:
        state = next_state(OrderState.NEW, Cause.REFUSE)
        row = OrderRow(event.order_id, event.strategy, "", event.terms, state)
        row.reason = event.reason
        self.rows[event.order_id] = row

    def _not_sent(self, event: OrderNotSent) -> None:
        row = self.rows[event.order_id]
        # After a replay what was in flight stands at INTENT.
        was_sent = row.state in (_INTENT, OrderState.SENT)
        self._move(row, Cause.NO_BYTE_LEFT if was_sent else Cause.PROVEN_ABSENT)

    def _filled(self, event: OrderFilled) -> None:
        fill = event.fill
        row = self.rows[fill.order_id]
        self.executions[row.venue].add(fill)
        row.filled += fill.quantity.value
        self._move(row, _LAST_FILL if event.complete else _PARTIAL_FILL)

    def _accepted(self, event: OrderAccepted) -> None:
        row = self.rows[event.order_id]
        row.venue_order_id = event.venue_order_id
        self._move(row, _ACK)

    def _corrected(self, event: FillCorrected) -> None:
        row = self.rows[event.order_id]
        self.executions[row.venue].correct(event.correction_id, event.was, event.now)
        changed = event.now.quantity.value - event.was.quantity.value
        row.filled += changed
        row.recounted = row.recounted or bool(changed)
        if event.complete:
            self._move(row, Cause.LAST_FILL)

    def _busted(self, event: FillBusted) -> None:
        row = self.rows[event.order_id]
        self.executions[row.venue].bust(event)
        row.recounted = True
        if event.was is not None:
            row.filled -= event.was.quantity.value

    def _resolved(self, event: OrderResolved) -> None:
        row = self.rows[event.order_id]
        row.resolutions += 1
        row.resolved = True
        row.reason = event.because
        absent = event.outcome == "not_placed"
        self._move(row, Cause.SAID_ABSENT if absent else Cause.SAID_ENDED)

    def _reopened(self, event: OrderReopened) -> None:
        row = self.rows[event.order_id]
        row.resolved = row.called = False
        row.reason = ""
        self.open[row.order_id] = row
        self._move(row, Cause.OVERRULE)

    def _moved(self, event: Event, cause: Cause) -> None:
        row = self.rows[event.order_id]  # type: ignore[union-attr]
        if isinstance(event, _CHANGED):
            self._changed(row, event)
            if (row.state, cause) not in TRANSITIONS:
                # Evidence of terms alone; the state was settled before it.
                return
        elif isinstance(event, _ASKED):
            self._asked(row, event)
        elif isinstance(event, _WITH_REASON):
            row.reason = event.reason
        self._move(row, cause)

    def _asked(
        self, row: OrderRow, event: OrderUnknown | CancelRequested | ReplaceRequested
    ) -> None:
        row.called = row.called and row.state is OrderState.UNKNOWN
        if not isinstance(event, OrderUnknown) and row.state is not OrderState.UNKNOWN:
            row.place = self._next_place
            self._next_place += 1
        if isinstance(event, ReplaceRequested):
            row.wanted, row.wanted_reserved = event.terms, event.reserved
        elif isinstance(event, CancelRequested):
            # In doubt it may come too early: it is asked for again with the ack.
            row.cancel_wanted = row.state is OrderState.UNKNOWN
        elif row.state is OrderState.CANCEL_PENDING:
            row.cancel_wanted = True

    @staticmethod
    def _changed(row: OrderRow, event: OrderReplaced | ReplaceRefused) -> None:
        if isinstance(event, OrderReplaced):
            if event.terms == row.wanted:
                row.reserved = row.wanted_reserved
            row.terms = event.terms
        row.wanted = row.wanted_reserved = None

    def _move(self, row: OrderRow, cause: Cause) -> None:
        state = row.state
        if state is _INTENT and cause not in _SILENT:
            # An order of which the venue speaks was sent: SENT is not journaled.
            state = next_state(state, _SEND)
        row.state = after = next_state(state, cause, row.filled)
        if after in TERMINAL:
            self.open.pop(row.order_id, None)
