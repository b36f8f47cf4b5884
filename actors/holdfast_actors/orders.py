"""`orders`: every order's life, the only way to a venue, the only writer of fills.

It never decides by time or by count what became of an order. What it cannot know it
records as unknown, and looks it up for as long as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from holdfast_actors.clock import OrdersMark
from holdfast_actors.decisions import decision_made, draft_record
from holdfast_actors.doubts import Doubts
from holdfast_actors.evidence import latest, overrules, record_of, reopening
from holdfast_actors.messages import (
    CancelOrder,
    Missed,
    Readmitted,
    Report,
    Resend,
    Vetted,
)
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.replaying import replay
from holdfast_actors.requests import (
    Asked,
    AskGapAgain,
    Evidence,
    Greet,
    How,
    LookUpAgain,
    Resolve,
    SessionUp,
    TryAgain,
)
from holdfast_actors.resolutions import records_of, refusal
from holdfast_actors.resolver import Patience
from holdfast_actors.sending import Sending
from holdfast_domain import events as ev
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import Executed, VenueEvent
from holdfast_runtime import Ref

ASKING = frozenset({
    OrderState.SENT,
    OrderState.UNKNOWN,
    OrderState.CANCEL_PENDING,
    OrderState.REPLACE_PENDING,
})  # fmt: skip
"""Where an order stands while a request about it has not come to its end."""


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
        now_s: Callable[[], float],
        patience: Patience = Patience(),  # noqa: B008 - frozen
        mark: OrdersMark | None = None,
        call: Callable[[str], None] = lambda _text: None,
        incarnation: int = 1,
        path: str = "",
    ) -> None:
        """Replay ``history``; no effect is released by it.

        From now on, what an incarnation before this one said to submit is not sent.
        """
        self._book = OrderBook()
        self._replayed = replay(
            history,
            lambda entry: self._book.apply(entry.event, entry.market_time_us),
            path,
            self._book.load,
        )
        """The last record of the journal when this incarnation was built."""

        self._venue = venue
        self._session = session
        self._strategies = strategies
        self._journal = record
        self._now_us = now_us
        if mark is not None:
            mark.incarnation = incarnation
        self._sending = Sending(
            book=self._book,
            session=session,
            guard=guard,
            record=self._record,
            after=after,
            now_us=now_us,
            patience=patience,
            incarnation=incarnation,
        )
        self._doubts = Doubts(
            book=self._book,
            venue=venue,
            session=session,
            record=self._record,
            after=after,
            now_s=now_s,
            patience=patience,
            call=call,
            incarnation=incarnation,
        )

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
                self._sending.ask_guard(row.order_id)
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
        | AskGapAgain
        | TryAgain
        | CancelOrder
        | Resolve
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
                self._sending.readmitted(message)
            case LookUpAgain() | AskGapAgain() | TryAgain():
                self._on_timer(message)
            case CancelOrder() | Resolve():
                return self._on_person(message)
            case Missed():
                self._on_missed(message)
            case Report():
                return list(self._book.rows.values())
            case _:
                assert_never(message)
        return None

    def _on_timer(self, message: LookUpAgain | AskGapAgain | TryAgain) -> None:
        match message:
            case LookUpAgain():
                self._look_up_again(message.order_id)
            case AskGapAgain():
                self._doubts.gap_is_due(message)
            case TryAgain():
                self._sending.ask_guard(message.order_id)

    def _on_person(self, message: CancelOrder | Resolve) -> str:
        """Do what a person asks for; return why not, or nothing."""
        if isinstance(message, Resolve):
            return self._resolve(message)
        self._sending.cancel(message.order_id, message.by)
        self._sending.send_waiting()
        return ""

    def _on_missed(self, message: Missed) -> None:
        for name in [message.strategy] if message.strategy else self._strategies:
            self._ask_again(name)

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
            self._sending.cancel(order_id, decision.strategy)
        for change, verdict in zip(decision.changes, message.changes, strict=True):
            self._sending.change(
                change.order_id, change.terms, verdict.reserved, verdict.reason
            )
        self._sending.send_waiting()

    def _intend(self, message: Vetted) -> None:
        now_us = self._now_us()
        pairs = zip(message.decision.drafts, message.drafts, strict=True)
        for index, (draft, verdict) in enumerate(pairs):
            self._record(draft_record(message, index, self._venue))
            if verdict.reserved is not None:
                row = self._book.rows[draft.order_id]
                row.generation, row.intended_us = message.generation, now_us
                self._sending.queue.add(row)

    # --- evidence ------------------------------------------------------------

    def _on_evidence(self, message: Evidence) -> None:
        order_id, asked = message.order_id, message.asked
        if asked is Asked.SUBMIT:
            self._sending.in_flight.discard(order_id)
        elif asked is not Asked.STREAM:
            self._sending.answered(asked, order_id)
        row = self._book.rows.get(order_id)
        if asked is not Asked.LOOKUP or row is None or self._doubts.fits(row, message):
            for event in latest(message.events):
                self._venue_said(event, asked)
        if asked is Asked.GAP:
            self._doubts.gap_heard(message)
        elif row is not None and (
            message.how is not How.ANSWERED
            or row.state in ASKING
            or order_id in self._doubts.resolver.cases
        ):
            self._answered(row, message)
        if self._doubts.behind:
            self._doubts.ask_of_missing()
        if self._sending.queue:
            self._sending.send_waiting()

    def _answered(self, row: OrderRow, message: Evidence) -> None:
        """Draw the conclusion from how a request about an order ended."""
        if message.asked is Asked.LOOKUP:
            self._doubts.resolver.answered(row.order_id)
        if row.is_open and message.how is not How.ANSWERED:
            self._request_failed(row, message)
        elif row.state is OrderState.SENT:
            self._doubts.doubt(row, "the venue answered, and did not speak of it")
        elif message.asked is Asked.LOOKUP:
            self._ask_once_more(row, message)
        self._doubts.go_on(row, message)

    def _request_failed(self, row: OrderRow, message: Evidence) -> None:
        match message.asked:
            case Asked.LOOKUP:
                absent = message.how is How.ABSENT
                if absent and self._doubts.is_absent(row, message):
                    self._not_sent(row, message.reason)
            case Asked.SUBMIT:
                self._submit_failed(row, message)
            case _ if message.how is How.UNKNOWN:
                # It stays where it is: what may have left makes it smaller, or is
                # reserved for. A lookup tells.
                self._doubts.resolver.doubt_again(row.order_id)
            case Asked.REPLACE:
                self._refused(row, ev.ReplaceRefused, message.reason)
            case _ if message.how is How.REFUSED:
                self._refused(row, ev.CancelRefused, message.reason)
            case _:
                """A cancel that did not leave is asked for later, for ever."""

    def _submit_failed(self, row: OrderRow, message: Evidence) -> None:
        if message.how is How.REFUSED:
            self._record(
                ev.OrderRejected(
                    order_id=row.order_id,
                    strategy=row.strategy,
                    reason=message.reason,
                    code=message.code,
                )
            )
        elif message.how is How.UNKNOWN:
            self._doubts.doubt(row, message.reason)
        elif row.state in (OrderState.SENT, OrderState.UNKNOWN):
            # Each submit of an order ended in a proof before the next was made.
            self._not_sent(row, message.reason)

    def _not_sent(self, row: OrderRow, proof: str) -> None:
        self._doubts.resolver.settle(row.order_id)
        self._sending.not_sent(row, proof)

    def _refused(
        self,
        row: OrderRow,
        kind: type[ev.ReplaceRefused | ev.CancelRefused],
        reason: str,
    ) -> None:
        """Take the refusal of a cancel or of new terms, unless it is no news."""
        cancels = kind is ev.CancelRefused
        if (
            row.state is OrderState.CANCEL_PENDING
            if cancels
            else row.wanted is not None
        ):
            names = {"order_id": row.order_id, "strategy": row.strategy}
            self._record(kind(**names, reason=reason))
        # It may have ended unheard of: the venue is asked what it knows.
        self._doubts.resolver.ask(row.order_id)

    def _ask_once_more(self, row: OrderRow, message: Evidence) -> None:
        """Ask again for what a lookup shows that the venue has not done."""
        if row.state is OrderState.CANCEL_PENDING:
            self._sending.ask_to_cancel(row.order_id)
        elif row.state is OrderState.REPLACE_PENDING and self._doubts.is_settled(
            row, message
        ):
            self._sending.replace(row)

    def _venue_said(self, event: VenueEvent, asked: Asked) -> None:
        row = self._book.rows.get(event.order_id)
        if row is None:
            self._record(ev.StrayEvidence(venue=self._venue, text=repr(event)))
            return
        executions = self._book.executions
        if row.order_id not in self._book.open and overrules(row, event, executions):
            for each in reopening(row, event, executions):
                self._record(each)
        record = record_of(row, event, asked, executions)
        if record is not None:
            self._record(record)
            if row.cancel_wanted and isinstance(record, ev.OrderAccepted):
                self._sending.cancel(row.order_id, row.strategy)
        if type(event) is Executed and event.cumulative.value > row.filled:
            self._doubts.fell_behind(row, event)
        if row.state is OrderState.UNKNOWN:
            self._doubts.look_up(row)

    # --- doubt ---------------------------------------------------------------

    def _on_session(self, message: SessionUp) -> None:
        """Doubt all that the session before had taken, and ask the new one."""
        if message.incarnation == self._sending.session_number:
            return
        self._sending.session_up(message.incarnation)
        # Fills first: the gap has them in the order in which they happened.
        self._doubts.session_up(message)
        for row in list(self._book.open.values()):
            if row.state is OrderState.SENT:
                self._doubts.doubt(row, "the session that had taken it died")
            elif row.state not in (OrderState.INTENT, OrderState.NOT_SENT):
                # What is not a fill, such as its end, no gap tells.
                self._doubts.resolver.doubt(row.order_id)
            if row.state is OrderState.UNKNOWN:
                self._sending.queue.keep_place(row)
        self._sending.send_waiting()

    def _look_up_again(self, order_id: str) -> None:
        """Ask again what could not be asked, or what got no answer."""
        resolver, row = self._doubts.resolver, self._book.rows.get(order_id)
        if row is not None and resolver.due(order_id):
            resolver.ask(order_id)

    def _resolve(self, message: Resolve) -> str:
        """Take a person's word; return why not, or nothing."""
        row = self._book.rows.get(message.order_id)
        why = refusal(row, message)
        if row is None or why:
            return why
        for record in records_of(row, message, utc_from_us(self._now_us())):
            self._record(record)
        self._doubts.resolver.settle(row.order_id)
        self._sending.send_waiting()
        return ""

    def _record(self, event: ev.Event) -> None:
        self._journal(event)
        self._book.apply(event)
