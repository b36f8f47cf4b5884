"""What the futures exchange writes: the fields and types of the recorded payloads."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from holdfast_adapters.simulators.binance.futures.model import (
    SimAlgo,
    SimAmendment,
    SimPosition,
)
from holdfast_adapters.simulators.binance.model import (
    SimOrder,
    SimSymbol,
    SimTrade,
    text,
)
from holdfast_adapters.simulators.binance.shapes import LIMITS, ZEROS, Shape
from holdfast_domain.money import ZERO


def exchange_info(symbols: list[SimSymbol], now_ms: int) -> Shape:
    """Return ``GET /fapi/v1/exchangeInfo``."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": LIMITS,
        "exchangeFilters": [],
        "assets": [
            {"asset": each, "marginAvailable": True, "autoAssetExchange": "0"}
            for each in dict.fromkeys(each.quote for each in symbols)
        ],
        "symbols": [_symbol(each) for each in symbols],
    }


def _symbol(each: SimSymbol) -> Shape:
    return {
        "symbol": each.name,
        "pair": each.name,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404802000,
        "onboardDate": 1569398400000,
        "status": each.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": each.base,
        "quoteAsset": each.quote,
        "marginAsset": each.quote,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012000",
        "marketTakeBound": "0.30",
        "filters": _filters(each),
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _filters(each: SimSymbol) -> list[Shape]:
    low, high = each.band
    lot = {
        "minQty": str(each.min_quantity),
        "maxQty": str(each.max_quantity),
        "stepSize": str(each.lot),
    }
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": str(each.tick),
            "maxPrice": "1000000",
            "tickSize": str(each.tick),
        },
        {"filterType": "LOT_SIZE", **lot},
        {"filterType": "MARKET_LOT_SIZE", **lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": each.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": each.max_orders},
        {"filterType": "MIN_NOTIONAL", "notional": str(each.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": str(high),
            "multiplierDown": str(low),
            "multiplierDecimal": "4",
        },
    ]


def average(order: SimOrder) -> str:
    """Return the average price of what is executed."""
    return text(order.worth / order.executed if order.executed else ZERO)


def order(each: SimOrder) -> Shape:
    """Return an order as answers to requests about it show it."""
    return {
        "orderId": each.number,
        "symbol": each.symbol,
        "status": each.status,
        "clientOrderId": each.client_id,
        "price": text(each.price),
        "avgPrice": average(each),
        "origQty": text(each.quantity),
        "executedQty": text(each.executed),
        "cumQuote": text(each.worth),
        "timeInForce": each.force,
        "type": each.type,
        "reduceOnly": each.reduce_only,
        "closePosition": False,
        "side": each.side,
        "positionSide": "BOTH",
        "stopPrice": ZEROS,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": each.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "updateTime": each.updated_ms,
    }


def row(each: SimOrder) -> Shape:
    """Return an order as a query shows it."""
    return {**order(each), "time": each.placed_ms}


def algo(each: SimAlgo) -> Shape:
    """Return a stop as the algo service shows it."""
    return {
        "algoId": each.number,
        "clientAlgoId": each.client_id,
        "algoType": "CONDITIONAL",
        "orderType": each.type,
        "symbol": each.symbol,
        "side": each.side,
        "positionSide": "BOTH",
        "timeInForce": each.force,
        "quantity": text(each.quantity),
        "algoStatus": each.status,
        "actualOrderId": "" if each.order is None else str(each.order),
        "actualPrice": ZEROS,
        "triggerPrice": text(each.trigger),
        "price": text(each.price),
        "icebergQuantity": None,
        "tpTriggerPrice": ZEROS,
        "tpPrice": ZEROS,
        "slTriggerPrice": ZEROS,
        "slPrice": ZEROS,
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": each.reduce_only,
        "activatePrice": "",
        "callbackRate": f"{each.rate:f}" if each.rate else "",
        "createTime": each.placed_ms,
        "updateTime": each.updated_ms,
        "triggerTime": each.triggered_ms,
        "goodTillDate": 0,
    }


def algo_canceled(each: SimAlgo) -> Shape:
    """Return the answer to the cancel of a stop."""
    return {
        "algoId": each.number,
        "clientAlgoId": each.client_id,
        "code": "200",
        "msg": "success",
    }


def trade_row(trade: SimTrade) -> Shape:
    """Return a trade as ``GET /fapi/v1/userTrades`` shows it."""
    return {
        "symbol": trade.symbol,
        "id": trade.number,
        "orderId": trade.order,
        "side": "BUY" if trade.is_buyer else "SELL",
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "realizedPnl": "0",
        "marginAsset": trade.fee_asset,
        "quoteQty": text(trade.price * trade.quantity),
        "commission": text(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": trade.at_ms,
        "positionSide": "BOTH",
        "buyer": trade.is_buyer,
        "maker": False,
    }


def amendment(each: SimAmendment, changed: SimOrder) -> Shape:
    """Return new terms as ``GET /fapi/v1/orderAmendment`` shows them."""
    (price_was, price_is), (was, now) = each.price, each.quantity
    return {
        "amendmentId": each.number,
        "symbol": changed.symbol,
        "pair": changed.symbol,
        "orderId": changed.number,
        "clientOrderId": changed.client_id,
        "time": each.at_ms,
        "amendment": {
            "price": {"before": text(price_was), "after": text(price_is)},
            "origQty": {"before": text(was), "after": text(now)},
            "count": 1,
        },
    }


def account(
    wallets: Mapping[str, tuple[Decimal, Decimal]],
    positions: Mapping[str, tuple[SimPosition, Decimal]],
    now_ms: int,
) -> Shape:
    """Return ``GET /fapi/v3/account``.

    Wallets are by asset, with what is available of each; positions by symbol, with
    their worth.
    """
    return {
        "totalInitialMargin": ZEROS,
        "totalMaintMargin": ZEROS,
        "totalWalletBalance": text(sum((each for each, _ in wallets.values()), ZERO)),
        "totalUnrealizedProfit": ZEROS,
        "totalMarginBalance": ZEROS,
        "totalPositionInitialMargin": ZEROS,
        "totalOpenOrderInitialMargin": ZEROS,
        "totalCrossWalletBalance": ZEROS,
        "totalCrossUnPnl": ZEROS,
        "availableBalance": ZEROS,
        "maxWithdrawAmount": ZEROS,
        "assets": [
            {
                "asset": name,
                "walletBalance": text(has),
                "unrealizedProfit": ZEROS,
                "marginBalance": text(has),
                "maintMargin": ZEROS,
                "initialMargin": ZEROS,
                "positionInitialMargin": ZEROS,
                "openOrderInitialMargin": ZEROS,
                "crossWalletBalance": text(has),
                "crossUnPnl": ZEROS,
                "availableBalance": text(free),
                "maxWithdrawAmount": text(free),
                "updateTime": now_ms,
            }
            for name, (has, free) in wallets.items()
        ],
        "positions": [
            {
                "symbol": name,
                "positionSide": "BOTH",
                "positionAmt": text(each.quantity),
                "unrealizedProfit": text(worth - each.cost),
                "isolatedMargin": ZEROS,
                "notional": text(worth),
                "isolatedWallet": ZEROS,
                "initialMargin": ZEROS,
                "maintMargin": ZEROS,
                "updateTime": now_ms,
            }
            for name, (each, worth) in positions.items()
        ],
    }


def rights(*, hedges: bool, now_ms: int) -> Shape:
    """Return ``GET /fapi/v1/accountConfig``."""
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": False,
        "dualSidePosition": hedges,
        "updateTime": now_ms,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }
