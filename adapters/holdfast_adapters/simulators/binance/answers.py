"""What the spot exchange answers over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from holdfast_adapters.simulators.binance import shapes
from holdfast_adapters.simulators.binance.answering import Account, Answering, Doing
from holdfast_adapters.simulators.binance.checks import asked_of
from holdfast_adapters.simulators.binance.exchange import BaseExchange
from holdfast_adapters.simulators.binance.faults import Faults
from holdfast_adapters.simulators.binance.klines import interval_ms
from holdfast_adapters.simulators.binance.listchecks import asked_list
from holdfast_adapters.simulators.binance.listshapes import list_answer
from holdfast_adapters.simulators.binance.model import Refused, SimTrade
from holdfast_adapters.simulators.binance.spot import Exchange
from holdfast_domain.orderlists import ListKind

MOST_TRADES: Final = 1000
MOST_KLINES: Final = 1000


class Answers(Answering):
    """What the exchange answers over HTTP."""

    public: ClassVar = {
        ("GET", "/api/v3/ping"): "ping",
        ("GET", "/api/v3/time"): "time",
        ("GET", "/api/v3/exchangeInfo"): "info",
        ("GET", "/api/v3/depth"): "depth",
        ("GET", "/api/v3/klines"): "klines",
    }
    signed: ClassVar = {
        ("POST", "/api/v3/order"): "submit",
        ("POST", "/api/v3/orderList/oco"): "submit_oco",
        ("POST", "/api/v3/orderList/otoco"): "submit_otoco",
        ("DELETE", "/api/v3/order"): "cancel",
        ("POST", "/api/v3/order/cancelReplace"): "replace",
        ("GET", "/api/v3/order"): "order",
        ("GET", "/api/v3/openOrders"): "open_orders",
        ("GET", "/api/v3/myTrades"): "trades",
        ("GET", "/api/v3/account"): "account",
    }

    def __init__(self, exchange: Exchange, account: Account, faults: Faults) -> None:
        """Serve ``account`` alone."""
        self.exchange = exchange
        super().__init__(exchange, account, faults)

    def _operations(self) -> Doing:
        exchange = self.exchange
        return {
            "ping": lambda _: {},
            "time": lambda _: {"serverTime": exchange.now_ms},
            "info": self._info,
            "depth": self._depth,
            "klines": lambda asked: klines_asked(exchange, asked),
            "submit": self._submit,
            "submit_oco": lambda asked: self._submit_list(ListKind.OCO, asked),
            "submit_otoco": lambda asked: self._submit_list(ListKind.BRACKET, asked),
            "cancel": self._cancel,
            "replace": self._replace,
            "order": lambda asked: shapes.row(exchange.find(asked["symbol"], asked)),
            "open_orders": self._open_orders,
            "trades": self._trades,
            "account": self._balances,
        }

    # --- operations ------------------------------------------------------------

    def _info(self, asked: Mapping[str, str]) -> object:
        symbols = self.exchange.symbols
        names = json.loads(asked["symbols"]) if "symbols" in asked else list(symbols)
        if any(name not in symbols for name in names):
            raise Refused(-1121, "Invalid symbol.")
        chosen = [symbols[name] for name in names]
        return shapes.exchange_info(chosen, self.exchange.now_ms)

    def _depth(self, asked: Mapping[str, str]) -> object:
        return self.exchange.depth(asked["symbol"])

    def _submit(self, asked: Mapping[str, str]) -> object:
        number = len(self.exchange.orders) + 1
        return shapes.placed(self.exchange.place(asked_of(asked, f"x{number}")))

    def _cancel(self, asked: Mapping[str, str]) -> object:
        order = self._working(asked, "orig")
        cancel_id = asked.get("newClientOrderId", f"c{order.number}")
        self.exchange.cancel(order, cancel_id)
        bound = self.exchange.list_of(order)
        if bound is None:
            return shapes.canceled(order, cancel_id)
        return list_answer(bound, lambda each: shapes.canceled(each, cancel_id))

    def _submit_list(self, kind: ListKind, asked: Mapping[str, str]) -> object:
        number = len(self.exchange.orders) + 1
        orders, name = asked_list(kind, asked, number)
        return list_answer(self.exchange.place_list(kind, orders, name), shapes.placed)

    def _working(self, asked: Mapping[str, str], prefix: str) -> Any:  # noqa: ANN401
        try:
            return self.exchange.find(asked["symbol"], asked, prefix)
        except Refused as refused:
            if refused.code == -1121:  # noqa: PLR2004 - no such symbol
                raise
            raise Refused(-2011, "Unknown order sent.") from refused

    def _replace(self, asked: Mapping[str, str]) -> object:
        wanted = asked_of(asked, f"x{len(self.exchange.orders) + 1}")
        cancel_id = asked.get("cancelNewClientOrderId", "c")
        try:
            old = self._working(asked, "cancelOrig")
            if asked.get("cancelRestrictions") == "ONLY_NEW" and old.status == (
                "PARTIALLY_FILLED"
            ):
                message = "Order was not canceled due to cancel restrictions."
                raise Refused(-2011, message)
            self.exchange.cancel(old, cancel_id, is_change=True)
        except Refused as refused:
            data = _halves("FAILURE", "NOT_ATTEMPTED", refused.body(), None)
            message = "Order cancel-replace failed."
            raise _change_failed(-2022, message, 400, data) from None
        gone = shapes.canceled(old, cancel_id)
        try:
            new = self.exchange.place(wanted, replaces=old)
        except Refused as refused:
            self.exchange.lost_in_change(old)
            data = _halves("SUCCESS", "FAILURE", gone, refused.body())
            message = "Order cancel-replace partially failed."
            raise _change_failed(-2021, message, 409, data) from None
        return _halves("SUCCESS", "SUCCESS", gone, shapes.placed(new))

    def _open_orders(self, asked: Mapping[str, str]) -> object:
        working = self.exchange.open_orders(asked.get("symbol"))
        return [shapes.row(each) for each in working]

    def _trades(self, asked: Mapping[str, str]) -> object:
        return [shapes.trade_row(each) for each in trades_asked(self.exchange, asked)]

    def _balances(self, asked: Mapping[str, str]) -> object:
        omit = asked.get("omitZeroBalances") == "true"
        shown = {
            name: each
            for name, each in self.exchange.balances.items()
            if not omit or each.free or each.locked
        }
        return shapes.account(shown, self.exchange.now_ms)


class _ChangeFailed(Refused):
    """A cancel-replace of which not both halves were done."""

    def __init__(self, code: int, msg: str, status: int, data: object) -> None:
        super().__init__(code, msg, status)
        self._data = data

    def body(self) -> dict[str, object]:
        return {**super().body(), "data": self._data}


def _change_failed(code: int, msg: str, status: int, data: object) -> Refused:
    return _ChangeFailed(code, msg, status, data)


def _halves(canceled: str, placed: str, old: object, new: object) -> dict[str, object]:
    return {
        "cancelResult": canceled,
        "newOrderResult": placed,
        "cancelResponse": old,
        "newOrderResponse": new,
    }


def klines_asked(
    exchange: BaseExchange, asked: Mapping[str, str], shortest_ms: int = 1000
) -> object:
    """Return the klines that are asked for, oldest first.

    Raises:
        Refused: there is no such symbol or interval.
    """
    book, start = exchange.klines.get(asked["symbol"]), asked.get("startTime")
    if book is None:
        raise Refused(-1121, "Invalid symbol.")
    return book.rows(
        interval_ms(asked["interval"], shortest_ms),
        exchange.now_ms,
        min(int(asked.get("limit", 500)), MOST_KLINES),
        None if start is None else int(start),
        int(asked.get("endTime", exchange.now_ms)),
    )


def trades_asked(exchange: BaseExchange, asked: Mapping[str, str]) -> list[SimTrade]:
    """Return the trades that are asked for, oldest first."""
    most = int(asked.get("limit", 500))
    first = int(asked.get("fromId", 0))
    since_ms = int(asked.get("startTime", 0))
    found = [
        each
        for each in exchange.trades
        if each.symbol == asked["symbol"]
        and each.number >= first
        and each.at_ms >= since_ms
        and asked.get("orderId") in (None, str(each.order))
    ]
    return found[: min(most, MOST_TRADES)]
