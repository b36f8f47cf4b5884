"""`orders`: every order's life, the only way to a venue, the only writer of fills.

It never decides by time or by count what became of an order. What it cannot know it
records as unknown, and looks it up for as long as it takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from holdfast_actors.decisions import decision_made, draft_record
from holdfast_actors.evidence import latest, record_of
from holdfast_actors.messages import (
    CancelOrder,
    Missed,
    Readmit,
    Readmitted,
    Report,
    Resend,
    Unchanged,
    Vetted,
)
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.replaying import replay
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    Evidence,
    Greet,
    How,
    LookUp,
    LookUpAgain,
    Replace,
    SessionUp,
    Submit,
)
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import VenueEvent, VenueOrder
from holdfast_runtime import Ref

WINDOW = 64
"""Submits in flight for each venue; the rest waits as rows."""

LOOK_UP_FIRST_S, LOOK_UP_LIMIT_S = 1.0, 60.0


class Orders:
    """Owns every order; rebuilt from the journal, and from nothing else."""

    def __init__(
        self,
        *,
        history: Iterable[ev.Entry],
        venue: str,
        session: Ref[Any],
        guard: Ref[Any],
        strategies: Mapping[str, Ref[Any]],
        record: Callable[[ev.Event], None],
        after: Callable[[float, object], object],
        now_us: Callable[[], int],
        path: str = "",
    ) -> None:
        """Replay ``history``; no effect is released by it."""
        self._book = OrderBook()
        self._replayed = replay(
            history,
            lambda entry: self._book.apply(entry.event),
            path,
            self._book.load,
        )
        """The last record of the journal when this incarnation was built."""

        self._venue = venue
        self._session = session
        self._guard = guard
        self._strategies = strategies
        self._journal = record
        self._after = after
        self._now_us = now_us
        self._incarnation = 0
        """Of the session that is up; 0 while none is known to be."""

        self._queue: deque[str] = deque()
        self._in_flight: set[str] = set()
        self._replacing: set[str] = set()
        """Orders whose replacement this incarnation gave to the session that is up."""

        self._lookups: dict[str, float] = {}

    def start(self) -> None:
        """Doubt what was on its way, and ask the sources for what came since."""
        for row in list(self._book.open.values()):
            if row.state is OrderState.INTENT:
                self._record(
                    ev.OrderUnknown(
                        order_id=row.order_id,
                        strategy=row.strategy,
                        why="on its way when the engine ended",
                    )
                )
            elif row.state is OrderState.NOT_SENT:
                self._readmit(row)
        self._session.tell(Greet())
        for name in self._strategies:
            self._ask_again(name)

    def handle(
        self,
        message: Vetted
        | Evidence
        | SessionUp
        | Readmitted
        | LookUpAgain
        | CancelOrder
        | Missed
        | Report,
    ) -> object:
        """Dispatch one message; every kind is named here."""
        match message:
            case Vetted():
                self._on_vetted(message)
            case Evidence():
                self._on_evidence(message)
            case SessionUp():
                self._on_session(message)
            case Readmitted():
                self._on_readmitted(message)
            case LookUpAgain():
                self._try_again(message.order_id)
            case CancelOrder():
                self._cancel(message.order_id, message.by)
            case Missed(strategy):
                for name in [strategy] if strategy else self._strategies:
                    self._ask_again(name)
            case Report():
                return list(self._book.rows.values())
            case _:
                assert_never(message)
        return None

    # --- decisions -----------------------------------------------------------

    def _ask_again(self, strategy: str) -> None:
        taken = self._book.decisions.get(strategy, 0)
        self._strategies[strategy].tell(Resend(taken, self._replayed))

    def _on_vetted(self, message: Vetted) -> None:
        decision = message.decision
        taken = self._book.decisions.get(decision.strategy, 0)
        if decision.number <= taken:
            return
        if decision.number != taken + 1:
            # One before it was lost with an incarnation of ours or of the guard's.
            self._ask_again(decision.strategy)
            return
        self._record(decision_made(decision))
        self._intend(message)
        for order_id in decision.cancels:
            self._cancel(order_id, decision.strategy)
        for change, verdict in zip(decision.changes, message.changes, strict=True):
            self._change(
                change.order_id, change.terms, verdict.reserved, verdict.reason
            )
        self._send_waiting()

    def _intend(self, message: Vetted) -> None:
        pairs = zip(message.decision.drafts, message.drafts, strict=True)
        for index, (draft, verdict) in enumerate(pairs):
            self._record(draft_record(message, index, self._venue))
            if verdict.reserved is not None:
                self._book.rows[draft.order_id].generation = message.generation
                self._queue.append(draft.order_id)

    def _send_waiting(self) -> None:
        """Send what waits, as far as the window and the session allow."""
        queue = self._queue
        while queue and self._incarnation and len(self._in_flight) < WINDOW:
            row = self._book.rows[queue.popleft()]
            if row.state is not OrderState.INTENT:
                continue
            row.state = OrderState.SENT
            self._in_flight.add(row.order_id)
            order = VenueOrder(
                order_id=row.order_id, terms=row.terms, placed_at_us=self._now_us()
            )
            marks = self._incarnation, row.generation, row.valid_until_us
            self._session.tell(Submit(order, *marks))

    def _cancel(self, order_id: str, by: str) -> None:
        row = self._book.open.get(order_id)
        if row is None or row.state is OrderState.CANCEL_PENDING:
            return
        if row.state in (OrderState.INTENT, OrderState.NOT_SENT):
            self._give_up(row, "canceled before")
        elif row.state is OrderState.SENT:
            row.cancel_wanted = True
        else:
            self._record(
                ev.CancelRequested(order_id=order_id, strategy=row.strategy, by=by)
            )
            self._session.tell(Cancel(order_id))

    def _give_up(self, row: OrderRow, reason: str) -> None:
        self._record(
            ev.OrderNotPlaced(
                order_id=row.order_id, strategy=row.strategy, reason=reason
            )
        )

    def _change(self, order_id: str, terms: Any, reserved: Any, reason: str) -> None:  # noqa: ANN401
        row = self._book.open.get(order_id)
        if row is None:
            return
        works = row.state in (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
        if reserved is None or not works:
            why = reason or f"expected a working order, was {row.state.value}"
            self._record(
                ev.StrayEvidence(venue="guard", text=f"{order_id} not changed: {why}")
            )
            if reserved is not None:
                self._guard.tell(Unchanged(order_id))
            return
        self._record(
            ev.ReplaceRequested(
                order_id=order_id, strategy=row.strategy, terms=terms, reserved=reserved
            )
        )
        self._replace(row)

    def _replace(self, row: OrderRow) -> None:
        if row.wanted is not None:
            self._replacing.add(row.order_id)
            self._session.tell(Replace(row.order_id, row.wanted))

    # --- evidence ------------------------------------------------------------

    def _on_evidence(self, message: Evidence) -> None:
        if message.asked is Asked.SUBMIT:
            self._in_flight.discard(message.order_id)
        for event in latest(message.events):
            self._venue_said(event, message.asked)
        if message.how is How.ANSWERED:
            self._lookups.pop(message.order_id, None)
        if message.asked is Asked.REPLACE:
            self._replacing.discard(message.order_id)
        row = self._book.open.get(message.order_id)
        if row is not None:
            if row.state is OrderState.REPLACE_PENDING:
                self._replace_lost(row, message)
            if message.how is not How.ANSWERED:
                self._request_failed(row, message)
        if self._queue:
            self._send_waiting()

    def _request_failed(self, row: OrderRow, message: Evidence) -> None:
        match message.how:
            case How.REFUSED if message.asked is Asked.SUBMIT:
                self._record(
                    ev.OrderRejected(
                        order_id=row.order_id,
                        strategy=row.strategy,
                        reason=message.reason,
                        code=message.code,
                    )
                )
            case How.NOT_SENT if message.asked is Asked.SUBMIT:
                if row.state is OrderState.SENT:
                    self._not_sent(row, message.reason)
            case How.NOT_SENT if row.state is OrderState.CANCEL_PENDING:
                self._look_up_later(row.order_id)
            case How.REFUSED | How.NOT_SENT:
                self._record(
                    ev.CancelRefused(
                        order_id=row.order_id,
                        strategy=row.strategy,
                        reason=message.reason,
                    )
                )
                # It may have ended unheard of: the venue is asked what it knows.
                self._session.tell(LookUp(row.order_id))
            case How.ABSENT:
                self._absent(row, message.reason)
            case _ if message.asked is Asked.LOOKUP:
                self._look_up_later(row.order_id)
            case _:
                self._doubt(row, message.reason)

    def _absent(self, row: OrderRow, proof: str) -> None:
        """Take a proof of absence, unless the venue has shown that it has the order."""
        if row.venue_order_id or row.filled:
            if row.order_id not in self._lookups:
                text = f"{row.order_id} was accepted, and now: {proof}"
                self._record(ev.StrayEvidence(venue=self._venue, text=text))
            self._look_up_later(row.order_id)
        elif row.state is OrderState.UNKNOWN:
            self._not_sent(row, proof)

    def _not_sent(self, row: OrderRow, proof: str) -> None:
        self._lookups.pop(row.order_id, None)
        self._record(
            ev.OrderNotSent(order_id=row.order_id, strategy=row.strategy, proof=proof)
        )
        self._readmit(row)

    def _readmit(self, row: OrderRow) -> None:
        if row.cancel_wanted:
            self._give_up(row, "canceled before")
            return
        self._guard.tell(
            Readmit(row.order_id, row.strategy, row.terms, row.valid_until_us)
        )

    def _on_readmitted(self, message: Readmitted) -> None:
        row = self._book.open.get(message.order_id)
        if row is None or row.state is not OrderState.NOT_SENT:
            return
        if message.reason:
            self._give_up(row, message.reason)
            return
        self._record(ev.OrderReadmitted(order_id=row.order_id, strategy=row.strategy))
        row.generation = message.generation
        self._queue.append(row.order_id)
        self._send_waiting()

    def _venue_said(self, event: VenueEvent, asked: Asked) -> None:
        row = self._book.rows.get(event.order_id)
        if row is None:
            self._record(ev.StrayEvidence(venue=self._venue, text=repr(event)))
            return
        record = record_of(row, event, asked, self._book.executions)
        if record is None:
            return
        self._record(record)
        if isinstance(record, ev.OrderAccepted):
            self._lookups.pop(row.order_id, None)
            if row.cancel_wanted:
                self._cancel(row.order_id, row.strategy)

    def _replace_lost(self, row: OrderRow, message: Evidence) -> None:
        """Ask for new terms again that a lookup proves the venue does not have."""
        answered = message.asked is Asked.LOOKUP and message.how is How.ANSWERED
        if answered and row.order_id not in self._replacing:
            self._replace(row)

    # --- doubt ---------------------------------------------------------------

    def _on_session(self, message: SessionUp) -> None:
        """Doubt all that the session before had taken, and ask the new one."""
        if message.incarnation == self._incarnation:
            return
        self._incarnation = message.incarnation
        self._in_flight.clear()
        self._replacing.clear()
        # Fills first: the gap has them in the order in which they happened.
        self._session.tell(AskGap(self._book.watermark))
        for row in list(self._book.open.values()):
            if row.state is OrderState.SENT:
                self._doubt(row, "the session that had taken it died")
            elif row.state not in (OrderState.INTENT, OrderState.NOT_SENT):
                # What is not a fill, such as its end, no gap tells.
                self._session.tell(LookUp(row.order_id))
            if row.state is OrderState.CANCEL_PENDING:
                self._session.tell(Cancel(row.order_id))
        self._send_waiting()

    def _doubt(self, row: OrderRow, why: str) -> None:
        self._record(
            ev.OrderUnknown(order_id=row.order_id, strategy=row.strategy, why=why)
        )
        self._look_up(row.order_id)

    def _look_up(self, order_id: str) -> None:
        row = self._book.open.get(order_id)
        if row is not None and row.state is OrderState.UNKNOWN:
            self._session.tell(LookUp(order_id))

    def _try_again(self, order_id: str) -> None:
        """Ask again what could not be asked, or what got no answer."""
        row = self._book.open.get(order_id)
        if row is None or order_id not in self._lookups:
            return
        if row.state is OrderState.CANCEL_PENDING:
            self._session.tell(Cancel(order_id))
        else:
            self._session.tell(LookUp(order_id))

    def _look_up_later(self, order_id: str) -> None:
        """Ask again, ever more slowly, and for ever."""
        delay_s = self._lookups.get(order_id, LOOK_UP_FIRST_S)
        self._lookups[order_id] = min(2 * delay_s, LOOK_UP_LIMIT_S)
        self._after(delay_s, LookUpAgain(order_id))

    def _record(self, event: ev.Event) -> None:
        self._journal(event)
        self._book.apply(event)
