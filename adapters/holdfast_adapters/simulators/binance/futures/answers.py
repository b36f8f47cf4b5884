"""What the futures exchange answers over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from holdfast_adapters.simulators.binance.answering import Account, Answering, Doing
from holdfast_adapters.simulators.binance.answers import klines_asked, trades_asked
from holdfast_adapters.simulators.binance.checks import number_of
from holdfast_adapters.simulators.binance.faults import Faults
from holdfast_adapters.simulators.binance.futures import shapes
from holdfast_adapters.simulators.binance.futures.checks import algo_asked, order_asked
from holdfast_adapters.simulators.binance.futures.exchange import FuturesExchange
from holdfast_adapters.simulators.binance.model import Refused, SimOrder

MINUTE_MS: Final = 60_000
WEEK_MS: Final = 7 * 86_400_000
KEY_MS: Final = 3_600_000
"""For how long a listen key holds."""


class FuturesAnswers(Answering):
    """What the exchange answers over HTTP."""

    public: ClassVar = {
        ("GET", "/fapi/v1/ping"): "ping",
        ("GET", "/fapi/v1/time"): "time",
        ("GET", "/fapi/v1/exchangeInfo"): "info",
        ("GET", "/fapi/v1/depth"): "depth",
        ("GET", "/fapi/v1/klines"): "klines",
        ("POST", "/fapi/v1/listenKey"): "listen_key",
        ("PUT", "/fapi/v1/listenKey"): "listen_key",
    }
    signed: ClassVar = {
        ("POST", "/fapi/v1/order"): "submit",
        ("POST", "/fapi/v1/algoOrder"): "submit",
        ("DELETE", "/fapi/v1/order"): "cancel",
        ("DELETE", "/fapi/v1/algoOrder"): "cancel",
        ("PUT", "/fapi/v1/order"): "replace",
        ("GET", "/fapi/v1/order"): "order",
        ("GET", "/fapi/v1/algoOrder"): "algo",
        ("GET", "/fapi/v1/openOrders"): "open_orders",
        ("GET", "/fapi/v1/openAlgoOrders"): "open_algos",
        ("GET", "/fapi/v1/orderAmendment"): "amendments",
        ("GET", "/fapi/v1/userTrades"): "trades",
        ("GET", "/fapi/v3/account"): "account",
        ("GET", "/fapi/v1/accountConfig"): "rights",
        ("POST", "/fapi/v1/countdownCancelAll"): "countdown",
    }

    def __init__(
        self, exchange: FuturesExchange, account: Account, faults: Faults
    ) -> None:
        """Serve ``account`` alone."""
        self.exchange = exchange
        self.listen_key = ""
        """The one that holds; empty where there is none."""

        self._keys = 0
        self._key_until_ms = 0
        super().__init__(exchange, account, faults)

    def _operations(self) -> Doing:
        exchange = self.exchange
        return {
            "ping": lambda _: {},
            "time": lambda _: {"serverTime": exchange.now_ms},
            "info": lambda _: shapes.exchange_info(
                list(exchange.symbols.values()), exchange.now_ms
            ),
            "depth": lambda asked: exchange.depth(asked["symbol"]),
            "klines": lambda asked: klines_asked(exchange, asked, MINUTE_MS),
            "listen_key": self._listen_key,
            "submit": self._submit,
            "cancel": self._cancel,
            "replace": self._replace,
            "order": lambda asked: shapes.row(exchange.find(asked["symbol"], asked)),
            "algo": lambda asked: shapes.algo(
                exchange.find_algo(asked["clientAlgoId"])
            ),
            "open_orders": lambda asked: [
                shapes.row(each) for each in exchange.open_orders(asked.get("symbol"))
            ],
            "open_algos": lambda asked: [
                shapes.algo(each) for each in exchange.open_algos(asked.get("symbol"))
            ],
            "amendments": self._amendments,
            "trades": self._trades,
            "account": self._balances,
            "rights": lambda _: shapes.rights(
                hedges=exchange.hedges, now_ms=exchange.now_ms
            ),
            "countdown": self._countdown,
        }

    # --- who hears user data ------------------------------------------------------

    def is_good(self, key: str) -> bool:
        """Tell whether a listen key holds."""
        if self.exchange.now_ms >= self._key_until_ms:
            self.listen_key = ""
        return bool(key) and key == self.listen_key

    def _listen_key(self, _asked: Mapping[str, str]) -> object:
        if not self.is_good(self.listen_key):
            self._keys += 1
            self.listen_key = f"listen-{self._keys}"
        self._key_until_ms = self.exchange.now_ms + KEY_MS
        return {"listenKey": self.listen_key}

    # --- operations ---------------------------------------------------------------

    def _submit(self, asked: Mapping[str, str]) -> object:
        self.exchange.count_down()
        if "algoType" in asked:
            number = len(self.exchange.algos) + 1
            algo = self.exchange.place_algo(algo_asked(asked, f"a{number}"))
            return shapes.algo(algo)
        number = len(self.exchange.orders) + 1
        return shapes.order(self.exchange.place(order_asked(asked, f"x{number}")))

    def _cancel(self, asked: Mapping[str, str]) -> object:
        if "clientAlgoId" in asked:
            try:
                algo = self.exchange.find_algo(asked["clientAlgoId"])
            except Refused as refused:
                raise Refused(-2011, "Unknown order sent.") from refused
            self.exchange.cancel_algo(algo)
            return shapes.algo_canceled(algo)
        order = self._named(asked, -2011, "Unknown order sent.")
        self.exchange.cancel(order, order.client_id)
        return shapes.order(order)

    def _replace(self, asked: Mapping[str, str]) -> object:
        order = self._named(asked, -2013, "Order does not exist.")
        quantity, price = number_of(asked, "quantity"), number_of(asked, "price")
        self.exchange.modify(order, quantity, price)
        return shapes.order(order)

    def _named(self, asked: Mapping[str, str], code: int, msg: str) -> SimOrder:
        try:
            return self.exchange.find(asked["symbol"], asked)
        except Refused as refused:
            if refused.code == -1121:  # noqa: PLR2004 - no such symbol
                raise
            raise Refused(code, msg) from refused

    def _amendments(self, asked: Mapping[str, str]) -> object:
        order = self.exchange.find(asked["symbol"], asked)
        found = [
            each for each in self.exchange.amendments if each.order == order.number
        ]
        newest = found[::-1][: int(asked.get("limit", 50))]
        return [shapes.amendment(each, order) for each in newest]

    def _trades(self, asked: Mapping[str, str]) -> object:
        found = trades_asked(self.exchange, asked)
        if "startTime" in asked:
            until_ms = int(asked["startTime"]) + WEEK_MS
            found = [each for each in found if each.at_ms <= until_ms]
        return [shapes.trade_row(each) for each in found]

    def _balances(self, _asked: Mapping[str, str]) -> object:
        exchange = self.exchange
        held = {
            name: (each, exchange.worth(name))
            for name, each in exchange.positions.items()
            if each.quantity
        }
        return shapes.account(exchange.wallets(), held, exchange.now_ms)

    def _countdown(self, asked: Mapping[str, str]) -> object:
        symbol, wait_ms = asked["symbol"], int(asked["countdownTime"])
        self.exchange.count_down()
        self.exchange.countdowns.pop(symbol, None)
        if wait_ms:
            self.exchange.countdowns[symbol] = self.exchange.now_ms + wait_ms
        return {"symbol": symbol, "countdownTime": str(wait_ms)}
