"""The Binance spot exchange as a `Venue`: requests about orders, and questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from holdfast_adapters.binance.credentials import Credentials, Parameters
from holdfast_adapters.binance.errors import ARCHIVED, NOT_FOUND, OK
from holdfast_adapters.binance.history import Cursors, History
from holdfast_adapters.binance.listing import listed
from holdfast_adapters.binance.naming import Name, revision_id
from holdfast_adapters.binance.places import Place, Places
from holdfast_adapters.binance.placing import TAKES, canceling, changing, placing
from holdfast_adapters.binance.rest import TIMING, Rest, Timing
from holdfast_adapters.binance.rules import SymbolRules
from holdfast_adapters.binance.telling import (
    canceled,
    changed,
    decoded,
    half_changed,
    placed,
    snapshot_of,
    story,
    terms_of,
)
from holdfast_adapters.binance.wire import (
    Account,
    ChangeReport,
    Depth,
    OrderReport,
    OrderRow,
)
from holdfast_adapters.owntime import OwnTime
from holdfast_domain.book import BookSnapshot
from holdfast_domain.errors import InputError, NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import (
    Balances,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    VenueBalance,
    VenueEvent,
    VenueOrder,
    VenuePosition,
    VenuePromises,
    WallClock,
)

MATCHING_S: Final = 10.0
"""After this long without an answer of its matching engine the venue says -1007."""

MARGIN_S: Final = 1.0
"""For the way of a request to the venue's gate, and for the error of the clocks."""

CHANGED: Final = 409
"""A cancel-replace of which one half was done."""

DEPTH: Final = 1000
"""How many levels of a book are asked for; their weight is 50."""

TWICE: Final = 2
"""How many answers in a row must say that an order is not there."""


class BinanceSpot(OwnTime):
    """One account at the spot exchange.

    Requests may overlap. What is remembered here only saves questions: after a restart
    all of it is asked for again.
    """

    def __init__(
        self,
        *,
        symbols: Sequence[str],
        credentials: Credentials,
        address: str,
        clock: WallClock,
        sleep: Callable[[float], Awaitable[object]],
        timing: Timing = TIMING,
        history_from_us: int | None = None,
        name: str = "binance",
    ) -> None:
        """Trade ``symbols``; executions count from ``history_from_us`` on, or all.

        Raises:
            InputError: no symbols are given.
        """
        if not symbols:
            raise InputError(name, "at least one symbol", "none", "such as BTCUSDT")
        self.name = name
        bound_s = timing.recv_window_s + MATCHING_S + MARGIN_S
        self.promises = VenuePromises(
            proves_absence=True,
            processing_bound_s=bound_s,
            clock_skew_s=MARGIN_S,
            takes=TAKES,
        )
        self.rules: dict[str, SymbolRules] = {}
        """What holds for orders, by symbol; known once it is connected."""

        self._symbols = tuple(symbols)
        self._rest = Rest(
            name=name,
            address=address,
            credentials=credentials,
            clock=clock,
            sleep=sleep,
            timing=timing,
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
        await self._account()

    async def close(self) -> None:
        """End the session; idempotent."""
        await self._rest.close()

    # --- what changes something: one attempt ----------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`."""
        order_id, terms = order.order_id, order.terms
        asked = placing(order_id, terms)
        place = self._places.remember(order_id, Place(terms.instrument, 0))
        try:
            body = await self._change("POST", "/api/v3/order", asked)
        except VenueRefused:
            self._places.forget(order_id)
            raise
        said = placed(order_id, decoded(body, OrderReport))
        place.seen = True
        return said

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; see `Venue.cancel`."""
        place = await self._place(order_id)
        asked = canceling(place.symbol, order_id, place.revision or 0)
        body = await self._change("DELETE", "/api/v3/order", asked)
        return canceled(order_id, decoded(body, OrderReport))

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        """Cancel the order and place another in its stead, in one request.

        Raises:
            VenueRefused: the old terms hold; so it is if a part is filled already.
            OutcomeUnknown: the old or the new terms hold, or nothing works any more.
        """
        place = await self._place(order_id)
        revision = place.revision or 0
        asked = changing(order_id, revision, terms)
        place.revision, place.changing_ms = None, self._rest.time.now_ms()
        try:
            answer = await self._rest.send("POST", "/api/v3/order/cancelReplace", asked)
            if answer.status == CHANGED:
                return half_changed(order_id, answer.body)
            if answer.status != OK:
                raise self._rest.judged(answer).error(self.name)
            said = changed(order_id, terms, decoded(answer.body, ChangeReport))
        except (VenueRefused, NotSent):
            place.revision = revision
            raise
        place.revision = revision + 1
        return said

    async def _change(self, method: str, path: str, asked: Parameters) -> bytes:
        answer = await self._rest.send(method, path, asked)
        if answer.status != OK:
            raise self._rest.judged(answer).error(self.name)
        return answer.body

    # --- questions ------------------------------------------------------------------

    async def lookup(self, order_id: str) -> Found | NotFound:
        """Return the story of the order; see `VenuePromises` for what absence proves.

        Raises:
            OutcomeUnknown: the venue contradicts itself, or it is too early to tell.
        """
        known = self._places.get(order_id)
        symbols = (known.symbol,) if known else self._symbols
        for _ in range(TWICE):
            for symbol in symbols:
                first = await self._row(symbol, order_id)
                if first is not None:
                    return await self._found(order_id, first, known)
        if known is not None and known.seen:
            message = f"{self.name}: {order_id} was there, and now is not known"
            raise OutcomeUnknown(message)
        return NotFound()

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

    async def open_orders(self) -> OpenOrders:
        """Return all orders of the account that work, of all its symbols."""
        rows = await self._rest.ask("/api/v3/openOrders", {}, list[OrderRow])
        return OpenOrders(orders=[self._open(row) for row in rows], at=self._now())

    async def positions(self) -> Positions:
        """Return what is held of the base assets of the symbols.

        An asset is told once: as a position of the first symbol with that base, and
        else as a balance.
        """
        account = await self._account()
        held = {each.asset: each.free + each.locked for each in account.balances}
        positions = [
            VenuePosition(instrument=symbol, quantity=held[base])
            for base, symbol in self._bases().items()
            if held.get(base)
        ]
        return Positions(positions=positions, at=self._now())

    async def balances(self) -> Balances:
        """Return all assets that `positions` does not tell."""
        account, bases = await self._account(), self._bases()
        balances = [
            VenueBalance(
                currency=each.asset,
                total=Money(each.free + each.locked, each.asset),
                available=Money(each.free, each.asset),
            )
            for each in account.balances
            if each.asset not in bases and (each.free or each.locked)
        ]
        return Balances(balances=balances, at=self._now())

    async def book(self, symbol: str) -> BookSnapshot:
        """Return the order book, `DEPTH` levels a side, for a `BookKeeper`."""
        asked: Parameters = {"symbol": symbol, "limit": DEPTH}
        depth = await self._rest.ask("/api/v3/depth", asked, Depth, signed=False)
        return snapshot_of(symbol, depth)

    async def _account(self) -> Account:
        asked: Parameters = {"omitZeroBalances": "true"}
        return await self._rest.ask("/api/v3/account", asked, Account)

    def _bases(self) -> dict[str, str]:
        """Return the first symbol of each base asset, in configured order."""
        bases: dict[str, str] = {}
        for symbol in self._symbols:
            if symbol in self.rules:
                bases.setdefault(self.rules[symbol].base, symbol)
        return bases

    def _now(self) -> datetime:
        return utc_from_us(self._rest.time.now_ms() * 1000)

    # --- inside -----------------------------------------------------------------------

    async def _row(self, symbol: str, client_order_id: str) -> OrderRow | None:
        """Return the order as it stands, or None where the venue does not have it.

        Raises:
            OutcomeUnknown: it is so old that the venue does not say any more.
        """
        asked: Parameters = {"symbol": symbol, "origClientOrderId": client_order_id}
        try:
            return await self._rest.ask("/api/v3/order", asked, OrderRow)
        except VenueRefused as error:
            if error.code in {str(code) for code in NOT_FOUND}:
                return None
            if error.code == str(ARCHIVED):
                raise OutcomeUnknown(str(error)) from error
            raise

    async def _found(
        self, order_id: str, first: OrderRow, known: Place | None
    ) -> Found:
        last, revision = first, 0
        while last.status == "CANCELED" and not last.executed_qty:
            name = revision_id(order_id, revision + 1)
            later = await self._row(first.symbol, name)
            if later is None:
                break
            last, revision = later, revision + 1
        self._check_is_final(last, revision, known)
        self._places.remember(order_id, Place(first.symbol, revision, seen=True))
        trades = await self._history.trades_of(last) if last.executed_qty else []
        return Found(
            order_id=order_id,
            venue_order_id=str(first.order_id),
            instrument=first.symbol,
            side=Side[last.side],
            quantity=Quantity(last.orig_qty),
            terms=terms_of(last),
            placed_at_us=first.time * 1000 - self._rest.time.offset_us,
            cumulative=Quantity(last.executed_qty),
            events=story(order_id, first, last, trades),
        )

    def _check_is_final(
        self, last: OrderRow, revision: int, known: Place | None
    ) -> None:
        """Refuse to say how an order stands whose new terms may still come.

        Raises:
            OutcomeUnknown: a change may be under way, and what it does may show later.
        """
        if known is None:  # another session may have asked for a change
            asked_ms = last.update_time if last.status == "CANCELED" else 0
        elif known.revision is not None or last.executed_qty or revision:
            return
        else:
            asked_ms = known.changing_ms
        age_s = (self._rest.time.now_ms() - asked_ms) / 1000
        if age_s < self.promises.processing_bound_s and not last.executed_qty:
            message = f"{self.name}: new terms of {age_s:g} s ago may still come"
            raise OutcomeUnknown(message)

    def _open(self, row: OrderRow) -> Found:
        name = Name.parse(row.client_order_id)
        order_id = name.order_id if name.is_ours else ""
        if order_id:
            self._places.remember(order_id, Place(row.symbol, name.revision, seen=True))
        return Found(
            order_id=order_id,
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
