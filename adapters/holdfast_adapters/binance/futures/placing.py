"""Requests about orders of futures: from the port's words to Binance's parameters.

Source: developers.binance.com, USD-M futures, "New Order", "New Algo Order" and
"Modify Order".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from holdfast_adapters.binance.credentials import Value
from holdfast_adapters.binance.placing import FORCES
from holdfast_adapters.binance.telling import POST_ONLY
from holdfast_domain.errors import VenueRefused
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orders import OrderTerms, OrderType, TimeInForce

TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TRAILING_STOP: "TRAILING_STOP_MARKET",
}
TAKES: Final = OrderKinds(
    types=frozenset(TYPES),
    forces=frozenset(FORCES),
    post_only=True,
    trail_bps=(10, 1_000),
)


def is_algo(terms: OrderTerms) -> bool:
    """Tell whether the algo service takes an order, and not the exchange itself."""
    return terms.stop_price is not None or terms.trail_bps is not None


def placing(order_id: str, terms: OrderTerms, *, reduces: bool) -> dict[str, Value]:
    """Return the parameters of a new order, for the exchange or the algo service.

    Whether it may only reduce the position is told if ``reduces``.

    Raises:
        VenueRefused: Binance has no such order; nothing is asked.
    """
    asked: dict[str, Value] = {
        "symbol": terms.instrument,
        "side": terms.side.name,
        "type": TYPES[terms.type],
    }
    if terms.limit_price is not None:
        force = POST_ONLY if terms.post_only else FORCES[terms.time_in_force]
        asked["timeInForce"] = force
        asked["price"] = terms.limit_price.value
    elif terms.time_in_force is not TimeInForce.GTC:
        force = terms.time_in_force.value
        reason = f"a {terms.type.value} order cannot be {force}"
        raise VenueRefused(reason, "time_in_force")
    asked["quantity"] = terms.quantity.value
    if terms.reduce_only and reduces:
        asked["reduceOnly"] = "true"
    if is_algo(terms):
        asked["algoType"] = "CONDITIONAL"
        if terms.stop_price is not None:
            asked["triggerPrice"] = terms.stop_price.value
        if terms.trail_bps is not None:
            asked["callbackRate"] = Decimal(terms.trail_bps) / 100
        asked["workingType"] = "CONTRACT_PRICE"
        asked["clientAlgoId"] = order_id
    else:
        asked["newClientOrderId"] = order_id
    asked["newOrderRespType"] = "RESULT"
    return asked


def changing(order_id: str, terms: OrderTerms) -> dict[str, Value]:
    """Return the parameters of new terms; their quantity counts what is filled too.

    Raises:
        VenueRefused: it is no limit order; nothing is asked.
    """
    if terms.type is not OrderType.LIMIT or terms.limit_price is None:
        reason = "expected a limit order: no other gets new terms; place it anew"
        raise VenueRefused(reason, "terms")
    return {
        "symbol": terms.instrument,
        "side": terms.side.name,
        "quantity": terms.quantity.value,
        "price": terms.limit_price.value,
        "origClientOrderId": order_id,
    }
