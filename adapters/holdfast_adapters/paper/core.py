"""The paper venue without its file: engine, rows and cursor; synchronous."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product

from holdfast_adapters.matching.engine import MatchingEngine
from holdfast_adapters.matching.model import (
    EngineRecord,
    LastBar,
)
from holdfast_adapters.paper.account import (
    Trade,
    balances_of,
    positions_of,
    story_of,
    works,
)
from holdfast_adapters.paper.history import History, Placed
from holdfast_adapters.paper.market import Later, last_of, match_trades
from holdfast_adapters.paper.records import (
    Advanced,
    CancelRequested,
    PaperRecord,
    ReplaceRequested,
    Row,
    Submitted,
)
from holdfast_adapters.paper.world import World
from holdfast_domain.cursor import ADVANCE_SLOT, START, slot_of, step_of
from holdfast_domain.errors import VenueRefused
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Balances,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    VenueEvent,
    VenueOrder,
)

_NOTHING: tuple[VenueEvent, ...] = ()


class PaperCore:
    """All state of a paper venue. It is built from rows, and only from rows.

    What a request or an advance brings about is applied at once and stands in
    `rows`; whether that is durable is the owner's business.
    """

    def __init__(self, world: World, rows: Iterable[Row] = ()) -> None:
        """Replay ``rows``; without any, this is the venue's first day."""
        self.rows: list[Row] = []
        self.cursor = START
        """What the engine may see: events up to here."""

        self.step = -1
        """The last step whose bars have ended: the market as it is known."""

        self.matched = -1
        """The last step whose bars were matched, for certain."""

        self.world = world
        """What it is made of."""

        self._fresh: list[EngineRecord] = []
        self._engine = MatchingEngine(
            world.instruments,
            world.model,
            session_end_us=world.session_end_us,
            record=self._fresh.append,
        )
        self._open = self._engine.open
        self._last: dict[str, tuple[int, LastBar | None]] = {}
        self._places = {name: at for at, name in enumerate(world.data.symbols)}
        self._newest = START - 1
        self._history = History(self.rows)
        for cursor, record in rows:
            self._replay(cursor, record)
        self.step = self._settled(self.cursor)

    # --- what is known of the market (the engine's `MarketView`) ------------------

    @property
    def time_us(self) -> int:
        """Market time: the end of the last step; 0 before the first."""
        return self.world.data.times_us[self.step] if self.step >= 0 else 0

    def last(self, symbol: str) -> LastBar | None:
        """Return the newest bar of ``symbol`` that has ended, or a later trade."""
        known = self._last.get(symbol)
        if known is None or known[0] != self.step:
            last = last_of(self.world.data, symbol, self.step)
            known = self._last[symbol] = self.step, last
        return known[1]

    # --- requests -----------------------------------------------------------------

    def submit(self, order: VenueOrder) -> list[VenueEvent]:
        """Place ``order``; nothing is kept of an order that is refused.

        Raises:
            VenueRefused: see `MatchingEngine.submit`; an instrument without data is
                an unknown symbol too.
        """
        if order.terms.instrument not in self._places:
            raise _without_data(order)
        said = self._engine.submit(order, self)
        self._keep(self.cursor, Submitted(order))
        return said

    def submit_list(self, orders: Sequence[VenueOrder]) -> list[VenueEvent]:
        """Place the legs of a list; nothing is kept of one that is refused.

        Raises:
            VenueRefused: see `MatchingEngine.submit_list`.
        """
        if orders[0].terms.instrument not in self._places:
            raise _without_data(orders[0])
        said = self._engine.submit_list(orders, self)
        self._keep(self.cursor, *map(Submitted, orders))
        return said

    def cancel(self, order_id: str) -> list[VenueEvent]:
        """Cancel what is left of the order.

        Raises:
            VenueRefused: see `MatchingEngine.cancel`.
        """
        said = self._engine.cancel(order_id)
        self._keep(self.cursor, CancelRequested(order_id=order_id))
        return said

    def replace(
        self, order_id: str, terms: OrderTerms, at_us: int | None = None
    ) -> list[VenueEvent]:
        """Give a working order new terms from ``at_us`` (or the last step) on.

        Raises:
            VenueRefused: see `MatchingEngine.replace`.
        """
        view = Later(self, max(self.time_us, at_us or 0))
        said = self._engine.replace(order_id, terms, view)
        request = ReplaceRequested(order_id=order_id, terms=terms, at_us=view.time_us)
        self._keep(self.cursor, request)
        return said

    # --- market data --------------------------------------------------------------

    def wants_data(self) -> bool:
        """Tell whether an order is open, or something hidden is to be said again."""
        return bool(self._open) or self._newest > self.cursor

    def resume(self, cursor: int) -> None:
        """Hide what happened after ``cursor`` until `advance` comes there again.

        Bars that were not matched for certain are, with the next advance.
        """
        self.cursor, self.step = cursor, self._settled(cursor)
        self.matched = min(self.matched, self.step)

    def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Match all bars up to ``step``; at a passed cursor, say the same again.

        A passed step is matched once more: it changes nothing for the orders that
        were there, and takes those that came while the engine caught up.
        """
        if self._newest <= self.cursor < cursor and not self._open:
            self.cursor, self.step, self.matched = cursor, step, step
            return _NOTHING
        said = self._said_before(cursor)
        for at in range(min(self.matched + 1, step), step + 1):
            said += self._match(at)
        self.cursor, self.step = max(self.cursor, cursor), max(self.step, step)
        self.matched = max(self.matched, step)
        if self._fresh:
            self._keep(cursor, Advanced(step=step))
        return said

    def _said_before(self, cursor: int) -> list[VenueEvent]:
        """Return what advances to ``cursor``, or to it from what is seen, said."""
        if self._newest <= self.cursor < cursor:
            return []
        advances = self._history.advances
        if cursor <= self.cursor:
            return list(advances.get(cursor, ()))
        hidden = sorted(at for at in advances if self.cursor < at <= cursor)
        return [event for at in hidden for event in advances[at]]

    def _match(self, step: int) -> list[VenueEvent]:
        said: list[VenueEvent] = []
        symbols = list(self._open)
        if len(symbols) > 1:
            symbols.sort(key=self._places.__getitem__)
        if self.world.data.tells_trades:
            return match_trades(self._engine, self.world.data, step, self._open)
        for symbol in symbols:
            seen = self.world.data.seen[symbol]
            row = seen[step] - 1
            if row >= 0 and (step == 0 or seen[step - 1] <= row):
                said += self._match_bar(symbol, row)
        return said

    def _match_bar(self, symbol: str, row: int) -> list[VenueEvent]:
        columns = self.world.data.columns[symbol]
        value = columns.values
        return self._engine.on_bar(
            symbol,
            open_=value["open"][row],
            high=value["high"][row],
            low=value["low"][row],
            close=value["close"][row],
            volume=value["volume"][row],
            opened_at_us=self.world.opened_at_us(symbol, row),
            ended_at_us=columns.ends_us[row],
        )

    def _settled(self, cursor: int) -> int:
        """Return the last step whose bars had been matched at ``cursor``."""
        step = step_of(cursor)
        done = step if slot_of(cursor) >= ADVANCE_SLOT else step - 1
        return min(max(done, -1), len(self.world.data) - 1)

    # --- questions ------------------------------------------------------------------

    def lookup(self, order_id: str) -> Found | NotFound:
        """Return the visible story of an order, if there is such an order."""
        known = self._history.orders.get(order_id)
        if known is None or known.cursor > self.cursor:
            return NotFound()
        return self._story(known)

    def _story(self, known: Placed) -> Found:
        said = [event for cursor, event in known.said if cursor <= self.cursor]
        return story_of(known.order, said)

    def executions_since(self, watermark: str) -> Executions:
        """Return the visible executions after ``watermark``, in order.

        The next watermark is before the first that is hidden.

        Raises:
            VenueRefused: the watermark is no execution id of this venue.
        """
        text = watermark.removeprefix("X") if watermark else "0"
        if not text.isdecimal():
            reason = f"expected an execution id, got {watermark!r}"
            raise VenueRefused(reason, "watermark")
        later = self._history.executions[int(text) :]
        shown = [event for cursor, event in later if cursor <= self.cursor]
        for cursor, event in later:
            if cursor > self.cursor:
                break
            watermark = event.execution_id
        return Executions(events=shown, watermark=watermark)

    @property
    def open(self) -> Mapping[str, Mapping[str, object]]:
        """The working orders, by symbol and id."""
        return self._open

    def order(self, order_id: str) -> VenueOrder:
        """Return an order of this venue as it was placed.

        Raises:
            KeyError: there is no such order.
        """
        return self._history.orders[order_id].order

    def open_orders(self) -> OpenOrders:
        """Return the stories of all orders that work, as of the cursor."""
        orders = self._history.orders
        if self._newest <= self.cursor:
            names = [name for book in self._open.values() for name in book]
            stories = [self._story(orders[name]) for name in names]
        else:
            seen = [o for o in orders.values() if o.cursor <= self.cursor]
            stories = [each for each in map(self._story, seen) if works(each)]
        return OpenOrders(orders=stories, at=self.at, watermark=self.watermark)

    def positions(self) -> Positions:
        """Return what is held as of the cursor; no flat ones."""
        world = self.world
        return Positions(
            positions=positions_of(self.trades(), world.instruments, world.held),
            at=self.at,
            watermark=self.watermark,
        )

    def balances(self) -> Balances:
        """Return the cash as of the cursor, fees included."""
        world = self.world
        return Balances(
            balances=balances_of(self.trades(), world.instruments, world.opening),
            at=self.at,
            watermark=self.watermark,
        )

    def trades(self) -> list[Trade]:
        """Return the visible executions, each with the terms of its order."""
        orders, executions = self._history.orders, self._history.executions
        return [
            (orders[event.order_id].order.terms, event)
            for cursor, event in executions
            if cursor <= self.cursor
        ]

    @property
    def at(self) -> datetime:
        """Market time, as answers bear it."""
        return utc_from_us(self.time_us)

    @property
    def watermark(self) -> str:
        """The last visible execution's id, or nothing: equal ids, equal books."""
        for cursor, event in reversed(self._history.executions):
            if cursor <= self.cursor:
                return event.execution_id
        return ""

    # --- rows ---------------------------------------------------------------------

    def _keep(self, cursor: int, *records: PaperRecord) -> None:
        """Keep requests, and behind them what the engine recorded because of them."""
        if cursor > self._newest:  # noqa: PLR1730 - `max` is slow
            self._newest = cursor
        self.rows.extend(product((cursor,), (*records, *self._fresh)))
        self._fresh.clear()

    def _replay(self, cursor: int, record: PaperRecord) -> None:
        self.cursor = max(self.cursor, cursor)
        match record:
            case Submitted():
                self._engine.admit(record.order)
            case ReplaceRequested():
                self._engine.amend(record.order_id, record.terms, record.at_us)
            case Advanced(step=step):
                self.matched = max(self.matched, step)
            case CancelRequested():
                """What came of it follows."""
            case _:
                self._engine.apply(record)
        self._keep(cursor, record)


def _without_data(order: VenueOrder) -> VenueRefused:
    reason = f"expected a symbol with data, got {order.terms.instrument!r}"
    return VenueRefused(reason, "unknown_symbol")
