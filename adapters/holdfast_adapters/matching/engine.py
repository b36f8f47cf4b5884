"""The engine: takes requests and bars, keeps the book, says what a venue would say.

Each change of its state is an `EngineRecord` or an admission (`admit`, `amend`).
Applying the same ones in order to a new engine gives the same state, which is how its
owner recovers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from holdfast_adapters.matching.bars import Bars
from holdfast_adapters.matching.book import MatchBar, Working, working
from holdfast_adapters.matching.checks import check_list, check_replacement, checked
from holdfast_adapters.matching.filling import executed, slipped
from holdfast_adapters.matching.lists import Lists
from holdfast_adapters.matching.model import (
    NEVER_US,
    BookEvent,
    EngineRecord,
    FillAt,
    FillModel,
    MarketView,
    SessionEnd,
    Trailed,
    Triggered,
    VolumeTaken,
    utc_day_end_us,
)
from holdfast_adapters.matching.rules import best_of, hit, is_at_or_better
from holdfast_domain.errors import DuplicateOrder, VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import us_of
from holdfast_domain.money import ZERO, to_decimal
from holdfast_domain.orders import OrderTerms, OrderType, TimeInForce
from holdfast_domain.ports import (
    Acked,
    Ended,
    Executed,
    Replaced,
    VenueEvent,
    VenueOrder,
)

_ACTIVE = (OrderType.MARKET, OrderType.LIMIT)
_MARKET, _TRAILING_STOP = OrderType.MARKET, OrderType.TRAILING_STOP
_AT_ANY_PRICE = (_MARKET, OrderType.STOP, _TRAILING_STOP)
"""What trades at any price, and so pays the slippage."""


class MatchingEngine:
    """One book for each instrument; orders of a book match in their order of arrival.

    Synchronous, without a clock or randomness: the same calls give the same answers.
    What it answers has already been applied to its state.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        model: FillModel,
        *,
        session_end_us: SessionEnd = utc_day_end_us,
        record: Callable[[EngineRecord], object] | None = None,
    ) -> None:
        """Give each record, in order, to ``record`` as it is applied."""
        self.instruments = instruments
        self.model = model
        self.open: dict[str, dict[str, Working]] = {}
        """Working orders by symbol and id; a symbol is there only while it has one."""

        self._session_end_us = session_end_us
        self._record = record or _forget
        self._at_last_close = model.fill is FillAt.THIS_CLOSE
        self._slip = model.slippage_bps / 10_000
        self._slips = _AT_ANY_PRICE if self._slip else ()
        self._known: dict[str, Working | None] = {}
        self._lists = Lists()
        self._bars = Bars(model.participation)
        self._executions = 0

    def has_open(self, symbol: str) -> bool:
        """Tell whether an order of ``symbol`` works; if none does, skip its bars."""
        return symbol in self.open

    def submit(self, order: VenueOrder, now: MarketView) -> list[VenueEvent]:
        """Take ``order`` into the book.

        Raises:
            VenueRefused: the codes of `checks.checked`.
            DuplicateOrder: the id was used before, be it by an order that has ended.
        """
        if order.order_id in self._known:
            raise _known_before(order)
        checked(order.terms, self.instruments, now)
        made = self.admit(order)
        said: list[VenueEvent] = [self._acked(made, now)]
        self._match_at_last(made, made.since_us, now, said)
        return said

    def submit_list(
        self, orders: Sequence[VenueOrder], now: MarketView
    ) -> list[VenueEvent]:
        """Take the legs of a list into the book, all or none.

        Raises:
            VenueRefused: the codes of `checks.check_list`.
            DuplicateOrder: an id was used before.
        """
        for each in orders:
            if each.order_id in self._known:
                raise _known_before(each)
        check_list(orders, self.instruments, now)
        entered, said = list[Working](), list[VenueEvent]()
        for each in orders:
            entered.append(self.admit(each))
            said.append(self._acked(entered[-1], now))
        # Before the first is filled, which lets the others go: for what comes later.
        since_us = [each.since_us for each in entered]
        for made, at_us in zip(entered, since_us, strict=True):
            self._match_at_last(made, at_us, now, said)
        return said

    def _acked(self, order: Working, now: MarketView) -> Acked:
        """Return what is said of the newest order; a trailing stop begins with it."""
        name, record = f"V{len(self._known)}", self._record
        event = Acked(order_id=order.order_id, venue_order_id=name)
        record(event)
        if order.kind is _TRAILING_STOP:
            self._trail_last(order, now)
        return event

    def cancel(self, order_id: str) -> list[VenueEvent]:
        """End what is left of the order.

        Raises:
            VenueRefused: with the code ``unknown_order`` or ``not_working``.
        """
        order, said = self._working(order_id), list[VenueEvent]()
        self._end(order, "canceled", "on request", said)
        return said

    def replace(
        self, order_id: str, terms: OrderTerms, now: MarketView
    ) -> list[VenueEvent]:
        """Give the order new terms; their quantity counts what is filled too.

        It keeps its place among the orders of its symbol.

        Raises:
            VenueRefused: the codes of `cancel`, `checks.checked` and
                `checks.check_replacement`.
        """
        order, said = self._working(order_id), list[VenueEvent]()
        check_replacement(order, terms)
        checked(terms, self.instruments, now)
        self.amend(order_id, terms, now.time_us)
        self._say(Replaced(order_id=order_id, terms=terms), said)
        self._match_at_last(order, now.time_us, now, said)
        return said

    def on_bar(
        self,
        symbol: str,
        *,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        opened_at_us: int,
        ended_at_us: int,
    ) -> list[VenueEvent]:
        """Match the open orders of ``symbol`` against a bar; return what happened.

        An order takes part only if it was placed at or before the bar's opening.
        Giving a bar a second time changes nothing.
        """
        book = self.open.get(symbol)
        said: list[VenueEvent] = []
        if book is None:
            return said
        bar: MatchBar | None = None
        for order in list(book.values()):
            if order.expires_us <= opened_at_us:
                self._end(order, "expired", "its time in force ran out", said)
            elif order.since_us <= opened_at_us and not order.is_out_of_reach(
                low, high
            ):
                if bar is None:
                    prices = (open_, high, low, close)
                    bar = self._bars.made(
                        order, prices, volume, opened_at_us, ended_at_us
                    )
                self._match(order, bar, said)
        return said

    # --- replay -----------------------------------------------------------------

    def admit(self, order: VenueOrder) -> Working:
        """Put ``order`` into the book without a check: it passed them before."""
        name, symbol = order.order_id, order.terms.instrument
        made = working(order, self.instruments[symbol], self._session_end_us)
        self._known[name] = made
        self.open.setdefault(symbol, {})[name] = made
        if order.leg is not None:
            self._lists.add(made)
        return made

    def amend(self, order_id: str, terms: OrderTerms, at_us: int) -> None:
        """Give a working order new terms from ``at_us`` on, without a check."""
        order = self._working(order_id)
        if terms.time_in_force is not TimeInForce.DAY:
            order.expires_us = NEVER_US
        elif order.expires_us == NEVER_US:
            order.expires_us = self._session_end_us(terms.instrument, at_us)
        order.since_us = max(order.since_us, at_us)
        order.take(terms)

    def apply(self, record: EngineRecord) -> None:
        """Do to the book what was done to it when ``record`` was made."""
        match record:
            case Executed():
                self._fill(self._working(record.order_id), record)
            case Ended():
                self._close(self._working(record.order_id))
            case Triggered():
                self._later(record).trigger()
            case Trailed():
                self._later(record).best = record.best
            case VolumeTaken():
                self._bars.take(record)
            case Acked() | Replaced():
                """The order came by `admit`, its new terms by `amend`."""

    # --- inside -----------------------------------------------------------------

    def _match(self, order: Working, bar: MatchBar, said: list[VenueEvent]) -> None:
        first = order if order.leg is None else self._lists.first(order, bar)
        self._offer(first, bar, said)
        if first is not order and self._known[order.order_id] is order:
            self._offer(order, bar, said)

    def _offer(self, order: Working, bar: MatchBar, said: list[VenueEvent]) -> None:
        slips = order.kind in self._slips
        price, at_us, triggered = hit(order, bar, self.model.fill)
        if triggered:
            self._note(Triggered(order_id=order.order_id, ended_at_us=bar.ended_at_us))
            self._cancel_rival(order, "triggered", said)
        elif order.kind is _TRAILING_STOP:
            self._trail(order, best_of(order, bar), bar.ended_at_us)
        if price is not None:
            if slips:
                price = slipped(order, price, self._slip)
            self._execute(order, bar, price, at_us, said)
        if order.immediate:
            self._end_rest(order, said)

    def _trail_last(self, order: Working, now: MarketView) -> None:
        """Let a trailing stop begin at the last price."""
        last = now.last(order.terms.instrument)
        if last is not None:
            # Not before the order itself: what then comes may be of the same moment.
            self._trail(order, to_decimal(last.close), order.since_us)

    def _trail(self, order: Working, price: Decimal, ended_at_us: int) -> None:
        best = order.better(price)
        if best != order.best:
            name = order.order_id
            self._note(Trailed(order_id=name, best=best, ended_at_us=ended_at_us))

    def _match_at_last(
        self, order: Working, at_us: int, now: MarketView, said: list[VenueEvent]
    ) -> None:
        """Match at the close of the newest bar, if that is when orders are filled.

        Stops wait for what comes, and orders that are held for their entry.
        """
        kind = order.kind
        if not self._at_last_close or at_us == NEVER_US or kind not in _ACTIVE:
            return
        last = now.last(order.terms.instrument)
        if last is None:
            return
        bar, price = self._bars.newest(order, last)
        if kind in self._slips:
            price = slipped(order, price, self._slip)
        if kind is _MARKET or is_at_or_better(order, price):
            self._execute(order, bar, price, at_us, said)
        if order.immediate:
            self._end_rest(order, said)

    def _execute(
        self,
        order: Working,
        bar: MatchBar,
        price: Decimal,
        at_us: int,
        said: list[VenueEvent],
    ) -> None:
        whole = order.terms.quantity.value
        quantity = whole - order.filled if order.filled else whole
        if order.ceiling is not None:
            quantity = min(quantity, order.ceiling - order.filled)
        if bar.available is not None and bar.available < quantity:
            is_all_or_none = order.terms.time_in_force is TimeInForce.FOK
            quantity = ZERO if is_all_or_none else bar.available
        if quantity <= ZERO:
            return
        made = executed(order, quantity, price, at_us, self.model, self._executions + 1)
        self._fill(order, made)
        self._say(made, said)
        if order.leg is not None:
            self._cancel_rival(order, "filled", said)
        if bar.available is not None:
            bar.available -= quantity
            self._note(
                VolumeTaken(
                    order_id=order.order_id,
                    symbol=order.terms.instrument,
                    ended_at_us=bar.ended_at_us,
                    quantity=quantity,
                )
            )

    def _end_rest(self, order: Working, said: list[VenueEvent]) -> None:
        """End an IOC or FOK order that had its moment; a stop has it when triggered."""
        if order.kind in _ACTIVE and order.filled < order.terms.quantity.value:
            force = order.terms.time_in_force.value
            self._end(order, "canceled", f"{force}: not filled at once", said)

    def _end(
        self, order: Working, how: str, reason: str, said: list[VenueEvent]
    ) -> None:
        bound = self._lists.ended(order, how)
        own = Ended(order_id=order.order_id, how=how, reason=reason)
        self._say_ended((own, *bound), said)

    def _cancel_rival(self, order: Working, why: str, said: list[VenueEvent]) -> None:
        self._say_ended(self._lists.rival_ended(order, why), said)

    def _say_ended(self, ends: Iterable[Ended], said: list[VenueEvent]) -> None:
        for each in ends:
            self.apply(each)
            self._say(each, said)

    def _say(self, event: BookEvent, said: list[VenueEvent]) -> None:
        """Say what has been applied."""
        record = self._record
        record(event)
        said.append(event)

    def _note(self, record: EngineRecord) -> None:
        self.apply(record)
        self._record(record)

    def _fill(self, order: Working, event: Executed) -> None:
        self._executions += 1
        order.filled = event.cumulative.value
        if order.filled >= order.terms.quantity.value:
            if order.leg is not None:
                self._lists.release(order, us_of(event.filled_at))
            self._close(order)

    def _later(self, record: Triggered | Trailed) -> Working:
        """Return an order that a bar has changed: it takes part in later ones."""
        order = self._working(record.order_id)
        order.since_us = max(order.since_us, record.ended_at_us)
        return order

    def _close(self, order: Working) -> None:
        symbol = order.terms.instrument
        self._known[order.order_id] = None
        if order.leg is not None:
            self._lists.drop(order)
        # Who is matching a bar may still have it: it takes part in nothing more.
        order.since_us = order.expires_us = NEVER_US
        book = self.open[symbol]
        del book[order.order_id]
        if not book:
            del self.open[symbol]

    def _working(self, order_id: str) -> Working:
        order = self._known.get(order_id)
        if order is not None:
            return order
        if order_id in self._known:
            reason = f"expected a working order, got {order_id} which has ended"
            raise VenueRefused(reason, "not_working")
        reason = f"expected an order of this venue, got {order_id}"
        raise VenueRefused(reason, "unknown_order")


def _known_before(order: VenueOrder) -> DuplicateOrder:
    return DuplicateOrder(f"expected a new client order id, got {order.order_id}")


def _forget(_record: EngineRecord) -> None:
    """Keep nothing: the owner did not ask for records."""
