"""What the exchanges of Binance have in common as venues: a session, and questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from holdfast_adapters.binance.budget import Budget
from holdfast_adapters.binance.credentials import Credentials, Parameters
from holdfast_adapters.binance.errors import ARCHIVED, NOT_FOUND, OK
from holdfast_adapters.binance.history import Cursors, History
from holdfast_adapters.binance.listing import listed
from holdfast_adapters.binance.naming import Name
from holdfast_adapters.binance.places import Place, Places
from holdfast_adapters.binance.rest import TIMING, Rest, Timing
from holdfast_adapters.binance.routes import Routes
from holdfast_adapters.binance.rules import SymbolRules
from holdfast_adapters.binance.telling import snapshot_of, terms_of
from holdfast_adapters.binance.wire import Depth, OrderRow
from holdfast_adapters.owntime import OwnTime
from holdfast_domain.book import BookSnapshot
from holdfast_domain.errors import InputError, OutcomeUnknown, VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Quantity
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orders import Side
from holdfast_domain.ports import (
    Executions,
    Found,
    NotFound,
    VenuePromises,
    WallClock,
)

MATCHING_S: Final = 10.0
"""After this long without an answer of its matching engine the venue says -1007."""

MARGIN_S: Final = 1.0
"""For the way of a request to the venue's gate, and for the error of the clocks."""

DEPTH: Final = 1000
"""How many levels of a book are asked for."""

TWICE: Final = 2
"""How many answers in a row must say that an order is not there."""


class BinanceVenue(OwnTime, ABC):
    """One account at one exchange of Binance; `BinanceSpot` and `BinanceFutures`.

    Requests may overlap. What is remembered here only saves questions: after a restart
    all of it is asked for again.
    """

    def __init__(
        self,
        *,
        routes: Routes,
        takes: OrderKinds,
        symbols: Sequence[str],
        credentials: Credentials,
        address: str,
        clock: WallClock,
        sleep: Callable[[float], Awaitable[object]],
        timing: Timing = TIMING,
        history_from_us: int | None = None,
        name: str = "binance",
        budget: Budget | None = None,
    ) -> None:
        """Trade ``symbols``; executions count from ``history_from_us`` on, or all.

        Who else asks from the same address shares the ``budget``.

        Raises:
            InputError: no symbols are given.
        """
        if not symbols:
            raise InputError(name, "at least one symbol", "none", "such as BTCUSDT")
        self.name = name
        self.promises = VenuePromises(
            proves_absence=True,
            processing_bound_s=timing.recv_window_s + MATCHING_S + MARGIN_S,
            clock_skew_s=MARGIN_S,
            takes=takes,
        )
        self.rules: dict[str, SymbolRules] = {}
        """What holds for orders, by symbol; known once it is connected."""

        self._symbols = tuple(symbols)
        self._routes = routes
        self._rest = Rest(
            name=name,
            address=address,
            credentials=credentials,
            clock=clock,
            sleep=sleep,
            timing=timing,
            routes=routes,
            budget=budget,
        )
        self._history = History(self._rest, history_from_us)
        self._places = Places()

    @property
    def instruments(self) -> dict[str, Instrument]:
        """What can be traded, by symbol; known once it is connected."""
        return {name: rules.instrument for name, rules in self.rules.items()}

    # --- the session --------------------------------------------------------------

    async def connect(self) -> None:
        """Learn the venue's clock and rules, and try the key; idempotent.

        Raises:
            VenueRefused: the key is not good, or a symbol is not known there.
        """
        self._rest.open()
        await self._rest.sync_time()
        self.rules = await listed(self._rest, self._symbols)
        await self._try_key()

    async def close(self) -> None:
        """End the session; idempotent."""
        await self._rest.close()

    @abstractmethod
    async def _try_key(self) -> None:
        """Ask what only the account may ask."""

    async def _change(self, method: str, path: str, asked: Parameters) -> bytes:
        """Return the answer to what changes something, which is sent once."""
        answer = await self._rest.send(method, path, asked)
        if answer.status != OK:
            raise self._rest.judged(answer).error(self.name)
        return answer.body

    # --- questions ------------------------------------------------------------------

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        """Return the story of the order; see `VenuePromises` for what absence proves.

        Orders of any age are shown, so ``meant_us`` matters to nothing.

        Raises:
            OutcomeUnknown: the venue contradicts itself, or it is too early to tell.
        """
        del meant_us
        known = self._places.get(order_id)
        symbols = (known.symbol,) if known else self._symbols
        for _ in range(TWICE):
            for symbol in symbols:
                found = await self._found_at(symbol, order_id, known)
                if found is not None:
                    return found
        if known is not None and known.seen:
            message = f"{self.name}: {order_id} was there, and now is not known"
            raise OutcomeUnknown(message)
        return NotFound()

    @abstractmethod
    async def _found_at(
        self, symbol: str, order_id: str, known: Place | None
    ) -> Found | None:
        """Return the story of an order of ``symbol``, if the venue has it."""

    async def executions_since(self, watermark: str) -> Executions:
        """Return all executions of the symbols from ``watermark`` on.

        Raises:
            VenueRefused: the watermark is none of this venue.
        """
        cursors = Cursors.parse(watermark, self._symbols)
        events, after = await self._history.since(cursors)
        for event in events:
            self._places.see(event.order_id)
        return Executions(events=events, watermark=str(after))

    async def book(self, symbol: str) -> BookSnapshot:
        """Return the order book, `DEPTH` levels a side, for a `BookKeeper`."""
        asked: Parameters = {"symbol": symbol, "limit": DEPTH}
        depth = await self._rest.ask(self._routes.depth, asked, Depth, signed=False)
        return snapshot_of(symbol, depth)

    def _now(self) -> datetime:
        return utc_from_us(self._rest.time.now_ms() * 1000)

    # --- inside -----------------------------------------------------------------------

    async def _open_rows(self) -> list[OrderRow]:
        return await self._rest.ask(self._routes.open_orders, {}, list[OrderRow])

    async def _row(self, symbol: str, client_order_id: str) -> OrderRow | None:
        """Return the order as it stands, or None where the venue does not have it.

        Raises:
            OutcomeUnknown: it is so old that the venue does not say any more.
        """
        asked: Parameters = {"symbol": symbol, "origClientOrderId": client_order_id}
        try:
            return await self._rest.ask(self._routes.order, asked, OrderRow)
        except VenueRefused as error:
            if error.code in {str(code) for code in NOT_FOUND}:
                return None
            if error.code == str(ARCHIVED):
                raise OutcomeUnknown(str(error)) from error
            raise

    def _open(self, row: OrderRow) -> Found:
        name = Name.parse(row.client_order_id)
        return Found(
            order_id=name.order_id if name.is_ours else "",
            venue_order_id=str(row.order_id),
            instrument=row.symbol,
            side=Side[row.side],
            quantity=Quantity(row.orig_qty),
            terms=terms_of(row),
            placed_at_us=row.time * 1000 - self._rest.time.offset_us,
            cumulative=Quantity(row.executed_qty),
            events=(),
        )

    async def _place(self, order_id: str) -> Place:
        """Return where the order is; it is looked up if that is not known.

        Raises:
            VenueRefused: the venue does not have it.
        """
        known = self._places.get(order_id)
        if known is not None and known.revision is not None:
            return known
        found = await self.lookup(order_id)
        if isinstance(found, NotFound):
            raise VenueRefused(found.reason, str(NOT_FOUND[0]))
        return self._places.get(order_id) or Place(found.instrument, 0)
