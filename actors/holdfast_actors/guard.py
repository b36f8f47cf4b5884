"""The guard: the gate before orders. Reservations, limits, the kill switch.

Its verdict and its reservation are one step, so two decisions can never spend the same
cash. A refusal is an answer, with its reason, and never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, assert_never

import attrs

from holdfast_actors.clock import HaltGate, MarketClock, PriceBoard
from holdfast_actors.degradation import Degradations, Degrade, Restore
from holdfast_actors.guardbook import GuardBook
from holdfast_actors.messages import (
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
from holdfast_actors.reservations import Reservation
from holdfast_actors.vetting import crosses, off_grid
from holdfast_domain import events as ev
from holdfast_domain.fills import HOUSE
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Money
from holdfast_domain.orders import OrderTerms, Side
from holdfast_runtime import Ref


@attrs.frozen(kw_only=True)
class Limits:
    """What the guard lets through; None is no limit. Times are market time."""

    max_order_notional: Decimal | None = None
    orders: int | None = None
    """Orders that a strategy may make within ``orders_period_s``."""

    orders_period_s: int = 60
    commission: Decimal = ZERO
    """The expected fee as a fraction of the notional; cash must cover it."""

    submit_valid_s: int = 60
    """How long after its decision an order may still be sent."""

    stale_after_s: int = 60
    """A new order on an input older than this is refused."""

    @property
    def recent_us(self) -> int:
        """How long an order counts against ``orders``; 0 where there is no limit."""
        return 0 if self.orders is None else self.orders_period_s * 1_000_000


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
    ) -> None:
        """Replay ``history``; ``path`` is the guard's place in the tree.

        ``venue_of`` tells where an instrument trades.
        """
        self._venue_of = venue_of
        self._instruments = instruments
        self._limits = limits
        self._prices = prices
        self._clock = clock
        self._gate = gate
        self._orders = orders
        self._record = record
        self._effect = effect
        self._book = GuardBook(instruments, gate, limits.recent_us)
        self._reservations = self._book.reservations
        self._replaying = True
        self._applied = replay(history, self._apply, path, self._book.load)
        self._replaying = False
        self._degradations = Degradations(
            known=self._book.degraded, gate=gate, record=record, effect=effect
        )

    def start(self) -> None:
        """Ask for the decisions that an incarnation before may have taken with it."""
        self._orders.tell(Missed())

    def handle(
        self,
        message: Decision
        | Committed
        | Unchanged
        | Readmit
        | Halt
        | Resume
        | Degrade
        | Restore
        | Report,
    ) -> object:
        """Dispatch one message; every kind is named here."""
        match message:
            case Decision():
                self._vet(message)
            case Committed(entry):
                if entry.sequence > self._applied:
                    self._apply(entry)
                    self._applied = entry.sequence
            case Unchanged(order_id):
                self._reservations.unwant(order_id)
            case Readmit():
                self._readmit(message)
            case Halt():
                self._halt(message)
            case Resume():
                self._resume(message)
            case Degrade() | Restore():
                self._degradations.handle(message)
            case Report():
                return dict(self._book.quarantined)
            case _:
                assert_never(message)
        return None

    # --- decisions -----------------------------------------------------------

    def _vet(self, decision: Decision) -> None:
        passed = self._book.passed.get(decision.strategy, 0)
        if decision.number <= passed:
            return
        if decision.number != passed + 1:
            # One before it was lost with an incarnation; to go on would skip it.
            self._orders.tell(Missed(decision.strategy))
            return
        self._book.passed[decision.strategy] = decision.number
        valid_us = self._limits.submit_valid_s * 1_000_000
        self._orders.tell(
            Vetted(
                decision,
                tuple([self._vet_draft(decision, draft) for draft in decision.drafts]),
                tuple([self._vet_change(decision, each) for each in decision.changes]),
                self._gate.generation,
                decision.time_us + valid_us,
            )
        )

    def _vet_draft(self, decision: Decision, draft: Draft) -> Verdict:
        reason = self._stops(
            decision.strategy, draft.terms.instrument, decision.time_us
        )
        reason = reason or self._over_rate(decision.strategy)
        if reason:
            return Verdict(None, reason)
        verdict = self._vet_terms(decision.strategy, draft.terms)
        if verdict.reserved is not None:
            self._reservations.reserve(
                draft.order_id, decision.strategy, draft.terms, verdict.reserved.amount
            )
            self._book.note(decision.strategy, self._clock.now_us)
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
        verdict = self._vet_terms(decision.strategy, change.terms, known)
        if verdict.reserved is not None:
            money = verdict.reserved.amount
            self._reservations.want(change.order_id, change.terms, money)
        return verdict

    def _vet_terms(
        self, strategy: str, terms: OrderTerms, known: Reservation | None = None
    ) -> Verdict:
        """Judge a new order, or new terms for the ``known`` one."""
        instrument = self._instruments.get(terms.instrument)
        last = self._prices.last(terms.instrument)
        if instrument is None or last is None:
            return Verdict(None, f"no price of {terms.instrument} yet")
        reason = off_grid(instrument, terms) or self._over_limits(
            strategy, instrument, terms, last, known
        )
        if reason:
            return Verdict(None, reason)
        if strategy == HOUSE:
            return self._vet_house(instrument, terms)
        already = known.money if known is not None else ZERO
        need = self._cash_needed(strategy, instrument, terms, last, known)
        free = self._reservations.account(strategy).free + already
        if terms.side is Side.BUY and need > free:
            return Verdict(None, f"not enough cash: needs {need}, has {free}")
        if terms.side is Side.SELL and need > 0:
            equity = self._equity(strategy)
            if self._shorted(strategy) + need > equity + already:
                return Verdict(None, f"not enough equity to sell {need} short")
        return Verdict(Money(need, instrument.currency))

    def _vet_house(self, instrument: Instrument, terms: OrderTerms) -> Verdict:
        """Let the house close what it holds, and no more; it has no cash of its own."""
        closable = max(ZERO, self._closable(HOUSE, terms, None))
        if terms.quantity.value > closable:
            return Verdict(None, f"the house has only {closable} to close")
        return Verdict(Money(ZERO, instrument.currency))

    def _cash_needed(
        self,
        strategy: str,
        instrument: Instrument,
        terms: OrderTerms,
        last: Decimal,
        known: Reservation | None,
    ) -> Decimal:
        """Return the cash that the part of an order needs that opens a position."""
        price = last
        if terms.limit_price is not None and terms.side is Side.BUY:
            price = min(last, terms.limit_price.value)
        units = self._opening_units(strategy, terms, known)
        if units <= 0:
            return ZERO
        return instrument.notional(price, units).amount * (1 + self._limits.commission)

    def _opening_units(
        self, strategy: str, terms: OrderTerms, known: Reservation | None
    ) -> Decimal:
        """Return how much of an order is not the closing of what is held."""
        quantity = terms.quantity.value
        if terms.side is Side.BUY:
            return quantity
        # What is filled of the order is no longer held, and no longer to be sold.
        filled = known.filled if known is not None else ZERO
        closing = self._closable(strategy, terms, known) + filled
        return quantity - max(ZERO, closing)

    def _closable(
        self, strategy: str, terms: OrderTerms, known: Reservation | None
    ) -> Decimal:
        """Return how much of the position no other order of that side closes."""
        name = terms.instrument
        held = self._reservations.account(strategy).positions.get(name, ZERO)
        pending = self._reservations.pending_units(strategy, name, terms.side)
        own = known.left if known is not None else ZERO
        return -held * terms.side.sign - (pending - own)

    def _worth(self, name: str, units: Decimal) -> Decimal:
        last = self._prices.last(name) or ZERO
        return self._instruments[name].notional(last, units).amount

    def _equity(self, strategy: str) -> Decimal:
        account = self._reservations.account(strategy)
        worth = (self._worth(name, units) for name, units in account.positions.items())
        return account.cash + sum(worth, ZERO)

    def _shorted(self, strategy: str) -> Decimal:
        """Return the value of all short positions, and of sells that may open some."""
        account = self._reservations.account(strategy)
        shorts = (
            -self._worth(name, units)
            for name, units in account.positions.items()
            if units < 0
        )
        held = sum(shorts, ZERO)
        pending = sum(
            (
                each.money
                for each in self._reservations.open.values()
                if each.strategy == strategy and each.terms.side is Side.SELL
            ),
            ZERO,
        )
        return held + pending

    def _over_limits(
        self,
        strategy: str,
        instrument: Instrument,
        terms: OrderTerms,
        last: Decimal,
        known: Reservation | None,
    ) -> str:
        price = terms.limit_price.value if terms.limit_price is not None else last
        notional = instrument.notional(price, terms.quantity.value).amount
        if notional < instrument.min_notional:
            return f"notional {notional} is below {instrument.min_notional}"
        limit = self._limits.max_order_notional
        if limit is not None and notional > limit:
            return f"notional {notional} is above the limit {limit}"
        if terms.reduce_only:
            filled = known.filled if known is not None else ZERO
            closable = max(ZERO, self._closable(strategy, terms, known))
            if terms.quantity.value - filled > closable:
                return f"reduce-only, but only {closable} are left to close"
        return self._trades_with_sibling(strategy, terms, last)

    def _trades_with_sibling(
        self, strategy: str, terms: OrderTerms, last: Decimal
    ) -> str:
        if len(self._reservations.accounts) <= 1:
            return ""
        for order_id, other in self._reservations.open.items():
            if (
                other.strategy != strategy
                and other.terms.instrument == terms.instrument
                and other.terms.side is not terms.side
                and other.terms.limit_price is not None
                and crosses(terms, other.terms, last)
            ):
                return f"would trade with order {order_id} of {other.strategy}"
        return ""

    def _over_rate(self, strategy: str) -> str:
        limit = self._limits.orders
        if limit is None:
            return ""
        if len(self._book.recent_at(strategy, self._clock.now_us)) >= limit:
            return f"more than {limit} orders in {self._limits.orders_period_s} s"
        return ""

    def _stops(self, strategy: str, instrument: str, time_us: int) -> str:
        """Return why a strategy may send nothing of an instrument; empty if it may."""
        if self._gate.halted:
            return f"halted: {self._gate.reason}"
        if self._gate.looks_at_venues and (
            why := self._gate.holds(self._venue_of(instrument))
        ):
            return why
        if self._book.quarantined and (
            f"strategy/{strategy}" in self._book.quarantined
            or f"instrument/{instrument}" in self._book.quarantined
        ):
            return "quarantined"
        if self._clock.now_us - time_us > self._limits.stale_after_s * 1_000_000:
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

    # --- the journal ---------------------------------------------------------

    def _apply(self, entry: ev.Entry) -> None:
        self._book.apply(entry, replaying=self._replaying)
