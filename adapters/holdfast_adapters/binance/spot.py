"""The Binance spot exchange as a `Venue`: requests about orders, and the account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from holdfast_adapters.binance.budget import Budget
from holdfast_adapters.binance.credentials import Credentials, Parameters
from holdfast_adapters.binance.errors import OK
from holdfast_adapters.binance.naming import Name, revision_id
from holdfast_adapters.binance.places import Place
from holdfast_adapters.binance.placing import TAKES, canceling, changing, placing
from holdfast_adapters.binance.placinglists import (
    leg_canceled,
    list_placed,
    placing_list,
)
from holdfast_adapters.binance.rest import TIMING, Timing
from holdfast_adapters.binance.routes import SPOT
from holdfast_adapters.binance.telling import (
    changed,
    decoded,
    half_changed,
    placed,
    story,
    terms_of,
)
from holdfast_adapters.binance.venue import BinanceVenue
from holdfast_adapters.binance.wire import Account, ChangeReport, OrderReport, OrderRow
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import (
    Balances,
    Found,
    OpenOrders,
    Positions,
    VenueBalance,
    VenueEvent,
    VenueOrder,
    VenuePosition,
    WallClock,
)

CHANGED: Final = 409
"""A cancel-replace of which one half was done."""


class BinanceSpot(BinanceVenue):
    """One account at the spot exchange."""

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
        budget: Budget | None = None,
    ) -> None:
        """Trade ``symbols``; see `BinanceVenue`."""
        super().__init__(
            routes=SPOT,
            takes=TAKES,
            symbols=symbols,
            credentials=credentials,
            address=address,
            clock=clock,
            sleep=sleep,
            timing=timing,
            history_from_us=history_from_us,
            name=name,
            budget=budget,
        )

    async def _try_key(self) -> None:
        await self._account()

    # --- what changes something: one attempt ----------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`."""
        order_id, terms = order.order_id, order.terms
        asked = placing(order_id, terms)
        place = self._places.remember(order_id, Place(terms.instrument, 0))
        try:
            body = await self._change("POST", SPOT.order, asked)
        except VenueRefused:
            self._places.forget(order_id)
            raise
        said = placed(order_id, decoded(body, OrderReport))
        place.seen = True
        return said

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Place the legs of a list, in one request; see `Venue.submit_list`.

        The answer of a bracket whose entry is filled at once has its exits as they were
        before that; the stream tells what became of them.
        """
        path, asked = placing_list(orders)
        places = [
            self._places.remember(each.order_id, Place(each.terms.instrument, 0))
            for each in orders
        ]
        try:
            body = await self._change("POST", path, asked)
        except VenueRefused:
            for each in orders:
                self._places.forget(each.order_id)
            raise
        said = list_placed(orders, body)
        for place in places:
            place.seen = True
        return said

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; see `Venue.cancel`."""
        place = await self._place(order_id)
        asked = canceling(place.symbol, order_id, place.revision or 0)
        body = await self._change("DELETE", SPOT.order, asked)
        return leg_canceled(order_id, body)

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

    # --- questions ------------------------------------------------------------------

    async def open_orders(self) -> OpenOrders:
        """Return all orders of the account that work, of all its symbols."""
        rows = await self._open_rows()
        for row in rows:
            name = Name.parse(row.client_order_id)
            if name.is_ours:
                place = Place(row.symbol, name.revision, seen=True)
                self._places.remember(name.order_id, place)
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

    async def _account(self) -> Account:
        asked: Parameters = {"omitZeroBalances": "true"}
        return await self._rest.ask(SPOT.account, asked, Account)

    def _bases(self) -> dict[str, str]:
        """Return the first symbol of each base asset, in configured order."""
        bases: dict[str, str] = {}
        for symbol in self._symbols:
            if symbol in self.rules:
                bases.setdefault(self.rules[symbol].instrument.base, symbol)
        return bases

    # --- inside -----------------------------------------------------------------------

    async def _found_at(
        self, symbol: str, order_id: str, known: Place | None
    ) -> Found | None:
        first = await self._row(symbol, order_id)
        return None if first is None else await self._found(order_id, first, known)

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
