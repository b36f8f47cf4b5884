"""`orders`: every order's life, the only way to a venue, the only writer of fills.

It never decides by time or by count what became of an order. What it cannot know it
records as unknown, and looks it up for as long as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from holdfast_actors.clock import OrdersMark
from holdfast_actors.decisions import decision_made, intended, refused
from holdfast_actors.degradation import CancelResting
from holdfast_actors.kin import Kin
from holdfast_actors.line import Line
from holdfast_actors.messages import (
    CancelOrder,
    CaughtUp,
    Change,
    Missed,
    Readmitted,
    Report,
    Resend,
    Verdict,
    Vetted,
)
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.reconciliation.messages import AskOrders, CancelThere, Suspect
from holdfast_actors.replaying import replay
from holdfast_actors.requests import (
    AskGapAgain,
    Evidence,
    LookUpAgain,
    Resolve,
    SendAgain,
    SessionUp,
    StreamHole,
    TryAgain,
)
from holdfast_actors.resolutions import records_of, refusal
from holdfast_actors.resolver import Patience
from holdfast_actors.sending import Sending
from holdfast_domain import events as ev
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.orders import OrderState
from holdfast_runtime import Ref


class Orders:
    """Owns every order; rebuilt from the journal, and from nothing else."""

    def __init__(
        self,
        *,
        history: Iterable[ev.Entry],
        sessions: Mapping[str, Ref[Any]],
        venue_of: Callable[[str], str],
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
        kin: Kin | None = None,
        path: str = "",
    ) -> None:
        """Replay ``history``; no effect is released by it.

        ``sessions`` are by venue, and ``venue_of`` tells where an instrument trades.
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

        self._venue_of = venue_of
        self._guard = guard
        self._is_first = incarnation == 1
        self._strategies = strategies
        self._journal = record
        self._now_us = now_us
        if mark is not None:
            mark.incarnation = incarnation
        self._lines = {
            venue: Line(
                venue,
                book=self._book,
                session=session,
                guard=guard,
                record=self._record,
                after=after,
                now_us=now_us,
                now_s=now_s,
                patience=patience,
                call=call,
                incarnation=incarnation,
                kin=kin,
            )
            for venue, session in sessions.items()
        }
        self._sendings = tuple([line.sending for line in self._lines.values()])

    def start(self) -> None:
        """Doubt what was on its way, and ask the sources for what came since."""
        waiting: list[OrderRow] = []
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
                waiting.append(row)
        for row in waiting:
            self._lines[row.venue].sending.ask_guard(row.order_id)
        for line in self._lines.values():
            line.greet()
        for name in self._strategies:
            self._ask_again(name)
        if not self._is_first:
            self._guard.tell(CaughtUp())  # what it had asked may have died

    def handle(
        self,
        message: Vetted
        | Evidence
        | SessionUp
        | Readmitted
        | LookUpAgain
        | AskGapAgain
        | StreamHole
        | TryAgain
        | SendAgain
        | CancelOrder
        | Resolve
        | Missed
        | AskOrders
        | Suspect
        | CancelThere
        | CancelResting
        | Report,
    ) -> object:
        """Dispatch one message; every kind is named here."""
        # The commonest by their very classes: a pattern that does not match is slow.
        if type(message) is Evidence:
            self._lines[message.venue].hear(message)
            return None
        if type(message) is Vetted:
            self._on_vetted(message)
            return None
        match message:
            case SessionUp() | StreamHole() | CancelResting():
                self._on_line(message)
            case Readmitted():
                self._on_row(message.order_id, lambda to: to.readmitted(message))
            case LookUpAgain() | AskGapAgain() | TryAgain() | SendAgain():
                self._on_timer(message)
            case CancelOrder() | Resolve():
                return self._on_person(message)
            case Missed():
                self._on_missed(message)
            case AskOrders() | Suspect() | CancelThere():
                self._lines[message.venue].inspection.handle(message)
            case Report():
                return list(self._book.rows.values())
            case _:
                assert_never(message)
        return None

    def _on_line(self, message: SessionUp | StreamHole | CancelResting) -> None:
        """Take that a line is new, or may miss something, or is to rest no order."""
        line = self._lines[message.venue]
        if isinstance(message, SessionUp):
            line.session_up(message)
        elif isinstance(message, CancelResting):
            line.sending.cancel_resting(message.by)
        else:
            line.stream_has_hole()

    def _on_timer(
        self, message: LookUpAgain | AskGapAgain | TryAgain | SendAgain
    ) -> None:
        match message:
            case LookUpAgain():
                self._look_up_again(message.order_id)
            case AskGapAgain():
                self._lines[message.venue].doubts.gap_is_due(message)
            case TryAgain(order_id):
                self._on_row(order_id, lambda to: to.ask_guard(order_id))
            case SendAgain(venue):
                self._lines[venue].sending.send_waiting()

    def _on_person(self, message: CancelOrder | Resolve) -> str:
        """Do what a person asks for; return why not, or nothing."""
        if isinstance(message, Resolve):
            return self._resolve(message)
        self._cancel(message.order_id, message.by)
        self._send_waiting()
        return ""

    def _cancel(self, order_id: str, by: str) -> None:
        self._on_row(order_id, lambda to: to.cancel(order_id, by))

    def _on_row(self, order_id: str, do: Callable[[Sending], None]) -> None:
        """Do something at the venue of an order, as long as that is open."""
        row = self._book.open.get(order_id)
        if row is not None:
            do(self._lines[row.venue].sending)

    def _on_missed(self, message: Missed) -> None:
        for name in [message.strategy] if message.strategy else self._strategies:
            self._ask_again(name)
        if message.number:
            # It leaves after all that was recorded before it is durable.
            self._guard.tell(CaughtUp(message.number))

    # --- decisions -----------------------------------------------------------

    def _ask_again(self, strategy: str) -> None:
        taken = self._book.decisions.get(strategy, 0)
        self._strategies[strategy].tell(Resend(taken, self._replayed))

    def _on_vetted(self, message: Vetted) -> None:
        decision, book = message.decision, self._book
        strategy, number = decision.strategy, decision.number
        taken = book.decisions.get(strategy, 0)
        if number != taken + 1:
            if number > taken:
                # One before it was lost with an incarnation of ours or of the guard's.
                self._ask_again(strategy)
            return
        made, record = decision_made(decision), self._journal
        record(made)
        book.decided(made)
        self._intend(message)
        for order_id in decision.cancels:
            self._cancel(order_id, strategy)
        if decision.changes:
            self._change_all(decision.changes, message.changes)
        self._send_waiting()

    def _send_waiting(self) -> None:
        for sending in self._sendings:
            if sending.queue.waiting:
                sending.send_waiting()

    def _change_all(
        self, changes: tuple[Change, ...], verdicts: tuple[Verdict, ...]
    ) -> None:
        for change, verdict in zip(changes, verdicts, strict=True):
            row = self._book.open.get(change.order_id)
            if row is not None:
                self._lines[row.venue].sending.change(
                    change.order_id, change.terms, verdict.reserved, verdict.reason
                )

    def _intend(self, message: Vetted) -> None:
        # Held in attributes, they would be looked for as methods first.
        record, venue_of, now_us = self._journal, self._venue_of, self._now_us
        verdicts = message.drafts
        for index, draft in enumerate(message.decision.drafts):
            verdict, leg = verdicts[index], draft.leg
            if verdict.reserved is None:
                self._record(refused(message, draft, index, verdict.reason))
                continue
            venue = venue_of(draft.terms.instrument)
            made = intended(message, draft, index, verdict.reserved, venue)
            record(made)
            row = self._book.intended(made, now_us(), message.generation)
            if leg is None or leg.list_id == draft.order_id:
                self._lines[venue].sending.queue.add(row)

    # --- doubt ---------------------------------------------------------------

    def _look_up_again(self, order_id: str) -> None:
        """Ask again what could not be asked, or what got no answer."""
        row = self._book.rows.get(order_id)
        if row is None:
            return
        resolver = self._lines[row.venue].doubts.resolver
        if resolver.due(order_id):
            resolver.ask(order_id)

    def _resolve(self, message: Resolve) -> str:
        """Take a person's word; return why not, or nothing."""
        row = self._book.rows.get(message.order_id)
        why = refusal(row, message)
        if row is None or why:
            return why
        for record in records_of(row, message, utc_from_us(self._now_us())):
            self._record(record)
        self._lines[row.venue].doubts.resolver.settle(row.order_id)
        self._send_waiting()
        return ""

    def _record(self, event: ev.Event) -> None:
        record = self._journal
        record(event)
        self._book.apply(event)
