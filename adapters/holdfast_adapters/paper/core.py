"""The paper venue without its file: engine, rows and cursor; synchronous."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from holdfast_adapters.matching.engine import MatchingEngine
from holdfast_adapters.matching.model import (
    EngineRecord,
    FillModel,
    LastBar,
    SessionEnd,
    Triggered,
    VolumeTaken,
    utc_day_end_us,
)
from holdfast_adapters.paper.records import (
    Advanced,
    CancelRequested,
    PaperRecord,
    ReplaceRequested,
    Request,
    Row,
    Submitted,
)
from holdfast_domain.cursor import ADVANCE_SLOT, START, slot_of, step_of
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import ZERO, Quantity
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Acked,
    Ended,
    Executed,
    Executions,
    Found,
    NotFound,
    Replaced,
    VenueEvent,
    VenueOrder,
)

OpenedAt: TypeAlias = Callable[[str, int], int]
"""(symbol, row) to the moment at which that bar opened, in µs UTC."""

_NOTHING: tuple[VenueEvent, ...] = ()


@attrs.frozen(kw_only=True)
class World:
    """What a paper venue is made of, apart from what happens there."""

    data: MarketData
    instruments: Mapping[str, Instrument]
    model: FillModel
    session_end_us: SessionEnd = utc_day_end_us
    opened_at_us: OpenedAt


@attrs.define(eq=False)
class _Order:
    """An order of the venue and all that was said of it, with the cursors."""

    order: VenueOrder
    cursor: int
    said: list[tuple[int, VenueEvent]] = attrs.field(factory=list)


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

        self._world = world
        self._fresh: list[EngineRecord] = []
        self._engine = MatchingEngine(
            world.instruments,
            world.model,
            session_end_us=world.session_end_us,
            record=self._fresh.append,
        )
        self._open = self._engine.open
        self._places = {name: at for at, name in enumerate(world.data.symbols)}
        self._newest = START - 1
        self._orders: dict[str, _Order] = {}
        self._executions: list[tuple[int, Executed]] = []
        self._advances: dict[int, list[VenueEvent]] = {}
        self._advance: list[VenueEvent] | None = None
        for cursor, record in rows:
            self._replay(cursor, record)
        self.step = self._settled(self.cursor)

    # --- what is known of the market (the engine's `MarketView`) ------------------

    @property
    def time_us(self) -> int:
        """Market time: the end of the last step; 0 before the first."""
        return self._world.data.times_us[self.step] if self.step >= 0 else 0

    def last(self, symbol: str) -> LastBar | None:
        """Return the newest bar of ``symbol`` that has ended."""
        data = self._world.data
        row = data.seen[symbol][self.step] - 1 if self.step >= 0 else -1
        if row < 0:
            return None
        columns = data.columns[symbol]
        values = columns.values
        return LastBar(
            values["close"][row], values["volume"][row], columns.ends_us[row]
        )

    # --- requests -----------------------------------------------------------------

    def submit(self, order: VenueOrder) -> list[VenueEvent]:
        """Place ``order``; nothing is kept of an order that is refused.

        Raises:
            VenueRefused: see `MatchingEngine.submit`; an instrument without data is
                an unknown symbol too.
        """
        if order.terms.instrument not in self._places:
            reason = f"expected a symbol with data, got {order.terms.instrument!r}"
            raise VenueRefused(reason, "unknown_symbol")
        said = self._engine.submit(order, self)
        self._keep(Submitted(order=order), self.cursor)
        return said

    def cancel(self, order_id: str) -> list[VenueEvent]:
        """Cancel what is left of the order.

        Raises:
            VenueRefused: see `MatchingEngine.cancel`.
        """
        said = self._engine.cancel(order_id)
        self._keep(CancelRequested(order_id=order_id), self.cursor)
        return said

    def replace(
        self, order_id: str, terms: OrderTerms, at_us: int | None = None
    ) -> list[VenueEvent]:
        """Give a working order new terms from ``at_us`` (or the last step) on.

        Raises:
            VenueRefused: see `MatchingEngine.replace`.
        """
        view = _Later(self, max(self.time_us, at_us or 0))
        said = self._engine.replace(order_id, terms, view)
        request = ReplaceRequested(order_id=order_id, terms=terms, at_us=view.time_us)
        self._keep(request, self.cursor)
        return said

    # --- market data --------------------------------------------------------------

    @property
    def wants_data(self) -> bool:
        """Whether an order is open, or something hidden is to be said again."""
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
            self._keep(Advanced(step=step), cursor)
        return said

    def _said_before(self, cursor: int) -> list[VenueEvent]:
        """Return what advances to ``cursor``, or to it from what is seen, said."""
        if self._newest <= self.cursor or cursor <= self.cursor:
            return list(self._advances.get(cursor, ()))
        hidden = sorted(at for at in self._advances if self.cursor < at <= cursor)
        return [event for at in hidden for event in self._advances[at]]

    def _match(self, step: int) -> list[VenueEvent]:
        said: list[VenueEvent] = []
        symbols = list(self._open)
        if len(symbols) > 1:
            symbols.sort(key=self._places.__getitem__)
        for symbol in symbols:
            seen = self._world.data.seen[symbol]
            row = seen[step] - 1
            if row >= 0 and (step == 0 or seen[step - 1] <= row):
                said += self._match_bar(symbol, row)
        return said

    def _match_bar(self, symbol: str, row: int) -> list[VenueEvent]:
        columns = self._world.data.columns[symbol]
        value = columns.values
        return self._engine.on_bar(
            symbol,
            open_=value["open"][row],
            high=value["high"][row],
            low=value["low"][row],
            close=value["close"][row],
            volume=value["volume"][row],
            opened_at_us=self._world.opened_at_us(symbol, row),
            ended_at_us=columns.ends_us[row],
        )

    def _settled(self, cursor: int) -> int:
        """Return the last step whose bars had been matched at ``cursor``."""
        step = step_of(cursor)
        done = step if slot_of(cursor) >= ADVANCE_SLOT else step - 1
        return min(max(done, -1), len(self._world.data) - 1)

    # --- questions ------------------------------------------------------------------

    def lookup(self, order_id: str) -> Found | NotFound:
        """Return the visible story of an order, if there is such an order."""
        known = self._orders.get(order_id)
        if known is None or known.cursor > self.cursor:
            return NotFound()
        said = [event for cursor, event in known.said if cursor <= self.cursor]
        terms, cumulative = known.order.terms, Quantity(ZERO)
        for event in said:
            if isinstance(event, Replaced):
                terms = event.terms
            elif isinstance(event, Executed):
                cumulative = event.cumulative
        return Found(
            instrument=terms.instrument,
            side=terms.side,
            quantity=terms.quantity,
            placed_at_us=known.order.placed_at_us,
            cumulative=cumulative,
            events=said,
        )

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
        later = self._executions[int(text) :]
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
        return self._orders[order_id].order

    def _executed(self) -> list[Executed]:
        return [event for cursor, event in self._executions if cursor <= self.cursor]

    def positions(self) -> dict[str, Decimal]:
        """Return signed units by symbol, as of the cursor; no flat ones."""
        held: dict[str, Decimal] = {}
        for event in self._executed():
            terms = self._orders[event.order_id].order.terms
            units = event.quantity.value * terms.side.sign
            held[terms.instrument] = held.get(terms.instrument, ZERO) + units
        return {symbol: units for symbol, units in held.items() if units}

    def cash(self) -> dict[str, Decimal]:
        """Return the change of cash by currency since the opening, fees included."""
        cash: dict[str, Decimal] = {}
        for event in self._executed():
            terms = self._orders[event.order_id].order.terms
            units = event.quantity.value * terms.side.sign
            instrument = self._world.instruments[terms.instrument]
            paid = instrument.notional(event.price.value, units)
            for money in (paid, event.fee):
                cash[money.currency] = cash.get(money.currency, ZERO) - money.amount
        return cash

    # --- rows ---------------------------------------------------------------------

    def _keep(self, request: Request, cursor: int) -> None:
        """Keep a request, and behind it what the engine recorded because of it."""
        self._add(cursor, request)
        fresh = self._fresh
        for record in fresh:
            self._add(cursor, record)
        fresh.clear()

    def _replay(self, cursor: int, record: PaperRecord) -> None:
        self._add(cursor, record)
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

    def _add(self, cursor: int, record: PaperRecord) -> None:
        self.rows.append((cursor, record))
        self._newest = max(self._newest, cursor)
        match record:
            case Executed() | Acked() | Ended() | Replaced():
                self._orders[record.order_id].said.append((cursor, record))
                if isinstance(record, Executed):
                    self._executions.append((cursor, record))
                if self._advance is not None:
                    self._advance.append(record)
            case Submitted():
                order = record.order
                self._orders[order.order_id] = _Order(order, cursor)
                self._advance = None
            case Advanced():
                self._advance = self._advances.setdefault(cursor, [])
            case CancelRequested() | ReplaceRequested():
                self._advance = None
            case Triggered() | VolumeTaken():
                """The engine's own; nobody is told."""


@attrs.frozen
class _Later:
    """The market as a core knows it, at a moment that may be later than its step."""

    core: PaperCore
    time_us: int

    def last(self, symbol: str) -> LastBar | None:
        """Return the newest bar of ``symbol`` that has ended."""
        return self.core.last(symbol)


def opened_at_us_of(data: MarketData) -> OpenedAt:
    """Return when a bar opened: an interval before its end, not before the last one.

    The interval is the commonest gap of the symbol's time stamps.
    """

    def opened_at_us(symbol: str, row: int) -> int:
        columns = data.columns[symbol]
        opened = columns.ends_us[row] - columns.interval_us
        return max(opened, columns.ends_us[row - 1]) if row else opened

    return opened_at_us
