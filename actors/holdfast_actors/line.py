"""One venue, as `orders` sees it: what is sent there, in doubt there, and said there.

Window, session, watermark and promises are each venue's own, so that one which hangs
holds nothing back that is meant for another. The book is one for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_actors.doubts import Doubts
from holdfast_actors.evidence import (
    filled_up,
    is_unasked,
    latest,
    overrules,
    record_of,
    reopening,
)
from holdfast_actors.inspection import Inspection
from holdfast_actors.kin import Kin
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.requests import (
    GATES,
    Asked,
    Evidence,
    Greet,
    How,
    SessionUp,
)
from holdfast_actors.resolver import Patience
from holdfast_actors.sending import Sending
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import Corrected, Executed, VenueEvent
from holdfast_runtime import Ref

ASKING = frozenset({
    OrderState.SENT,
    OrderState.UNKNOWN,
    OrderState.CANCEL_PENDING,
    OrderState.REPLACE_PENDING,
})  # fmt: skip
"""Where an order stands while a request about it has not come to its end."""

_WORKS = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
_UNKNOWN = OrderState.UNKNOWN
_SUBMIT, _STREAM, _LOOKUP, _GAP = Asked.SUBMIT, Asked.STREAM, Asked.LOOKUP, Asked.GAP
_ANSWERED = How.ANSWERED
_COUNTS = (ev.OrderFilled, ev.FillCorrected, ev.FillBusted)
"""What changes how much of an order is filled."""


class Line:
    """Draws from what a venue says the records of its orders."""

    def __init__(
        self,
        venue: str,
        *,
        book: OrderBook,
        session: Ref[Any],
        guard: Ref[Any],
        record: Callable[[ev.Event], None],
        after: Callable[[float, object], object],
        now_us: Callable[[], int],
        now_s: Callable[[], float],
        patience: Patience,
        call: Callable[[str], None],
        incarnation: int,
        kin: Kin | None = None,
    ) -> None:
        """Share ``book``, which takes what is recorded, with the other lines."""
        self.venue = venue
        self._book = book
        self._executions = book.executions[venue]
        self._session = session
        self._record = record
        self._kin = kin
        self.sending = Sending(
            venue,
            book=book,
            session=session,
            guard=guard,
            record=record,
            after=after,
            now_us=now_us,
            now_s=now_s,
            patience=patience,
            incarnation=incarnation,
        )
        self.doubts = Doubts(
            book=book,
            venue=venue,
            session=session,
            record=record,
            after=after,
            now_s=now_s,
            patience=patience,
            call=call,
            incarnation=incarnation,
        )
        self.inspection = Inspection(
            book=book,
            venue=venue,
            session=session,
            doubts=self.doubts,
            record=record,
        )
        self._early: list[Evidence] | None = [] if incarnation > 1 else None
        """What was said to the incarnation before; None once it is taken."""

        self._firsts: set[str] = set()
        """Orders that the session that is up is asked about before anything else."""

    def greet(self) -> None:
        """Ask the session to say that it is up."""
        self._session.tell(Greet())

    def hear(self, message: Evidence) -> None:
        """Take what the venue said, and how a request to it ended.

        Of what was said to the incarnation before, the first may have died with it. So
        the rest waits: the session tells again what the step brought about, and the
        list of executions has them in the order in which they happened.
        """
        if self._early is not None and self._comes_early(message, self._early):
            return
        order_id, asked = message.order_id, message.asked
        sending, doubts = self.sending, self.doubts
        if message.again_s:
            sending.be_quiet(message.again_s)
        if asked is _SUBMIT:
            sending.in_flight.discard(order_id)
        elif asked is not _STREAM:
            sending.answered(asked, order_id)
        row = self._book.rows.get(order_id)
        if asked is _LOOKUP and row is not None:
            self._looked_up(row, message)
        else:
            for event in latest(message.events):
                self._venue_said(event, asked)
        if asked is _GAP:
            doubts.gap_heard(message)
        elif row is not None and (
            message.how is not _ANSWERED
            or row.state in ASKING
            or order_id in doubts.resolver.cases
        ):
            self._answered(row, message)
        if doubts.behind or sending.queue.waiting:
            self._go_on()

    def _comes_early(self, message: Evidence, early: list[Evidence]) -> bool:
        """Tell whether ``message`` is not to be taken now: it waits with the others.

        The one for which they wait is taken here, with all of them.
        """
        is_gap = message.asked is _GAP
        is_new = bool(self.sending.session_number)
        if is_new and (message.asked is _STREAM or message.order_id in self._firsts):
            return False
        if is_new or (is_gap and message.how is not _ANSWERED):
            self._early = None
            for each in (message, *early) if is_gap else (*early, message):
                self.hear(each)
        else:
            early.append(message)
        return True

    def _go_on(self) -> None:
        """Ask for what is missing, and send what an answer has made room for."""
        if self.doubts.behind:
            self.doubts.ask_of_missing()
        if self.sending.queue.waiting:
            self.sending.send_waiting()

    def _answered(self, row: OrderRow, message: Evidence) -> None:
        """Draw the conclusion from how a request about an order ended."""
        if message.asked is Asked.LOOKUP:
            self.doubts.resolver.answered(row.order_id)
        if row.is_open and message.how is not How.ANSWERED:
            self._request_failed(row, message)
        elif row.state is OrderState.SENT:
            self.doubts.doubt(row, "the venue answered, and did not speak of it")
        elif message.asked is Asked.LOOKUP:
            self._ask_once_more(row, message)
        self.doubts.go_on(row, message)
        if row.leg is not None:
            self.sending.settle_list(row)
            if message.how is How.ANSWERED and message.asked is Asked.LOOKUP:
                self.doubts.entry_told(row, message.asked_s)

    def _request_failed(self, row: OrderRow, message: Evidence) -> None:
        match message.asked:
            case Asked.LOOKUP:
                absent = message.how is How.ABSENT
                if absent and self.doubts.is_absent(row, message):
                    self._not_sent(row, message)
            case Asked.SUBMIT:
                self._submit_failed(row, message)
            case _ if message.how is How.UNKNOWN:
                # It stays where it is: what may have left makes it smaller, or is
                # reserved for. A lookup tells.
                self.doubts.resolver.doubt_again(row.order_id)
            case _ if message.how is How.NOT_SENT and message.reason in GATES:
                # The new session is being asked; by its answer it goes out again.
                if message.asked is Asked.REPLACE:
                    self.sending.unsent.add(row.order_id)
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
            self.doubts.doubt(row, message.reason)
        elif row.state in (OrderState.SENT, OrderState.UNKNOWN):
            # Each submit of an order ended in a proof before the next was made.
            self._not_sent(row, message)

    def _not_sent(self, row: OrderRow, message: Evidence) -> None:
        self.doubts.resolver.settle(row.order_id)
        if self._early:
            # How its submit ended is known now. Heard later, it would be the word on
            # the next one.
            self._early = [e for e in self._early if not _is_end_of(e, row.order_id)]
        self.sending.not_sent(row, message.reason, message.again_s)

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
        self.doubts.resolver.ask(row.order_id)

    def _ask_once_more(self, row: OrderRow, message: Evidence) -> None:
        """Ask again for what a lookup shows that the venue has not done."""
        if row.state is OrderState.CANCEL_PENDING:
            self.sending.ask_to_cancel(row.order_id)
        elif row.state is OrderState.REPLACE_PENDING and (
            row.order_id in self.sending.unsent or self.doubts.is_settled(row, message)
        ):
            self.sending.replace(row)

    def _looked_up(self, row: OrderRow, message: Evidence) -> None:
        """Take a story that fits; an order of which nothing is left ends by it.

        Its fills alone do not end it while it is to become larger.
        """
        if not self.doubts.fits(row, message):
            return
        for event in latest(message.events):
            self._venue_said(event, _LOOKUP)
        works = row.state in _WORKS and row.order_id not in self.sending.replacing
        quantity = row.terms.quantity
        if (
            message.how is _ANSWERED
            and works
            and row.filled >= quantity.value
            and not row.recounted
        ):
            self._record(filled_up(row, quantity))

    def _venue_said(self, event: VenueEvent, asked: Asked) -> None:
        book = self._book
        row = book.rows.get(event.order_id)
        if row is None or row.venue != self.venue:
            self._said_of_others(event, row)
            return
        if row.order_id not in book.open and overrules(row, event, self._executions):
            self._reopen(row, event)
        made, record = record_of(row, event, asked, self._executions), self._record
        if made is not None:
            record(made)
            if row.cancel_wanted or row.leg is not None or type(event) is Corrected:
                self._do_next(row, event, made)
        elif is_unasked(row, event, asked):
            self.doubts.resolver.ask(row.order_id)
        if row.recounted:
            if row.is_open and isinstance(made, _COUNTS):
                # The venue's count of it need not be ours.
                self.doubts.left_unknown(row)
        elif type(event) is Executed and event.cumulative.value > row.filled:
            self.doubts.fell_behind(row, event)
        if row.state is _UNKNOWN:
            self.doubts.look_up(row)

    def _said_of_others(self, event: VenueEvent, row: OrderRow | None) -> None:
        """Take what is said of an order that is not known, or is another venue's."""
        if row is None and self._kin is not None:
            self._kin.unknown(event.order_id)
        self.inspection.adopt(event)

    def _reopen(self, row: OrderRow, event: VenueEvent) -> None:
        """Take back how an order ended: the venue overrules it."""
        for each in reopening(row, event, self._executions):
            self._record(each)

    def _do_next(self, row: OrderRow, event: VenueEvent, record: ev.Event) -> None:
        """Do what follows from the venue's word for a cancel or a list that waits.

        A correction that was booked as what it corrects is to be known by its id, too.
        """
        if isinstance(event, Corrected) and isinstance(record, ev.OrderFilled):
            known = record_of(row, event, _STREAM, self._executions)
            if known is not None:
                self._record(known)
        if row.cancel_wanted and isinstance(record, ev.OrderAccepted):
            self.sending.cancel(row.order_id, row.strategy)
        if row.leg is not None:
            self.sending.settle_list(row)
            if isinstance(record, ev.OrderFilled):
                self.doubts.exit_filled(row)

    def stream_has_hole(self) -> None:
        """Ask for fills, and for what became of each order that is at the venue."""
        self.doubts.ask_gap()
        for row in list(self._book.open.values()):
            at_venue = row.state not in (
                OrderState.INTENT,
                OrderState.SENT,
                OrderState.NOT_SENT,
            )
            if row.venue == self.venue and at_venue:
                self.doubts.resolver.doubt(row.order_id)

    def session_up(self, message: SessionUp) -> None:
        """Doubt all that the session before had taken, and ask the new one."""
        if message.incarnation == self.sending.session_number:
            return
        self.sending.session_up(message.incarnation)
        self.sending.queue.in_step = message.in_step
        self.doubts.promises_of(message)
        here = [row for row in self._book.open.values() if row.venue == self.venue]
        firsts = self._asked_first(here)
        self._firsts = set(firsts)
        for row in firsts.values():
            if row.state is OrderState.SENT:
                self.doubts.doubt(row, "the session that had taken it died")
            else:
                self.doubts.resolver.doubt(row.order_id)
            self.sending.queue.keep_place(row)
        self.doubts.ask_gap()
        for row in here:
            if row.state in _WORKS and row.order_id not in firsts:
                self.doubts.resolver.doubt(row.order_id)
            if row.leg is not None and row.order_id == row.leg.list_id:
                # Who was to be told of its exits may have died before that.
                self.doubts.exit_filled(self._book.legs_of(row)[-1])
        self.sending.send_waiting()

    def _asked_first(self, here: list[OrderRow]) -> dict[str, OrderRow]:
        """Return the orders to be asked about before executions, by id, in order.

        What had been asked for came after all that is known, so each story is told in
        the order of the requests; what ends a leg may end the others of its list. Of
        the other orders the gap has the fills, in the order in which they happened;
        what is not a fill, such as its end, no gap tells.
        """
        asked = [row for row in here if row.state in ASKING]
        asked.sort(key=lambda row: row.place)
        return {
            leg.order_id: leg
            for row in asked
            for leg in (row, *self._book.legs_of(row))
            if leg.state in ASKING or leg.state in _WORKS
        }


def _is_end_of(message: Evidence, order_id: str) -> bool:
    """Tell whether it is about a submit of the order alone, and tells of no event."""
    is_submit = message.asked is _SUBMIT and message.order_id == order_id
    return is_submit and not message.events
