"""The futures exchange without its sockets: positions, margin, and stops that wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Final

from holdfast_adapters.simulators.binance.checks import Asked
from holdfast_adapters.simulators.binance.exchange import BaseExchange
from holdfast_adapters.simulators.binance.futures import events
from holdfast_adapters.simulators.binance.futures.checks import (
    check_filters,
    crosses,
    is_reached,
    stop_terms,
    terms_of,
)
from holdfast_adapters.simulators.binance.futures.model import (
    SimAlgo,
    SimAmendment,
    SimPosition,
)
from holdfast_adapters.simulators.binance.model import (
    CLOSED,
    EIGHT,
    Refused,
    SimOrder,
    SimSymbol,
    SimTrade,
)
from holdfast_adapters.simulators.binance.shapes import Shape, book_ticker
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import VenueOrder, WallClock

COMMISSION: Final = Decimal("0.0005")


class FuturesExchange(BaseExchange):
    """One account at the futures exchange, in one-way mode.

    Margin is looked at when an order opens something, at the last price; nothing is
    ever liquidated, and there is no funding.
    """

    def __init__(
        self,
        symbols: Sequence[SimSymbol],
        balances: Mapping[str, Decimal],
        clock: WallClock,
        *,
        record: Path | None = None,
        order_of: Callable[[str], str] = str,
        leverage: Decimal = Decimal(20),
        hedges: bool = False,
        past_days: int = 0,
    ) -> None:
        """Keep the record at ``record``, where an order has the name `order_of` it.

        ``hedges`` is hedge mode, of which the account only says that it is in it.
        """
        super().__init__(
            symbols,
            balances,
            clock,
            record=record,
            order_of=order_of,
            past_days=past_days,
        )
        self.algos: list[SimAlgo] = []
        self.positions = {each.name: SimPosition() for each in symbols}
        self.amendments: list[SimAmendment] = []
        self.hedges = hedges
        self.countdowns: dict[str, int] = {}
        """When all orders of a symbol are canceled, unless that is put off."""

        self._leverage = leverage

    # --- the market ---------------------------------------------------------------

    def trade(self, symbol: str, price: Decimal, quantity: Decimal) -> None:
        """Let the market trade; stops that it reaches become orders."""
        self.count_down()
        super().trade(symbol, price, quantity)
        for algo in self.open_algos(symbol):
            algo.follow(price)
            if is_reached(algo.side, algo.trigger, price):
                self._trigger(algo)

    def _seen(
        self, symbol: str, price: Decimal, quantity: Decimal, at_ms: int
    ) -> list[tuple[str, Shape]]:
        number = self._updates[symbol]
        trade = events.aggregate(symbol, number, price, quantity, at_ms)
        quote = book_ticker(self.symbols[symbol], number, price, quantity)
        quote = {"e": "bookTicker", **quote, "T": at_ms, "E": at_ms}
        return [("aggTrade", trade), ("bookTicker", quote)]

    # --- stops --------------------------------------------------------------------

    def open_algos(self, symbol: str | None = None) -> list[SimAlgo]:
        """Return the stops that wait."""
        return [
            each
            for each in self.algos
            if each.status == "NEW" and symbol in (None, each.symbol)
        ]

    def place_algo(self, asked: Asked) -> SimAlgo:
        """Take a stop.

        Raises:
            Refused: nothing is kept of it.
        """
        symbol, last = self._symbol(asked.symbol), self._price(asked.symbol)
        check_filters(asked, symbol, last)
        if asked.stop_price and is_reached(asked.side, asked.stop_price, last):
            raise Refused(-2021, "Order would immediately trigger.")
        if any(each.client_id == asked.client_id for each in self.open_algos()):
            raise Refused(-4116, "ClientOrderId is duplicated.")
        algo = SimAlgo(
            number=2_000_000_000 + len(self.algos),
            client_id=asked.client_id,
            symbol=asked.symbol,
            side=asked.side,
            type=asked.type,
            force=asked.force,
            quantity=asked.quantity,
            price=asked.price,
            trigger=asked.stop_price,
            rate=Decimal(asked.trailing) / 100,
            reduce_only=asked.reduce_only,
            placed_ms=self.now_ms,
            updated_ms=self.now_ms,
        )
        if last is not None:
            algo.follow(last)
        self.algos.append(algo)
        venue_order = VenueOrder(
            order_id=str(algo.number),
            terms=stop_terms(algo),
            placed_at_us=self.time_us,
        )
        self.record.placed(algo, venue_order, None)
        self.record.commit()
        self._move(algo, "NEW")
        return algo

    def cancel_algo(self, algo: SimAlgo) -> None:
        """Cancel a stop that waits.

        Raises:
            Refused: it does not any more.
        """
        if algo.status != "NEW":
            raise Refused(-2011, "Unknown order sent.")
        self._move(algo, "CANCELED")
        self.record.ended(algo)
        self.record.commit()

    def find_algo(self, client_id: str) -> SimAlgo:
        """Return the newest stop with an id.

        Raises:
            Refused: there is none.
        """
        for algo in reversed(self.algos):
            if algo.client_id == client_id:
                return algo
        raise Refused(-2013, "Order does not exist.")

    def _trigger(self, algo: SimAlgo) -> None:
        algo.triggered_ms = self.now_ms
        self._move(algo, "TRIGGERING")
        asked = Asked(
            client_id=algo.client_id,
            symbol=algo.symbol,
            side=algo.side,
            type="LIMIT" if algo.type == "STOP" else "MARKET",
            force=algo.force,
            quantity=algo.quantity,
            price=algo.price,
            stop_price=ZERO,
            reduce_only=algo.reduce_only,
        )
        algo.order = len(self.orders) + 1
        try:
            order = self.place(asked, is_known=True)
        except Refused:
            algo.order = None
            self._move(algo, "REJECTED")
            self.record.ended(algo)
            self.record.commit()
            return
        self._move(algo, "TRIGGERED")
        if order.status in CLOSED:
            self._move(algo, "FINISHED")

    def _move(self, algo: SimAlgo, status: str) -> None:
        algo.status, algo.updated_ms = status, self.now_ms
        for tell in self.on_user:
            tell(events.algo_update(algo, self.now_ms))

    # --- new terms ----------------------------------------------------------------

    def modify(self, order: SimOrder, quantity: Decimal, price: Decimal) -> None:
        """Give a limit order new terms, which count what is filled too.

        Raises:
            Refused: the old ones hold.
        """
        if order.status in CLOSED:
            raise Refused(-2013, "Order does not exist.")
        if (quantity, price) == (order.quantity, order.price):
            raise Refused(-5027, "No need to modify the order.")
        symbol, last = self.symbols[order.symbol], self._price(order.symbol)
        asked = Asked(
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            force=order.force,
            quantity=quantity,
            price=price,
            stop_price=ZERO,
            reduce_only=order.reduce_only,
        )
        check_filters(asked, symbol, last)
        would_take = order.force == "GTX" and crosses(order.side, price, last)
        if would_take or quantity <= order.executed:
            self._close(order, "CANCELED")
            self.record.commit()
            return
        self.amendments.append(
            SimAmendment(
                len(self.amendments) + 1,
                order.number,
                self.now_ms,
                (order.price, price),
                (order.quantity, quantity),
            )
        )
        order.quantity, order.price, order.updated_ms = quantity, price, self.now_ms
        terms = self._terms(order)
        venue_order = VenueOrder(
            order_id=str(order.number), terms=terms, placed_at_us=self.time_us
        )
        self.record.placed(order, venue_order, order)
        self._tell(order, "AMENDMENT")
        self._engine.replace(str(order.number), terms, self)
        self.record.commit()

    # --- the dead man's switch ----------------------------------------------------

    def count_down(self) -> None:
        """Cancel the orders of each symbol whose countdown has come to its end."""
        for symbol, until_ms in list(self.countdowns.items()):
            if self.now_ms >= until_ms:
                del self.countdowns[symbol]
                for order in self.open_orders(symbol):
                    self.cancel(order, order.client_id)

    # --- the account --------------------------------------------------------------

    def wallets(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return, by asset, what the account has, and what is free of it."""
        return {
            name: (each.free, self._available(name))
            for name, each in self.balances.items()
        }

    def worth(self, symbol: str) -> Decimal:
        """Return what a position is worth at the last price."""
        return self.positions[symbol].quantity * (self._price(symbol) or ZERO)

    def _available(self, asset: str) -> Decimal:
        free = self.balances[asset].free
        for name, symbol in self.symbols.items():
            if symbol.quote == asset:
                worth, cost = self.worth(name), self.positions[name].cost
                free += worth - cost - abs(worth) / self._leverage
        for order in self.open_orders():
            if self.symbols[order.symbol].quote == asset:
                free -= self._margin(order, order.quantity - order.executed)
        return free

    def _margin(self, order: SimOrder, quantity: Decimal) -> Decimal:
        """Return the margin of what an order opens; what it closes needs none."""
        signed = quantity if order.side == "BUY" else -quantity
        held = self.positions[order.symbol].quantity
        if held * signed < 0:
            quantity = max(ZERO, quantity - abs(held))
        price = order.price or self._price(order.symbol) or ZERO
        return quantity * price / self._leverage

    # --- how it differs from spot -------------------------------------------------

    def _terms(self, order: SimOrder) -> OrderTerms:
        return terms_of(order)

    def _check(self, asked: Asked, symbol: SimSymbol) -> None:
        last = self._price(asked.symbol)
        check_filters(asked, symbol, last)
        if asked.force == "GTX" and crosses(asked.side, asked.price, last):
            message = (
                "Due to the order could not be executed as maker, the Post Only order "
                "will be rejected. The order will not be recorded in the order history"
            )
            raise Refused(-5022, message)
        if any(each.client_id == asked.client_id for each in self.open_orders()):
            raise Refused(-4116, "ClientOrderId is duplicated.")
        if len(self.open_orders(asked.symbol)) >= symbol.max_orders:
            raise Refused(-2025, "Reach max open order limit.")
        if asked.reduce_only:
            held = self.positions[asked.symbol].quantity
            closable = -held if asked.side == "BUY" else held
            if asked.quantity > closable:
                raise Refused(-2022, "ReduceOnly Order is rejected.")

    def _lock(self, order: SimOrder) -> None:
        quote = self.symbols[order.symbol].quote
        if self._margin(order, order.quantity) > self._available(quote):
            raise Refused(-2019, "Margin is insufficient.")

    def _unlock(self, order: SimOrder, quantity: Decimal) -> None:
        """Do nothing: margin is computed from the orders that are open."""

    def _settle(
        self, order: SimOrder, quantity: Decimal, price: Decimal
    ) -> tuple[Decimal, str]:
        signed = quantity if order.side == "BUY" else -quantity
        realized = self.positions[order.symbol].take(signed, price)
        quote = self.symbols[order.symbol].quote
        fee = (quantity * price * COMMISSION).quantize(EIGHT, ROUND_DOWN)
        self.balances[quote].free += realized - fee
        return fee, quote

    def _told(
        self, order: SimOrder, what: str, client_id: str, trade: SimTrade | None
    ) -> list[Shape]:
        del client_id  # a cancel has no id of its own here
        now_ms = self.now_ms
        number = next(
            (each.number for each in self.algos if each.order == order.number), 0
        )
        told = [events.order_update(order, what, trade, number, now_ms)]
        if trade is not None:
            quote = self.symbols[order.symbol].quote
            wallet, position = self.balances[quote].free, self.positions[order.symbol]
            changed = events.account_update(
                quote, wallet, order.symbol, position, now_ms
            )
            told.insert(0, changed)
        return told
