"""What the exchange writes: the fields and types of the recorded payloads."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from holdfast_adapters.simulators.binance.model import (
    PENDING,
    SimBalance,
    SimOrder,
    SimSymbol,
    SimTrade,
    text,
)
from holdfast_domain.money import ZERO

Shape = dict[str, Any]
ZEROS: Final = text(ZERO)
LIMITS: Final[list[Shape]] = [
    {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 6000,
    },
    {
        "rateLimitType": "ORDERS",
        "interval": "SECOND",
        "intervalNum": 10,
        "limit": 100,
    },
]


def exchange_info(symbols: list[SimSymbol], now_ms: int) -> Shape:
    """Return ``GET /api/v3/exchangeInfo``."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": LIMITS,
        "exchangeFilters": [],
        "symbols": [_symbol(each) for each in symbols],
    }


def _symbol(each: SimSymbol) -> Shape:
    return {
        "symbol": each.name,
        "status": each.status,
        "baseAsset": each.base,
        "baseAssetPrecision": 8,
        "quoteAsset": each.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
        ],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": False,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(each),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _filters(each: SimSymbol) -> list[Shape]:
    low, high = each.band
    band = {
        "bidMultiplierUp": str(high),
        "bidMultiplierDown": str(low),
        "askMultiplierUp": str(high),
        "askMultiplierDown": str(low),
        "avgPriceMins": 5,
    }
    lot = {
        "minQty": text(each.min_quantity),
        "maxQty": text(each.max_quantity),
        "stepSize": text(each.lot),
    }
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": text(each.tick),
            "maxPrice": "1000000.00000000",
            "tickSize": text(each.tick),
        },
        {"filterType": "LOT_SIZE", **lot},
        {"filterType": "MARKET_LOT_SIZE", **lot, "stepSize": ZEROS, "minQty": ZEROS},
        {"filterType": "PERCENT_PRICE_BY_SIDE", **band},
        {
            "filterType": "NOTIONAL",
            "minNotional": text(each.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": each.max_orders},
        {"filterType": "ICEBERG_PARTS", "limit": each.iceberg_parts},
        {"filterType": "TRAILING_DELTA", **_distances(each)},
    ]


def _distances(each: SimSymbol) -> Shape:
    least, most = each.trailing
    return {
        "minTrailingAboveDelta": least,
        "maxTrailingAboveDelta": most,
        "minTrailingBelowDelta": least,
        "maxTrailingBelowDelta": most,
    }


def _terms(order: SimOrder) -> Shape:
    """Return what all answers about an order have in common."""
    shape: Shape = {
        "price": text(order.price),
        "origQty": text(order.quantity),
        "executedQty": text(order.executed),
        "origQuoteOrderQty": ZEROS,
        "cummulativeQuoteQty": text(order.worth),
        "status": order.status,
        "timeInForce": order.force,
        "type": order.type,
        "side": order.side,
        "selfTradePreventionMode": "NONE",
    }
    if order.stop_price:
        shape["stopPrice"] = text(order.stop_price)
    if order.trailing:
        shape["trailingDelta"] = order.trailing
        shape["trailingTime"] = order.placed_ms
    if order.shown:
        shape["icebergQty"] = text(order.shown)
    return shape


def _working_ms(order: SimOrder) -> int:
    return -1 if order.status == PENDING else order.placed_ms


def placed(order: SimOrder) -> Shape:
    """Return the FULL answer to a new order."""
    fills = [
        {
            "price": text(trade.price),
            "qty": text(trade.quantity),
            "commission": text(trade.fee),
            "commissionAsset": trade.fee_asset,
            "tradeId": trade.number,
        }
        for trade in order.trades
    ]
    return {
        "symbol": order.symbol,
        "orderId": order.number,
        "orderListId": order.list_number,
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
        **_terms(order),
        "workingTime": _working_ms(order),
        "fills": fills,
    }


def canceled(order: SimOrder, cancel_id: str) -> Shape:
    """Return the answer to a cancel."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_id,
        "orderId": order.number,
        "orderListId": order.list_number,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_terms(order),
    }


def row(order: SimOrder) -> Shape:
    """Return an order as a query shows it."""
    return {
        "symbol": order.symbol,
        "orderId": order.number,
        "orderListId": order.list_number,
        "clientOrderId": order.client_id,
        "icebergQty": ZEROS,
        **_terms(order),
        "stopPrice": text(order.stop_price),
        "time": order.placed_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": _working_ms(order),
    }


def trade_row(trade: SimTrade) -> Shape:
    """Return a trade as ``GET /api/v3/myTrades`` shows it."""
    return {
        "symbol": trade.symbol,
        "id": trade.number,
        "orderId": trade.order,
        "orderListId": trade.list_number,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.price * trade.quantity),
        "commission": text(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": trade.at_ms,
        "isBuyer": trade.is_buyer,
        "isMaker": False,
        "isBestMatch": True,
    }


def account(balances: Mapping[str, SimBalance], now_ms: int) -> Shape:
    """Return ``GET /api/v3/account``."""
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": "0.00100000",
            "taker": "0.00100000",
            "buyer": ZEROS,
            "seller": ZEROS,
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": now_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": name, "free": text(each.free), "locked": text(each.locked)}
            for name, each in balances.items()
        ],
        "permissions": ["SPOT"],
        "uid": 354937868,
    }


# --- user data -----------------------------------------------------------------


def report(
    order: SimOrder,
    what: str,
    *,
    number: int,
    now_ms: int,
    client_id: str = "",
    trade: SimTrade | None = None,
) -> Shape:
    """Return an execution report; ``client_id`` is that of a cancel."""
    last = ZEROS if trade is None else text(trade.quantity)
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": order.symbol,
        "c": client_id or order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.force,
        "q": text(order.quantity),
        "p": text(order.price),
        "P": text(order.stop_price),
        "F": text(order.shown),
        "g": order.list_number,
        "C": order.client_id if client_id else "",
        "x": what,
        "X": order.status,
        "r": "NONE",
        "i": order.number,
        "l": last,
        "z": text(order.executed),
        "L": ZEROS if trade is None else text(trade.price),
        "n": "0" if trade is None else text(trade.fee),
        "N": None if trade is None else trade.fee_asset,
        "T": order.updated_ms,
        "t": -1 if trade is None else trade.number,
        "I": number,
        "w": order.status in ("NEW", "PARTIALLY_FILLED"),
        "m": False,
        "M": trade is not None,
        "O": order.placed_ms,
        "Z": text(order.worth),
        "Y": ZEROS if trade is None else text(trade.price * trade.quantity),
        "Q": ZEROS,
        "W": _working_ms(order),
        "V": "NONE",
        **({"d": order.trailing, "D": order.placed_ms} if order.trailing else {}),
    }


def position(balances: Mapping[str, SimBalance], now_ms: int) -> Shape:
    """Return the balances that an order changed."""
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": now_ms,
        "B": [
            {"a": name, "f": text(each.free), "l": text(each.locked)}
            for name, each in balances.items()
        ],
    }


# --- the market ------------------------------------------------------------------


def trade_event(
    symbol: str, number: int, price: Decimal, quantity: Decimal, now_ms: int
) -> Shape:
    """Return a trade of the market."""
    return {
        "e": "trade",
        "E": now_ms,
        "s": symbol,
        "t": number,
        "p": text(price),
        "q": text(quantity),
        "T": now_ms,
        "m": False,
        "M": True,
    }


def book_ticker(
    symbol: SimSymbol, update: int, price: Decimal, quantity: Decimal
) -> Shape:
    """Return the best bid and ask: a tick around the last price."""
    return {
        "u": update,
        "s": symbol.name,
        "b": text(price - symbol.tick),
        "B": text(quantity),
        "a": text(price + symbol.tick),
        "A": text(quantity),
    }
