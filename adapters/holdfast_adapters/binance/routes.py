"""Where each exchange of Binance has what both have.

Source: binance-spot-api-docs, rest-api.md; developers.binance.com, USD-M futures.
"""

from __future__ import annotations

from typing import Final

import attrs

from holdfast_adapters.binance.wire import TradeRow


@attrs.frozen(kw_only=True)
class Routes:
    """The paths of one exchange, and how it differs where they are asked alike."""

    time: str
    info: str
    names_symbols: bool
    """Whether the listing can be asked for some symbols alone."""

    order: str
    open_orders: str
    trades: str
    trade_row: type[TradeRow] = TradeRow
    trades_window_s: float | None = None
    """How long after its beginning an answer about a time ends; None: never."""

    holds_assets: bool
    """Whether what is bought is the asset itself, of which fees may be taken."""

    account: str
    rights: str
    """Says what the account may do."""

    depth: str
    klines: str
    shortest_kline_us: int


SPOT: Final = Routes(
    time="/api/v3/time",
    info="/api/v3/exchangeInfo",
    names_symbols=True,
    order="/api/v3/order",
    open_orders="/api/v3/openOrders",
    trades="/api/v3/myTrades",
    holds_assets=True,
    account="/api/v3/account",
    rights="/api/v3/account",
    depth="/api/v3/depth",
    klines="/api/v3/klines",
    shortest_kline_us=1_000_000,
)
