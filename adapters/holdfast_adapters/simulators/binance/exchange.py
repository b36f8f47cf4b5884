"""The exchange without its sockets: orders, balances and events, around the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Final

from holdfast_adapters.matching import FillAt, FillModel, MatchingEngine
from holdfast_adapters.matching.model import EngineRecord, LastBar, Triggered
from holdfast_adapters.simulators.binance import shapes
from holdfast_adapters.simulators.binance.checks import Asked, check_market, terms_of
from holdfast_adapters.simulators.binance.klines import KlineBook
from holdfast_adapters.simulators.binance.model import (
    CLOSED,
    EIGHT,
    Refused,
    SimBalance,
    SimList,
    SimOrder,
    SimSymbol,
    SimTrade,
)
from holdfast_adapters.simulators.binance.record import Record
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import Ended, Executed, VenueOrder, WallClock

COMMISSION: Final = Decimal("0.001")
Listener = Callable[[shapes.Shape], None]


class BaseExchange:
    """One account at one exchange. Synchronous: what is asked is done when it returns.

    The market is what `trade` says: a price at which so much can be had, by whom it may
    be, until the next.
    """

    def __init__(
        self,
        symbols: Sequence[SimSymbol],
        balances: Mapping[str, Decimal],
        clock: WallClock,
        *,
        record: Path | None = None,
        order_of: Callable[[str], str] = str,
        fee_asset: str = "",
        past_days: int = 0,
    ) -> None:
        """Keep the record at ``record``, where an order has the name `order_of` it.

        Fees are taken in ``fee_asset``, or in what the trade brings. The symbols were
        traded for ``past_days`` before the first trade.
        """
        self.symbols = {each.name: each for each in symbols}
        self.klines = {
            each.name: KlineBook(each, each.name, past_days) for each in symbols
        }
        self.balances = {name: SimBalance(free=has) for name, has in balances.items()}
        self.orders: list[SimOrder] = []
        self.trades: list[SimTrade] = []
        self.lists: list[SimList] = []
        self.on_user: list[Listener] = []
        self.on_market: list[Callable[[str, shapes.Shape], None]] = []
        self.record = Record(record, order_of)
        self.record.opened(self.balances, symbols)
        self._clock = clock
        self._fee_asset = fee_asset
        self._last: dict[str, LastBar] = {}
        self._events = 0
        self._updates: Counter[str] = Counter()
        self._traded: Counter[str] = Counter()
        self._engine = MatchingEngine(
            {each.name: Instrument(symbol=each.name, lot=each.lot) for each in symbols},
            FillModel(fill=FillAt.THIS_CLOSE, participation=Decimal(1)),
            record=self._happened,
        )

    # --- the market (the engine's `MarketView`) ---------------------------------------

    @property
    def time_us(self) -> int:
        """The exchange's time."""
        return self._clock.now_us()

    @property
    def now_ms(self) -> int:
        """The exchange's time, as it tells it."""
        return self._clock.now_us() // 1000

    def last(self, symbol: str) -> LastBar | None:
        """Return the last trade of the market, if there was one."""
        return self._last.get(symbol)

    def trade(self, symbol: str, price: Decimal, quantity: Decimal) -> None:
        """Let the market trade: resting orders match, and so do those that follow."""
        known = self._last.get(symbol)
        at_us = max(self.time_us, known.ended_at_us + 1 if known else 0)
        self._last[symbol] = LastBar(float(price), float(quantity), at_us)
        # One look at the clock: a kline and the stream must agree on the second.
        at_ms = at_us // 1000
        self.klines[symbol].trade(at_ms, price, quantity)
        self._updates[symbol] += 1
        for kind, event in self._seen(symbol, price, quantity, at_ms):
            for tell in self.on_market:
                tell(f"{symbol.lower()}@{kind}", event)
        self._engine.on_bar(
            symbol,
            open_=float(price),
            high=float(price),
            low=float(price),
            close=float(price),
            volume=float(quantity),
            opened_at_us=at_us,
            ended_at_us=at_us,
        )
        self.record.commit()

    def _seen(
        self, symbol: str, price: Decimal, quantity: Decimal, at_ms: int
    ) -> list[tuple[str, shapes.Shape]]:
        """Return what the streams tell of a trade, by their kind."""
        number = self._updates[symbol]
        trade = shapes.trade_event(symbol, number, price, quantity, at_ms)
        quote = shapes.book_ticker(self.symbols[symbol], number, price, quantity)
        return [("trade", trade), ("bookTicker", quote)]

    # --- requests -------------------------------------------------------------------

    def place(
        self,
        asked: Asked,
        replaces: SimOrder | None = None,
        *,
        is_known: bool = False,
    ) -> SimOrder:
        """Take a new order, and match it; the record has it already if it ``is_known``.

        Raises:
            Refused: nothing is kept of it.
        """
        order = self._admissible(asked)
        self._lock(order)
        self.orders.append(order)
        venue_order = VenueOrder(
            order_id=str(order.number),
            terms=self._terms(order),
            placed_at_us=self.time_us,
        )
        if not is_known:
            self.record.placed(order, venue_order, replaces)
        self._tell(order, "NEW")
        self._engine.submit(venue_order, self)
        if order.type == "MARKET" and order.status not in CLOSED:
            self._close(order, "EXPIRED")
        self.record.commit()
        return order

    def cancel(
        self, order: SimOrder, cancel_id: str, *, is_change: bool = False
    ) -> None:
        """Cancel an order that works; ``is_change`` if another takes its place.

        Raises:
            Refused: it has ended.
        """
        if order.status in CLOSED:
            raise Refused(-2011, "Unknown order sent.")
        self._close(order, "CANCELED", cancel_id, is_change=is_change)
        self.record.commit()

    def find(
        self, symbol: str, asked: Mapping[str, str], prefix: str = "orig"
    ) -> SimOrder:
        """Return the newest order that is asked for by either id.

        Raises:
            Refused: there is none.
        """
        self._symbol(symbol)
        number, name = asked.get("orderId"), asked.get(f"{prefix}ClientOrderId")
        for order in reversed(self.orders):
            matches = str(order.number) == number or order.client_id == name
            if order.symbol == symbol and matches:
                return order
        raise Refused(-2013, "Order does not exist.")

    def open_orders(self, symbol: str | None = None) -> list[SimOrder]:
        """Return the orders that work."""
        return [
            each
            for each in self.orders
            if each.status not in CLOSED and symbol in (None, each.symbol)
        ]

    def lost_in_change(self, order: SimOrder) -> None:
        """Keep that an order has ended whose new terms were refused."""
        self.record.ended(order)
        self.record.commit()

    def depth(self, name: str) -> shapes.Shape:
        """Return the order book: one level on each side, a tick around the last price.

        Raises:
            Refused: there is no such symbol.
        """
        symbol, last = self._symbol(name), self._last.get(name)
        if last is None:
            return {"lastUpdateId": self._updates[name], "bids": [], "asks": []}
        quote = shapes.book_ticker(
            symbol,
            self._updates[name],
            Decimal(str(last.close)),
            Decimal(str(last.volume)),
        )
        bid, ask = [quote["b"], quote["B"]], [quote["a"], quote["A"]]
        return {"lastUpdateId": self._updates[name], "bids": [bid], "asks": [ask]}

    # --- inside ---------------------------------------------------------------------

    def _symbol(self, name: str) -> SimSymbol:
        if name not in self.symbols:
            raise Refused(-1121, "Invalid symbol.")
        return self.symbols[name]

    def _admissible(self, asked: Asked) -> SimOrder:
        symbol = self._symbol(asked.symbol)
        self._check(asked, symbol)
        return self._made(asked)

    def _made(self, asked: Asked) -> SimOrder:
        return SimOrder(
            number=len(self.orders) + 1,
            client_id=asked.client_id,
            symbol=asked.symbol,
            side=asked.side,
            type=asked.type,
            force=asked.force,
            quantity=asked.quantity,
            price=asked.price,
            stop_price=asked.stop_price,
            trailing=asked.trailing,
            shown=asked.shown,
            basis=self._price(asked.symbol) or ZERO,
            reduce_only=asked.reduce_only,
            placed_ms=self.now_ms,
            updated_ms=self.now_ms,
        )

    def _terms(self, order: SimOrder) -> OrderTerms:
        return terms_of(order)

    def _check(self, asked: Asked, symbol: SimSymbol) -> None:
        """Raise what refuses an order."""
        check_market(asked, symbol, self._price(asked.symbol))
        if any(each.client_id == asked.client_id for each in self.open_orders()):
            raise Refused(-2010, "Duplicate order sent.")
        if len(self.open_orders(asked.symbol)) >= symbol.max_orders:
            raise Refused(-1013, "Filter failure: MAX_NUM_ORDERS")

    def _price(self, symbol: str) -> Decimal | None:
        last = self._last.get(symbol)
        return None if last is None else Decimal(str(last.close))

    def _funds(self, order: SimOrder, quantity: Decimal) -> tuple[str, Decimal]:
        """Return which asset, and how much of it, ``quantity`` of an order may cost."""
        symbol = self.symbols[order.symbol]
        if order.side == "SELL":
            return symbol.base, quantity
        price = order.price or order.stop_price or order.basis
        return symbol.quote, quantity * price

    def _lock(self, order: SimOrder) -> None:
        asset, amount = self._funds(order, order.quantity)
        balance = self.balances.setdefault(asset, SimBalance())
        if balance.free < amount:
            raise Refused(
                -2010, "Account has insufficient balance for requested action."
            )
        balance.free -= amount
        balance.locked += amount

    def _unlock(self, order: SimOrder, quantity: Decimal) -> None:
        asset, amount = self._funds(order, quantity)
        balance = self.balances[asset]
        amount = min(amount, balance.locked)
        balance.locked -= amount
        balance.free += amount

    def _happened(self, record: EngineRecord) -> None:
        if isinstance(record, Executed):
            self._executed(self.orders[int(record.order_id) - 1], record)
        elif isinstance(record, Ended):
            order = self.orders[int(record.order_id) - 1]
            if order.status not in CLOSED:  # an IOC or FOK that had its moment
                self._ended(order, "EXPIRED")
        elif isinstance(record, Triggered):
            self.orders[int(record.order_id) - 1].updated_ms = self.now_ms

    def _executed(self, order: SimOrder, event: Executed) -> None:
        quantity, price = event.quantity.value, event.price.value
        buys = order.side == "BUY"
        fee, fee_asset = self._settle(order, quantity, price)
        order.executed += quantity
        order.worth += quantity * price
        order.updated_ms = self.now_ms
        filled = order.executed >= order.quantity
        order.status = "FILLED" if filled else "PARTIALLY_FILLED"
        self._traded[order.symbol] += 1  # each symbol counts its own trades
        trade = SimTrade(
            number=self._traded[order.symbol],
            order=order.number,
            symbol=order.symbol,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=fee_asset,
            at_ms=self.now_ms,
            is_buyer=buys,
            list_number=order.list_number,
        )
        self.trades.append(trade)
        order.trades.append(trade)
        self.record.executed(order, trade)
        self._tell(order, "TRADE", trade=trade)
        self.record.commit()

    def _settle(
        self, order: SimOrder, quantity: Decimal, price: Decimal
    ) -> tuple[Decimal, str]:
        """Move what a fill moves; return its fee."""
        symbol = self.symbols[order.symbol]
        self._unlock(order, quantity)
        worth, buys = quantity * price, order.side == "BUY"
        paid, got = (symbol.quote, symbol.base) if buys else (symbol.base, symbol.quote)
        brought = quantity if buys else worth
        self.balances.setdefault(paid, SimBalance()).free -= worth if buys else quantity
        self.balances.setdefault(got, SimBalance()).free += brought
        fee_asset = self._fee_asset or got
        fee = (brought * COMMISSION).quantize(EIGHT, ROUND_DOWN)
        self.balances.setdefault(fee_asset, SimBalance()).free -= fee
        return fee, fee_asset

    def _close(
        self,
        order: SimOrder,
        status: str,
        client_id: str = "",
        *,
        is_change: bool = False,
    ) -> None:
        self._ended(order, status, client_id, is_change=is_change)
        self._engine.cancel(str(order.number))

    def _ended(
        self,
        order: SimOrder,
        status: str,
        client_id: str = "",
        *,
        is_change: bool = False,
    ) -> None:
        order.status, order.updated_ms = status, self.now_ms
        self._unlock(order, order.quantity - order.executed)
        if not is_change:
            self.record.ended(order)
        self._tell(order, status, client_id=client_id)

    def _tell(
        self,
        order: SimOrder,
        what: str,
        *,
        client_id: str = "",
        trade: SimTrade | None = None,
    ) -> None:
        for event in self._told(order, what, client_id, trade):
            for tell in self.on_user:
                tell(event)

    def _told(
        self, order: SimOrder, what: str, client_id: str, trade: SimTrade | None
    ) -> list[shapes.Shape]:
        """Return what user data tells of something that happened to an order."""
        self._events += 1
        report = shapes.report(
            order,
            what,
            number=self._events,
            now_ms=self.now_ms,
            client_id=client_id,
            trade=trade,
        )
        return [report, shapes.position(self.balances, self.now_ms)]
