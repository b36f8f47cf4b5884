"""Where the USD-M futures have what is asked for."""

from __future__ import annotations

from typing import Final

from holdfast_adapters.binance.futures.wire import FuturesTrade
from holdfast_adapters.binance.routes import Routes

FUTURES: Final = Routes(
    time="/fapi/v1/time",
    info="/fapi/v1/exchangeInfo",
    names_symbols=False,
    order="/fapi/v1/order",
    open_orders="/fapi/v1/openOrders",
    trades="/fapi/v1/userTrades",
    trade_row=FuturesTrade,
    trades_window_s=7 * 86_400.0,
    holds_assets=False,
    account="/fapi/v3/account",
    rights="/fapi/v1/accountConfig",
    depth="/fapi/v1/depth",
    klines="/fapi/v1/klines",
    shortest_kline_us=60_000_000,
)
ALGO: Final = "/fapi/v1/algoOrder"
"""Stops are placed here since 2025-12-09; ``order`` refuses them with -4120."""

OPEN_ALGOS: Final = "/fapi/v1/openAlgoOrders"
AMENDMENTS: Final = "/fapi/v1/orderAmendment"
LISTEN_KEY: Final = "/fapi/v1/listenKey"
COUNTDOWN: Final = "/fapi/v1/countdownCancelAll"
