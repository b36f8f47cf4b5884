"""The reconciler: compares the books with the venue, and edits nothing.

What it finds twice in a row it tells: as an adjustment in the journal, as a doubt to
`orders`, as a halt to the guard. It owns no balance, so its death costs a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, assert_never

import attrs

from holdfast_actors.clock import MarketClock, PriceBoard
from holdfast_actors.messages import Committed, Halt, Report, Resend
from holdfast_actors.reconciliation.asking import Asking, Failed
from holdfast_actors.reconciliation.assets import by_venue
from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.reconciliation.bracket import Seen
from holdfast_actors.reconciliation.comparing import Compared, Here, compare
from holdfast_actors.reconciliation.judging import Judge, Judged, text_of
from holdfast_actors.reconciliation.messages import (
    Answer,
    BooksView,
    BracketLate,
    Due,
    NextBracket,
    OrdersView,
    ReconcileNow,
    SetPolicies,
)
from holdfast_actors.reconciliation.people import record_of, refusal_of, report_of
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.reconciliation.trading_back import decision_of
from holdfast_actors.replaying import replay
from holdfast_actors.requests import SessionUp
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_runtime import Ref

BY: Final = "reconciler"


@attrs.define
class _Run:
    """A comparison with a venue, under way or waiting."""

    venue: str
    trigger: str
    any_size: bool = False
    brackets: int = 0
    last: Compared | None = None


class Reconciler:
    """Asks both sides in brackets; rebuilt from the journal."""

    def __init__(
        self,
        *,
        history: Iterable[ev.Entry],
        plan: ReconcilePlan,
        engine: int,
        instruments: Mapping[str, Instrument],
        prices: PriceBoard,
        clock: MarketClock,
        ids: Callable[[int, int], str],
        sessions: Mapping[str, Ref[Any]],
        orders: Ref[Any],
        ledger: Ref[Any],
        guard: Ref[Any],
        me: Ref[Any],
        record: Callable[[ev.Event], None],
        after: Callable[[float, object], object],
        now_s: Callable[[], float],
        call: Callable[[str], None] = lambda _text: None,
        incarnation: int = 1,
        path: str = "",
    ) -> None:
        """Replay ``history``; ``ids`` makes the id of a decision's n-th order.

        ``sessions`` are by venue; what names no venue trades at the first. ``call`` is
        told, aloud, what a person should look at.
        """
        self._book = ReconcileBook(plan.policies)
        self._applied = replay(
            history, lambda e: self._book.apply(e.event), path, self._book.load
        )
        # The plan may be another one than that by which something came to be owed.
        self._book.forget_debts()
        self._plan = plan
        self._instruments = instruments
        self._clock = clock
        self._ids = ids
        self._orders = orders
        self._guard = guard
        self._journal = record
        self._after = after
        self._now_s = now_s
        self._call = call
        self._incarnation = incarnation
        self._judges = {
            venue: Judge(
                venue=venue,
                # The account's name for good: it outlives starts and machines.
                account=f"{engine:08x}/{venue}",
                instruments=instruments,
                price=prices.last,
                plan=plan,
                book=self._book,
            )
            for venue in sessions
        }
        self._listed = by_venue(instruments, list(sessions))
        self._asking = Asking(
            me=me,
            sessions=sessions,
            orders=orders,
            ledger=ledger,
            incarnation=incarnation,
        )
        self._decision = self._book.decision
        self._run: _Run | None = None
        self._waiting: dict[str, _Run] = {}
        """By venue, what was asked for while another comparison was under way."""

        self._since: dict[str, str] = {}
        """From where executions are asked for; else from where `orders` would."""

        self._session_numbers: dict[str, int] = {}
        self._pauses: dict[str, float] = {}
        self._capital: Mapping[str, Decimal] = {}
        self._filled_s = float("-inf")
        self._ended_us = 0

    def start(self) -> None:
        """Compare, and from now on again and again."""
        self._after(self._plan.every_s, Due(self._incarnation))
        self._begin_all("start")

    def handle(
        self,
        message: Answer
        | OrdersView
        | BooksView
        | SessionUp
        | Committed
        | Due
        | NextBracket
        | BracketLate
        | ReconcileNow
        | SetPolicies
        | Resend
        | Report,
    ) -> object:
        """Dispatch one message; every kind is named here."""
        match message:
            case Answer() | OrdersView() | BooksView():
                self._on_answer(message)
            case SessionUp():
                self._on_session(message)
            case Committed(entry):
                if entry.sequence > self._applied:
                    self._applied = entry.sequence
                    self._on_record(entry.event)
            case Due() | NextBracket() | BracketLate():
                self._on_timer(message)
            case ReconcileNow(by, any_size):
                return self._begin_all(f"asked by {by}", any_size=any_size)
            case SetPolicies():
                return self._set_policies(message)
            case Resend(number):
                # A decision of ours was lost with whoever had it. What it was to
                # trade back is still owed, and the next comparison decides anew.
                self._decision = number
            case Report():
                running = self._run is not None
                return report_of(self._book, self._ended_us, running=running)
            case _:
                assert_never(message)
        return None

    # --- why it compares -----------------------------------------------------------

    def _begin_all(self, trigger: str, *, any_size: bool = False) -> int:
        """Compare with each venue; return the number that the last of it will have."""
        for venue in self._judges:
            self._begin(_Run(venue, trigger, any_size))
        return self._book.runs + len(self._waiting) + 1

    def _begin(self, run: _Run) -> None:
        """Begin, or wait for what is under way."""
        if self._run is None:
            self._run = run
            self._ask_anew()
        elif run.venue in self._waiting:
            waits = self._waiting[run.venue]
            waits.any_size = waits.any_size or run.any_size
        else:
            self._waiting[run.venue] = run

    def _on_session(self, message: SessionUp) -> None:
        """Compare after a reconnect; what the session before was asked is lost."""
        venue, run = message.venue, self._run
        known = self._session_numbers.get(venue)
        self._session_numbers[venue] = message.incarnation
        bound_s = message.promises.processing_bound_s
        self._pauses[venue] = max(self._plan.pause_s, bound_s)
        if message.incarnation == known:
            return
        if run is not None and run.venue == venue:
            if known is not None and self._asking.is_open:
                self._failed("the session was replaced")
        elif known is not None or venue not in self._book.opened:
            self._begin(_Run(venue, "reconnect"))

    def _on_record(self, event: ev.Event) -> None:
        """Compare after a large fill, but not after each of many."""
        self._book.apply(event)
        if not isinstance(event, ev.OrderFilled | ev.ExternalFilled):
            return
        fill: Fill = event.fill
        if self._is_large(fill) and (
            self._now_s() - self._filled_s >= self._plan.large_pause_s
        ):
            self._filled_s = self._now_s()
            named = self._instruments[fill.instrument].venue
            self._begin(_Run(named or next(iter(self._judges)), "large fill"))

    def _is_large(self, fill: Fill) -> bool:
        instrument = self._instruments.get(fill.instrument)
        if instrument is None or self._plan.large_fill <= ZERO:
            return False
        capital = self._capital.get(instrument.currency, ZERO)
        money = instrument.notional(fill.price.value, fill.quantity.value)
        return bool(capital) and abs(money) >= self._plan.large_fill * capital

    def _on_timer(self, message: Due | NextBracket | BracketLate) -> None:
        match message:
            case Due(incarnation) if incarnation == self._incarnation:
                self._after(self._plan.every_s, message)
                if self._run is None:
                    self._begin_all("timer")
            case NextBracket(number) if number == self._asking.began:
                if self._run is not None and not self._asking.is_open:
                    self._ask_anew()
            case BracketLate(number) if number == self._asking.began:
                if self._asking.is_open:
                    self._failed(f"no answer within {self._plan.bracket_s:g} s")
            case _:
                """It is of another incarnation, or of a bracket that is over."""

    # --- one bracket ----------------------------------------------------------------

    def _ask_anew(self) -> None:
        run = self._run
        assert run is not None
        run.brackets += 1
        self._asking.begin(run.venue, self._since.get(run.venue))
        self._after(self._plan.bracket_s, BracketLate(self._asking.began))

    def _on_answer(self, message: Answer | OrdersView | BooksView) -> None:
        found = self._asking.take(message)
        if isinstance(found, Failed):
            self._failed(found.why)
        elif found is not None:
            self._compare(found)

    def _failed(self, why: str) -> None:
        """Count a bracket that says nothing; what the one before said is void."""
        run = self._run
        assert run is not None
        self._asking.drop()
        run.last = None
        self._since.pop(run.venue, None)
        if run.brackets >= self._plan.tries:
            self._conclude(None, Compared(differences=(), unclear={"all": why}), [])
        else:
            # There is nothing to confirm, so nothing that the venue may show late: an
            # account that trades often must find its quiet moment soon.
            self._later(self._plan.pause_s)

    def _later(self, pause_s: float) -> None:
        self._after(pause_s, NextBracket(self._asking.began))

    # --- what came of it -------------------------------------------------------------

    def _compare(self, seen: Seen) -> None:
        """Take a bracket; a difference counts when the one before had it, too."""
        run = self._run
        assert run is not None
        self._capital = seen.books.capital
        self._since[run.venue] = seen.next_watermark
        here = Here(
            positions=seen.books.positions,
            cash=seen.books.cash,
            lines=seen.orders.lines,
            fills=seen.orders.fills,
            ended=seen.orders.ended,
            external={
                name
                for name, known in self._book.external.items()
                if known.venue == run.venue
            },
        )
        found = compare(here, seen.there, self._listed[run.venue], self._plan)
        before, run.last = run.last, found
        known = () if before is None else before.differences
        confirmed = [each for each in found.differences if each in known]
        is_settled = len(confirmed) == len(found.differences) and not found.unclear
        if is_settled or run.brackets >= self._plan.tries:
            self._conclude(seen, found, confirmed)
        else:
            self._later(self._pauses.get(run.venue, self._plan.pause_s))

    def _conclude(
        self, seen: Seen | None, found: Compared, confirmed: list[Any]
    ) -> None:
        run = self._run
        assert run is not None
        judged = Judged()
        if seen is not None:
            judge = self._judges[run.venue]
            judged = judge.judge(confirmed, seen, any_size=run.any_size)
        unclear = [f"{name}: {why}" for name, why in found.unclear.items()]
        unclear += [
            f"{text_of(each)}: it has shown once"
            for each in found.differences
            if each not in confirmed
        ]
        for record in judged.records:
            self._record(record)
        self._record(self._reconciled(run, seen, judged, unclear))
        self._ended_us = self._clock.now_us
        self._say(judged, unclear)
        if seen is not None:
            self._trade_back(seen)
        self._run = None
        if self._waiting:
            self._begin(self._waiting.pop(next(iter(self._waiting))))

    def _reconciled(
        self, run: _Run, seen: Seen | None, judged: Judged, unclear: list[str]
    ) -> ev.Reconciled:
        verdict = "differed" if judged.findings else "agreed"
        return ev.Reconciled(
            venue=run.venue,
            run=self._book.runs + 1,
            trigger=run.trigger,
            brackets=run.brackets,
            verdict="inconclusive" if unclear else verdict,
            watermark="" if seen is None else seen.watermark,
            sequence=0 if seen is None else seen.books.sequence,
            findings=tuple(judged.findings),
            unclear=tuple(unclear),
        )

    def _say(self, judged: Judged, unclear: list[str]) -> None:
        """Tell those whom it concerns; it leaves when the records are durable."""
        for message in judged.messages:
            self._orders.tell(message)
        if judged.halts:
            self._guard.tell(Halt(f"reconciliation: {'; '.join(judged.halts)}", BY))
        for each in judged.findings:
            self._call(f"{text_of(each.difference)}: {each.action}, {each.why}")
        for text in unclear:
            self._call(f"reconciliation is inconclusive: {text}")

    def _trade_back(self, seen: Seen) -> None:
        """Let an order go out for each position that the venue is to be brought to."""
        decision = decision_of(
            self._book.owed,
            seen.orders.lines,
            self._instruments,
            self._clock,
            self._decision + 1,
            lambda index: self._ids(self._decision + 1, index),
        )
        if decision is not None:
            self._decision = decision.number
            self._guard.tell(decision)

    def _set_policies(self, message: SetPolicies) -> str:
        refused = refusal_of(message)
        if not refused:
            self._record(record_of(message, self._book.policies))
        return refused

    def _record(self, event: ev.Event) -> None:
        self._journal(event)
        self._book.apply(event)
