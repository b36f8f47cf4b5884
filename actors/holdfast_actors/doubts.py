"""The part of `orders` that asks: of orders in doubt, and of executions not heard of.

Evidence ends a doubt; what counts as such is decided here and in `evidence`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_actors.evidence import misfit
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.requests import (
    Asked,
    AskGap,
    AskGapAgain,
    Evidence,
    How,
    LookUp,
    SessionUp,
)
from holdfast_actors.resolver import Patience, Resolver
from holdfast_domain import events as ev
from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import Executed, VenuePromises
from holdfast_runtime import Ref

PROVES_NOTHING = VenuePromises(proves_absence=False, processing_bound_s=0.0)
"""What a venue promises that has not been heard of."""


class Doubts:
    """Asks a venue's session, and says what its answers are worth."""

    def __init__(
        self,
        *,
        book: OrderBook,
        venue: str,
        session: Ref[Any],
        record: Callable[[ev.Event], None],
        after: Callable[[float, object], object],
        now_s: Callable[[], float],
        patience: Patience,
        call: Callable[[str], None],
        incarnation: int,
    ) -> None:
        self._book = book
        self._executions = book.executions[venue]
        self._venue = venue
        self._session = session
        self._record = record
        self._after = after
        self._patience = patience
        self._call = call
        self._incarnation = incarnation
        self.resolver = Resolver(
            ask=self._look_up,
            after=after,
            now_s=now_s,
            patience=patience,
        )
        self.promises = PROVES_NOTHING
        self._session_number = 0
        self._gap_s = patience.first_s
        self.behind: dict[str, Executed] = {}
        """Orders of which the venue has executed more than is booked."""

        self._now_s = now_s
        self._excess_s: dict[str, float] = {}
        """Entries that are asked about since then, for their exits traded more."""

    # --- executions that were not heard of -----------------------------------

    def promises_of(self, message: SessionUp) -> None:
        """Take a session's promises; from now on it is the one that is asked."""
        self.promises = message.promises
        self._session_number = message.incarnation

    def ask_gap(self) -> None:
        """Ask for what was missed, now."""
        self._session.tell(AskGap(self._executions.watermark))

    def gap_is_due(self, message: AskGapAgain) -> None:
        """Ask again, unless the timer is of another session, or was set before us."""
        if message == self._timer:
            self.ask_gap()

    @property
    def _timer(self) -> AskGapAgain:
        return AskGapAgain(self._venue, self._incarnation, self._session_number)

    def gap_heard(self, message: Evidence) -> None:
        """Cover what was shown, in the commit of its fills; and ask again in time."""
        executions, patience = self._executions, self._patience
        again_s = patience.gap_s
        if message.how is How.ANSWERED:
            self._gap_s = patience.first_s
            if message.watermark != executions.watermark:
                self._cover(message.watermark)
        else:
            again_s = max(self._gap_s, message.again_s)
            self._gap_s = min(2 * self._gap_s, patience.limit_s)
            if message.how is How.REFUSED and executions.watermark:
                # It knows its own word no more: all is asked for, and merged.
                self._cover("")
        if again_s is not None:
            self._after(again_s, self._timer)

    def _cover(self, watermark: str) -> None:
        self._record(ev.ExecutionsCovered(venue=self._venue, watermark=watermark))

    def fell_behind(self, row: OrderRow, event: Executed) -> None:
        """Note that the venue has executed more of an order than is booked."""
        known = self.behind.get(row.order_id)
        if known is None or event.cumulative.value > known.cumulative.value:
            self.behind[row.order_id] = event

    def ask_of_missing(self) -> None:
        """Ask of each order that is not complete by the venue's own count."""
        for order_id in list(self.behind):
            if self._is_behind(order_id) and order_id not in self.resolver.cases:
                self.resolver.ask(order_id)

    def _is_behind(self, order_id: str) -> bool:
        said = self.behind.get(order_id)
        if said is None:
            return False
        row = self._book.rows[order_id]
        if row.filled < said.cumulative.value and not row.recounted:
            return True
        del self.behind[order_id]
        return False

    # --- orders in doubt -----------------------------------------------------

    def doubt(self, row: OrderRow, why: str) -> None:
        """Record that an order is in doubt, and ask."""
        self._record(
            ev.OrderUnknown(order_id=row.order_id, strategy=row.strategy, why=why)
        )
        self.resolver.doubt(row.order_id)

    def left_unknown(self, row: OrderRow) -> None:
        """Doubt an order of which only the venue can say what is left, and ask."""
        if row.is_in_doubt:
            self.resolver.doubt(row.order_id)
        else:
            self.doubt(row, "an execution was taken back: what is left is not known")

    def look_up(self, row: OrderRow) -> None:
        """Ask about an order that has become unknown, unless it is asked about."""
        if row.order_id not in self.resolver.cases:
            self.resolver.doubt(row.order_id)

    def _look_up(self, order_id: str) -> None:
        meant_us = self._book.rows[order_id].intended_us
        self._session.tell(LookUp(order_id, meant_us))

    def fits(self, row: OrderRow, message: Evidence) -> bool:
        """Tell whether what a lookup found is this order; if not, it is kept."""
        skew_us = int(self.promises.clock_skew_s * 1_000_000)
        if message.story is None:
            return True
        why = misfit(row, message.story, skew_us)
        if why:
            self._deny(row, f"the venue has another order under that id: {why}")
        return not why

    def is_absent(self, row: OrderRow, message: Evidence) -> bool:
        """Tell whether an answer proves that the venue does not have the order."""
        order_id = row.order_id
        if row.venue_order_id or row.filled:
            self._deny(row, f"was accepted, and now: {message.reason}")
            return False
        if row.state is not OrderState.UNKNOWN or not self.promises.proves_absence:
            return False
        asked_s = message.asked_s
        return not self.resolver.missing_s(order_id, asked_s, self.promises)

    def is_settled(self, row: OrderRow, message: Evidence) -> bool:
        """Tell whether a lookup left late enough to show all that was asked before."""
        asked_s = message.asked_s
        return not self.resolver.missing_s(row.order_id, asked_s, self.promises)

    def _deny(self, row: OrderRow, why: str) -> None:
        """Journal once for each doubt what the venue says and we do not believe."""
        case = self.resolver.case(row.order_id)
        if not case.denied:
            case.denied = True
            text = f"{row.order_id}: {why}"
            self._record(ev.StrayEvidence(venue=self._venue, text=text))

    def exit_filled(self, row: OrderRow) -> None:
        """Ask of an entry whose exits have traded more: its fill may be on its way."""
        entry = self._book.legs_of(row)[0]
        if entry is not row and self._excess(row):
            if entry.is_open:
                self._excess_s[entry.order_id] = self._now_s()
                self.resolver.ask(entry.order_id)
            else:
                self._tell_excess(row)

    def entry_told(self, row: OrderRow, asked_s: float) -> None:
        """Call a person if exits have traded more than their entry by its lookup.

        One that was asked before the exits' last fill need not show all of the entry's.
        """
        seen_s = self._excess_s.pop(row.order_id, None)
        if seen_s is None or not self._excess(row):
            return
        if asked_s > seen_s:
            self._tell_excess(row)
        else:
            self._excess_s[row.order_id] = seen_s
            self.resolver.later(row.order_id)

    def _excess(self, row: OrderRow) -> str:
        """Return by what the exits of a bracket have traded more than its entry."""
        entry, *exits = legs = self._book.legs_of(row)
        sold = sum((each.filled for each in exits), ZERO)
        is_bracket = row.leg is not None and row.leg.kind is ListKind.BRACKET
        if not is_bracket or sold <= entry.filled:
            return ""
        if any(each.called or each.recounted for each in legs):
            return ""  # a person knows, or may know better
        return f"the exits of its list have traded {sold}, its entry {entry.filled}"

    def _tell_excess(self, row: OrderRow) -> None:
        why = self._excess(row)
        name = next(o.order_id for o in self._book.legs_of(row)[1:] if o.filled)
        self._record(
            ev.AttentionNeeded(order_id=name, strategy=row.strategy, why=why, tries=1)
        )
        self._call(f"order {name}: {why}")

    def go_on(self, row: OrderRow, message: Evidence) -> None:
        """Ask again of what is not known yet, and of nothing else."""
        order_id = row.order_id
        failed = message.asked is Asked.LOOKUP and message.how is not How.ANSWERED
        behind = self._is_behind(order_id)
        if row.is_open and (row.is_in_doubt or behind or failed):
            asked_s = message.asked_s
            missing_s = 0.0
            if asked_s and row.state is OrderState.UNKNOWN:
                missing_s = self.resolver.missing_s(order_id, asked_s, self.promises)
            self.resolver.later(order_id, max(missing_s, message.again_s))
            self._call_in_time(row)
        elif not behind:
            self.resolver.settle(order_id)

    def _call_in_time(self, row: OrderRow) -> None:
        if row.called or not self.resolver.wants_person(row.order_id):
            return
        tries = self.resolver.case(row.order_id).tries
        self._record(
            ev.AttentionNeeded(
                order_id=row.order_id,
                strategy=row.strategy,
                why=f"{row.state.value}, and no evidence",
                tries=tries,
            )
        )
        self._call(f"order {row.order_id} is {row.state.value}, asked {tries} times")
