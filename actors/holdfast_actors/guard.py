"""The guard: the gate before orders. Reservations, limits, the kill switch.

Its verdict and its reservation are one step, so two decisions can never spend the same
cash. A refusal is an answer, with its reason, and never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias, assert_never

from holdfast_actors.clock import GuardMark, HaltGate, MarketClock, PriceBoard
from holdfast_actors.degradation import Degradations, Degrade, Restore
from holdfast_actors.guardbook import GuardBook
from holdfast_actors.messages import (
    CaughtUp,
    Change,
    Committed,
    Decision,
    Draft,
    Halt,
    Missed,
    Readmit,
    Readmitted,
    Report,
    Resume,
    Unchanged,
    Verdict,
    Vetted,
)
from holdfast_actors.replaying import replay
from holdfast_actors.vetting import Judge, Limits
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument
from holdfast_domain.orderlists import ROLES
from holdfast_runtime import Poisoned, Ref

Rarer: TypeAlias = (
    Unchanged | Readmit | CaughtUp | Halt | Resume | Degrade | Restore | Report
)
"""What the guard is told beside decisions and records."""


class Guard:
    """Owns reservations, limits and the kill switch; rebuilt from the journal."""

    def __init__(
        self,
        *,
        history: Iterable[ev.Entry],
        instruments: Mapping[str, Instrument],
        limits: Limits,
        prices: PriceBoard,
        clock: MarketClock,
        gate: HaltGate,
        orders: Ref[Any],
        record: Callable[[ev.Event], None],
        effect: Callable[[Callable[[], None]], None],
        path: str = "",
        venue_of: Callable[[str], str] = lambda _symbol: "",
        passed: GuardMark | None = None,
        incarnation: int = 1,
    ) -> None:
        """Replay ``history``; ``path`` is the guard's place in the tree.

        ``venue_of`` tells where an instrument trades. ``passed`` shows from now on
        which decisions this incarnation has passed, or knows of.
        """
        self._venue_of = venue_of
        self._valid_us = limits.submit_valid_s * 1_000_000
        self._rate, self._period_s = limits.orders, limits.orders_period_s
        self._stale_us = limits.stale_after_s * 1_000_000
        self._clock = clock
        self._gate = gate
        self._orders = orders
        self._record = record
        self._effect = effect
        self._book = GuardBook(instruments, gate, limits.recent_us)
        self._reservations = self._book.reservations
        self._judge = Judge(instruments, limits, prices, self._reservations)
        self._applied = replay(history, self._book.replay, path, self._book.load)
        if passed is not None:
            passed.passed = self._book.passed
        self._number = incarnation
        self._early: list[Decision] | None = [] if incarnation > 1 else None
        """What is to be judged once all is known that was passed; None: it is."""

        self._degradations = Degradations(
            known=self._book.degraded,
            outages=self._book.outages,
            gate=gate,
            record=record,
            effect=effect,
        )

    def start(self) -> None:
        """Ask for the decisions that an incarnation before may have taken with it.

        What it had passed is not all durable yet: it is on its way, and reserves. So
        no decision is judged before `orders` says that it is known here. Decisions come
        again if this one dies, too; what `orders` asks does not, and never waits.
        """
        self._orders.tell(Missed(number=0 if self._early is None else self._number))

    def handle(
        self,
        message: Decision | Committed | Rarer,
    ) -> object:
        """Dispatch one message; the rarer ones apart."""
        # The commonest by their very classes: a pattern that does not match is slow.
        if type(message) is Decision:
            if self._early is None:
                self._vet(message)
            else:
                self._early.append(message)
        elif type(message) is Committed:
            entry = message.entry
            if entry.sequence > self._applied:
                self._book.apply(entry.event)
                self._applied = entry.sequence
        else:
            return self._on_rarer(message)
        return None

    def _on_rarer(
        self,
        message: Rarer,
    ) -> object:
        match message:
            case Unchanged(order_id):
                self._reservations.unwant(order_id)
            case Readmit():
                self._readmit(message)
            case CaughtUp(number):
                self._caught_up(number)
            case Halt() | Resume():
                self._by_person(message)
            case Degrade() | Restore():
                self._degradations.handle(message)
            case Report():
                return dict(self._book.quarantined)
            case _:
                assert_never(message)
        return None

    # --- decisions -----------------------------------------------------------

    def _caught_up(self, number: int) -> None:
        """Judge what has waited; ask again if `orders` is new, and forgot.

        Raises:
            Poisoned: on a decision that cannot be judged; all of them come again.
        """
        early = self._early
        if early is None:
            return
        if number != self._number:
            if number == 0:
                self._orders.tell(Missed(number=self._number))
            return
        self._early = None
        for decision in early:
            try:
                self._vet(decision)
            except Exception as error:
                raise Poisoned(decision.origin, repr(error)) from error

    def _vet(self, decision: Decision) -> None:
        strategy, number, passed = decision.strategy, decision.number, self._book.passed
        known = passed.get(strategy, 0)
        if number != known + 1:
            if number > known:
                # One before it was lost with an incarnation; to go on would skip it.
                self._orders.tell(Missed(strategy))
            return
        passed[strategy] = number
        drafts = decision.drafts
        self._orders.tell(
            Vetted(
                decision,
                (self._vet_draft(decision, drafts[0]),)
                if len(drafts) == 1  # a list has more
                else self._vet_drafts(decision),
                self._vet_changes(decision) if decision.changes else (),
                self._gate.generation,
                decision.time_us + self._valid_us,
            )
        )

    def _vet_drafts(self, decision: Decision) -> tuple[Verdict, ...]:
        drafts = decision.drafts
        verdicts: list[Verdict] = []
        while len(verdicts) < len(drafts):
            draft = drafts[len(verdicts)]
            if draft.leg is None:
                verdicts.append(self._vet_draft(decision, draft))
            else:
                end = len(verdicts) + len(ROLES[draft.leg.kind])
                verdicts += self._vet_list(decision, drafts[len(verdicts) : end])
        return tuple(verdicts)

    def _vet_changes(self, decision: Decision) -> tuple[Verdict, ...]:
        return tuple([self._vet_change(decision, each) for each in decision.changes])

    def _vet_list(self, decision: Decision, drafts: Sequence[Draft]) -> list[Verdict]:
        """Pass a list or refuse it, whole."""
        strategy, first = decision.strategy, drafts[0].terms
        reason = self._stops(strategy, first.instrument, decision.time_us)
        if not reason and self._rate is not None:
            reason = self._over_rate(strategy, len(drafts), self._rate)
        verdicts = [] if reason else self._judge.legs(strategy, drafts)
        reason = reason or next((v.reason for v in verdicts if v.reason), "")
        if reason:
            return [Verdict(None, reason)] * len(drafts)
        for draft, verdict in zip(drafts, verdicts, strict=True):
            if verdict.reserved is not None:
                self._reserve(strategy, draft, verdict.reserved.amount)
        return verdicts

    def _reserve(self, strategy: str, draft: Draft, money: Decimal) -> None:
        self._reservations.reserve(
            draft.order_id, strategy, draft.terms, money, draft.leg
        )
        if self._rate is not None:
            self._book.note(strategy, self._clock.now_us)

    def _vet_draft(self, decision: Decision, draft: Draft) -> Verdict:
        strategy, terms = decision.strategy, draft.terms
        reason = self._stops(strategy, terms.instrument, decision.time_us)
        if not reason and self._rate is not None:
            reason = self._over_rate(strategy, 1, self._rate)
        if reason:
            return Verdict(None, reason)
        verdict = self._judge.terms(strategy, terms)
        if verdict.reserved is not None:
            self._reserve(strategy, draft, verdict.reserved.amount)
        return verdict

    def _vet_change(self, decision: Decision, change: Change) -> Verdict:
        reason = self._stops(
            decision.strategy, change.terms.instrument, decision.time_us
        )
        known = self._reservations.open.get(change.order_id)
        if reason or known is None:
            return Verdict(None, reason or "the order is not open")
        if known.wanted is not None:
            return Verdict(None, "new terms are under way")
        if known.leg is not None:
            return Verdict(None, "a leg of a list: cancel the list and place it anew")
        verdict = self._judge.terms(decision.strategy, change.terms, known)
        if verdict.reserved is not None:
            money = verdict.reserved.amount
            self._reservations.want(change.order_id, change.terms, money)
        return verdict

    def _over_rate(self, strategy: str, count: int, limit: int) -> str:
        recent = self._book.recent_at(strategy, self._clock.now_us)
        if len(recent) + count > limit:
            return f"more than {limit} orders in {self._period_s} s"
        return ""

    def _stops(self, strategy: str, instrument: str, time_us: int) -> str:
        """Return why a strategy may send nothing of an instrument; empty if it may."""
        gate, quarantined = self._gate, self._book.quarantined
        if gate.halted:
            return f"halted: {gate.reason}"
        if (gate.degraded or gate.timetables) and (
            why := gate.holds(self._venue_of(instrument))
        ):
            return why
        if quarantined and (
            f"strategy/{strategy}" in quarantined
            or f"instrument/{instrument}" in quarantined
        ):
            return "quarantined"
        if self._clock.now_us - time_us > self._stale_us:
            return "the input is too old"
        return ""

    def _readmit(self, message: Readmit) -> None:
        reason = self._stops(
            message.strategy, message.terms.instrument, self._clock.now_us
        )
        if not reason and self._clock.now_us > message.valid_until_us:
            reason = "its time to be sent has passed"
        self._orders.tell(Readmitted(message.order_id, reason, self._gate.generation))

    # --- the kill switch -----------------------------------------------------

    def _by_person(self, message: Halt | Resume) -> None:
        if isinstance(message, Halt):
            self._halt(message)
        else:
            self._resume(message)

    def _halt(self, message: Halt) -> None:
        if self._gate.halted:
            return
        # The gate closes at once, and only then the record is written: a halt must
        # not wait for a disk.
        self._gate.halted = True
        self._gate.generation += 1
        self._gate.reason = message.reason
        self._record(
            ev.Halted(
                reason=message.reason, by=message.by, generation=self._gate.generation
            )
        )

    def _resume(self, message: Resume) -> None:
        if not self._gate.halted:
            return
        self._record(ev.Resumed(reason=message.reason, by=message.by))
        self._effect(self._book.open_gate)
