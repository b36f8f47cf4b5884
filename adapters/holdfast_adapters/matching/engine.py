"""The engine: takes requests and bars, keeps the book, says what a venue would say.

Each change of its state is an `EngineRecord` or an admission (`admit`, `amend`).
Applying the same ones in order to a new engine gives the same state, which is how its
owner recovers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

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
    LastBar,
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
_SLIPS = (_MARKET, OrderType.STOP, _TRAILING_STOP)
"""What trades at any price."""


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
        self._known: dict[str, Working | None] = {}
        self._lists = Lists()
        self._taken: dict[tuple[str, int], Decimal] = {}
        self._acks = 0
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
        self._check_new(order)
        checked(order.terms, self.instruments, now)
        return self._enter([self.admit(order)], now)

    def submit_list(
        self, orders: Sequence[VenueOrder], now: MarketView
    ) -> list[VenueEvent]:
        """Take the legs of a list into the book, all or none.

        Raises:
            VenueRefused: the codes of `checks.check_list`.
            DuplicateOrder: an id was used before.
        """
        for each in orders:
            self._check_new(each)
        check_list(orders, self.instruments, now)
        return self._enter([self.admit(each) for each in orders], now)

    def _check_new(self, order: VenueOrder) -> None:
        if order.order_id in self._known:
            reason = f"expected a new client order id, got {order.order_id}"
            raise DuplicateOrder(reason)

    def _enter(self, entered: list[Working], now: MarketView) -> list[VenueEvent]:
        said: list[VenueEvent] = []
        for each in entered:
            name = f"V{self._acks + 1}"
            self._say(Acked(order_id=each.order_id, venue_order_id=name), said)
            if each.kind is _TRAILING_STOP:
                self._trail_last(each, now)
        if self._at_last_close:
            for each in [e for e in entered if e.since_us != NEVER_US]:
                self._match_at_last(each, each.since_us, now, said)
        return said

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
        if self._at_last_close:
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
                    left = self._available(symbol, volume, ended_at_us)
                    prices = (open_, high, low, close)
                    bar = MatchBar(
                        order.instrument, prices, opened_at_us, ended_at_us, left
                    )
                self._match(order, bar, said)
        return said

    # --- replay -----------------------------------------------------------------

    def admit(self, order: VenueOrder) -> Working:
        """Put ``order`` into the book without a check: it passed them before."""
        symbol = order.terms.instrument
        made = working(order, self.instruments[symbol], self._session_end_us)
        self._known[order.order_id] = made
        self.open.setdefault(symbol, {})[order.order_id] = made
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
        """Apply what has happened; the only way in which the book changes by it."""
        if type(record) is Executed:
            self._fill(record)
            return
        match record:
            case Acked():
                self._acks += 1
            case Ended():
                self._close(self._working(record.order_id))
            case Triggered():
                self._later(record).trigger()
            case Trailed():
                self._later(record).best = record.best
            case VolumeTaken():
                key = (record.symbol, record.ended_at_us)
                self._taken[key] = self._taken.get(key, ZERO) + record.quantity
            case Replaced():
                """Its new terms came by `amend`."""

    # --- inside -----------------------------------------------------------------

    def _match(self, order: Working, bar: MatchBar, said: list[VenueEvent]) -> None:
        first = order if order.leg is None else self._lists.first(order, bar)
        self._offer(first, bar, said)
        if first is not order and self._known[order.order_id] is order:
            self._offer(order, bar, said)

    def _offer(self, order: Working, bar: MatchBar, said: list[VenueEvent]) -> None:
        slips = order.kind in _SLIPS
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
        """Match at the close of the newest bar; stops wait for what comes."""
        last = now.last(order.terms.instrument)
        if last is None or order.kind not in _ACTIVE:
            return
        bar = self._bar_of(order, last)
        price = bar.price(last.close)
        if order.kind is _MARKET:
            price = slipped(order, price, self._slip)
        if order.kind is _MARKET or is_at_or_better(order, price):
            self._execute(order, bar, price, at_us, said)
        if order.immediate:
            self._end_rest(order, said)

    def _bar_of(self, order: Working, last: LastBar) -> MatchBar:
        close, ended = last.close, last.ended_at_us
        left = self._available(order.terms.instrument, last.volume, ended)
        return MatchBar(order.instrument, (close,) * 4, ended, ended, left)

    def _execute(
        self,
        order: Working,
        bar: MatchBar,
        price: Decimal,
        at_us: int,
        said: list[VenueEvent],
    ) -> None:
        quantity = order.due
        if bar.available is not None and bar.available < quantity:
            quantity = ZERO if order.all_or_none else bar.available
        if quantity <= ZERO:
            return
        made = executed(order, quantity, price, at_us, self.model, self._executions + 1)
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

    def _available(
        self, symbol: str, volume: float, ended_at_us: int
    ) -> Decimal | None:
        share = self.model.participation
        if share is None:
            return None
        whole = self.instruments[symbol].round_quantity(share * to_decimal(volume))
        return whole.value - self._taken.get((symbol, ended_at_us), ZERO)

    def _end_rest(self, order: Working, said: list[VenueEvent]) -> None:
        """End an IOC or FOK order that had its moment; a stop has it when triggered."""
        if order.kind in _ACTIVE and order.filled < order.quantity:
            force = order.terms.time_in_force.value
            self._end(order, "canceled", f"{force}: not filled at once", said)

    def _end(
        self, order: Working, how: str, reason: str, said: list[VenueEvent]
    ) -> None:
        bound = self._lists.ended(order, how)
        for each in (Ended(order_id=order.order_id, how=how, reason=reason), *bound):
            self._say(each, said)

    def _cancel_rival(self, order: Working, why: str, said: list[VenueEvent]) -> None:
        for each in self._lists.rival_ended(order, why):
            self._say(each, said)

    def _say(self, event: BookEvent, said: list[VenueEvent]) -> None:
        self.apply(event)
        self._record(event)
        said.append(event)

    def _note(self, record: EngineRecord) -> None:
        self.apply(record)
        self._record(record)

    def _fill(self, event: Executed) -> None:
        self._executions += 1
        order = self._working(event.order_id)
        order.filled = event.cumulative.value
        if order.filled >= order.quantity:
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


def _forget(_record: EngineRecord) -> None:
    """Keep nothing: the owner did not ask for records."""
