"""The USD-M futures exchange as a `Venue`, in one-way mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from holdfast_adapters.binance.budget import Budget
from holdfast_adapters.binance.credentials import Credentials, Parameters
from holdfast_adapters.binance.errors import NOT_FOUND
from holdfast_adapters.binance.futures.paths import (
    ALGO,
    AMENDMENTS,
    FUTURES,
    OPEN_ALGOS,
)
from holdfast_adapters.binance.futures.placing import (
    TAKES,
    changing,
    is_algo,
    placing,
)
from holdfast_adapters.binance.futures.telling import algo_story, open_algo, waits
from holdfast_adapters.binance.futures.wire import (
    AlgoCanceled,
    AlgoRow,
    Amendment,
    FuturesAccount,
)
from holdfast_adapters.binance.listing import rights_of
from holdfast_adapters.binance.places import Place
from holdfast_adapters.binance.rest import TIMING, Timing
from holdfast_adapters.binance.telling import (
    canceled,
    check_status,
    decoded,
    ending,
    executions,
    placed,
    terms_of,
)
from holdfast_adapters.binance.venue import BinanceVenue
from holdfast_adapters.binance.wire import OrderReport, OrderRow
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueError, VenueRefused
from holdfast_domain.money import ZERO, Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import (
    Acked,
    Balances,
    Ended,
    Found,
    OpenOrders,
    Positions,
    Replaced,
    VenueBalance,
    VenueEvent,
    VenueOrder,
    VenuePosition,
    WallClock,
)

GONE: Final = "-2011"
"""The code of a cancel of what is not there, or not there any more."""

SAME_TERMS: Final = "-5027"
"""The code of new terms that hold already."""


class BinanceFutures(BinanceVenue):
    """One account at the futures exchange, without leverage of its own.

    A position has one side (one-way mode). Stops are kept by the algo service, which
    makes an order of them under the same id.
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
        budget: Budget | None = None,
        reduces: bool = True,
    ) -> None:
        """Trade ``symbols``; see `BinanceVenue`.

        The venue is told that an order may only reduce the position if ``reduces``. It
        knows the account's position alone: where several strategies trade it, what
        reduces the position of one may not reduce the sum.
        """
        super().__init__(
            routes=FUTURES,
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
        self._reduces = reduces

    async def _try_key(self) -> None:
        if (await rights_of(self._rest)).hedges:
            reason = (
                "expected an account in one-way mode, got one in hedge mode; change "
                "the position mode at the exchange"
            )
            raise VenueRefused(reason, "hedge_mode")

    # --- what changes something: one attempt ----------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`."""
        order_id, terms = order.order_id, order.terms
        asked = placing(order_id, terms, reduces=self._reduces)
        place = Place(terms.instrument, 0, is_algo=is_algo(terms))
        self._places.remember(order_id, place)
        try:
            body = await self._change(
                "POST", ALGO if place.is_algo else FUTURES.order, asked
            )
        except VenueRefused:
            self._places.forget(order_id)
            raise
        if place.is_algo:
            said = list(algo_story(order_id, decoded(body, AlgoRow)))
        else:
            report = decoded(body, OrderReport)
            acked, *end = placed(order_id, report)
            said = [acked, *await self._fills_of(order_id, report), *end]
        place.seen = True
        return said

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Refuse a list: it declares none, so none is asked for."""
        raise VenueRefused("expected orders alone: it takes no order lists", "lists")

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; see `Venue.cancel`.

        A stop that waits is with the algo service; one that does not is an order.
        """
        place = await self._place(order_id)
        if place.is_algo:
            try:
                body = await self._change("DELETE", ALGO, {"clientAlgoId": order_id})
            except VenueRefused as error:
                if error.code != GONE:
                    raise
            else:
                decoded(body, AlgoCanceled)
                nothing = Quantity(ZERO)
                return [
                    Ended(
                        order_id=order_id,
                        how="canceled",
                        reason="on request",
                        cumulative=nothing,
                    )
                ]
        asked: Parameters = {"symbol": place.symbol, "origClientOrderId": order_id}
        body = await self._change("DELETE", FUTURES.order, asked)
        return canceled(order_id, decoded(body, OrderReport))

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        """Give a limit order new terms, under its id and with what is filled.

        Raises:
            VenueRefused: the old terms hold.
            OutcomeUnknown: the old or the new terms hold.
        """
        asked = changing(order_id, terms)
        place = await self._place(order_id)
        place.changing_ms = self._rest.time.now_ms()
        try:
            body = await self._change("PUT", FUTURES.order, asked)
            report = decoded(body, OrderReport)
            check_status(report.status)
        except (VenueRefused, NotSent) as error:
            place.changing_ms = 0
            if isinstance(error, VenueRefused) and error.code == SAME_TERMS:
                # Such as of a change that was asked for before, and came late.
                return [Replaced(order_id=order_id, terms=terms)]
            raise
        place.changing_ms = 0
        end = ending(order_id, report.status, report.executed_qty, "of its new terms")
        if end:  # what would trade at once as post-only, or had more filled already
            return end
        changed = Replaced(order_id=order_id, terms=terms)
        return [changed, *await self._fills_of(order_id, report)]

    async def _fills_of(
        self, order_id: str, report: OrderReport
    ) -> Sequence[VenueEvent]:
        """Return the fills of an order that an answer counts, but does not tell.

        If they cannot be had now, the stream or the list of executions tells them.
        """
        if not report.executed_qty:
            return ()
        try:
            trades = await self._history.trades_of(report)
        except VenueError:
            return ()
        return executions(order_id, trades)

    # --- questions ------------------------------------------------------------------

    async def open_orders(self) -> OpenOrders:
        """Return all orders of the account that work, and all stops that wait."""
        # In this order: a stop that becomes an order meanwhile is in one of both lists.
        algos = await self._rest.ask(OPEN_ALGOS, {}, list[AlgoRow])
        orders = [self._listed(row) for row in await self._open_rows()]
        skew_us, known = self._rest.time.offset_us, {each.order_id for each in orders}
        stops = [open_algo(each, skew_us) for each in algos if waits(each)]
        for stop in stops:
            if stop.order_id:
                place = Place(stop.instrument, 0, seen=True, is_algo=True)
                self._places.remember(stop.order_id, place)
        fresh = [each for each in stops if each.order_id not in known]
        return OpenOrders(orders=[*orders, *fresh], at=self._now())

    def _listed(self, row: OrderRow) -> Found:
        """Return an order that works; of what was a stop its row has not all terms."""
        found = self._open(row)
        known = self._places.get(found.order_id)
        if known is not None and known.is_algo:
            return replace(found, terms=None)
        return found

    async def positions(self) -> Positions:
        """Return all positions of the account."""
        account = await self._account()
        positions = [
            VenuePosition(
                instrument=each.symbol,
                quantity=each.position_amt,
                average_price=Price(each.cost / each.position_amt),
            )
            for each in account.positions
            if each.position_amt
        ]
        return Positions(positions=positions, at=self._now())

    async def balances(self) -> Balances:
        """Return the cash of the account: as if each position had been paid for.

        The venue keeps a wallet, which only gains and losses change. Less what the open
        positions have cost, it is what cash would be where fills are paid.
        """
        account = await self._account()
        costs: dict[str, Decimal] = {}
        for each in account.positions:
            asset = self._margin_asset(each.symbol)
            costs[asset] = costs.get(asset, ZERO) + each.cost
        balances = [
            VenueBalance(
                currency=each.asset,
                total=Money(
                    each.wallet_balance - costs.get(each.asset, ZERO), each.asset
                ),
                available=Money(each.available_balance, each.asset),
            )
            for each in account.assets
            if each.wallet_balance or costs.get(each.asset)
        ]
        return Balances(balances=balances, at=self._now())

    def _margin_asset(self, symbol: str) -> str:
        known = self.rules.get(symbol)
        if known is not None:
            return known.quote
        # Of another hand; the names of perpetuals end with their margin asset.
        return next((each for each in ("USDC", "BTC") if symbol.endswith(each)), "USDT")

    async def _account(self) -> FuturesAccount:
        return await self._rest.ask(FUTURES.account, {}, FuturesAccount)

    # --- inside -----------------------------------------------------------------------

    async def _found_at(
        self, symbol: str, order_id: str, known: Place | None
    ) -> Found | None:
        algo = None
        if known is None or known.is_algo:
            algo = await self._algo(order_id)
        row = None
        if algo is None or algo.algo_status != "NEW":
            row = await self._row(symbol, order_id)
        if row is None:
            return None if algo is None else self._found_algo(order_id, algo)
        return await self._found_row(order_id, row, algo, known)

    async def _algo(self, order_id: str) -> AlgoRow | None:
        """Return a stop as the algo service has it, or None where it does not."""
        try:
            return await self._rest.ask(ALGO, {"clientAlgoId": order_id}, AlgoRow)
        except VenueRefused as error:
            if error.code in {str(code) for code in NOT_FOUND}:
                return None
            raise

    def _found_algo(self, order_id: str, algo: AlgoRow) -> Found:
        place = Place(algo.symbol, 0, seen=True, is_algo=True)
        self._places.remember(order_id, place)
        return open_algo(algo, self._rest.time.offset_us, algo_story(order_id, algo))

    async def _found_row(
        self, order_id: str, row: OrderRow, algo: AlgoRow | None, known: Place | None
    ) -> Found:
        check_status(row.status)
        changes = await self._changes(row)
        self._check_is_final(known, changes)
        place = Place(row.symbol, 0, seen=True, is_algo=algo is not None)
        self._places.remember(order_id, place)
        trades = await self._history.trades_of(row) if row.executed_qty else []
        number = row.order_id if algo is None else algo.algo_id
        events: list[VenueEvent] = [
            Acked(order_id=order_id, venue_order_id=str(number))
        ]
        terms = terms_of(row if algo is None else algo.as_order())
        if changes and terms is not None:
            events.append(Replaced(order_id=order_id, terms=terms))
        events += executions(order_id, trades)
        events += ending(order_id, row.status, row.executed_qty, row.expiry_reason)
        return Found(
            order_id=order_id,
            venue_order_id=str(number),
            instrument=row.symbol,
            side=Side[row.side],
            quantity=Quantity(row.orig_qty),
            terms=terms,
            placed_at_us=row.time * 1000 - self._rest.time.offset_us,
            cumulative=Quantity(row.executed_qty),
            events=events,
        )

    async def _changes(self, row: OrderRow) -> list[Amendment]:
        """Return the newest new terms that an order got; only limit orders can."""
        if row.type != "LIMIT":
            return []
        asked: Parameters = {"symbol": row.symbol, "orderId": row.order_id, "limit": 1}
        return await self._rest.ask(AMENDMENTS, asked, list[Amendment])

    def _check_is_final(self, known: Place | None, changes: list[Amendment]) -> None:
        """Refuse to say how an order stands whose new terms may still come.

        Raises:
            OutcomeUnknown: a change was asked for, and what it does may show later.
        """
        if known is None or not known.changing_ms:
            return
        age_s = (self._rest.time.now_ms() - known.changing_ms) / 1000
        is_done = any(each.time >= known.changing_ms for each in changes)
        if not is_done and age_s < self.promises.processing_bound_s:
            message = f"{self.name}: new terms of {age_s:g} s ago may still come"
            raise OutcomeUnknown(message)
