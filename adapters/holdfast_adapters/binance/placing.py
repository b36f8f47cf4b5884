"""Requests about orders: from the port's words to Binance's parameters."""

from __future__ import annotations

from typing import Final

from holdfast_adapters.binance.credentials import Value
from holdfast_adapters.binance.naming import LAST_REVISION, cancel_id, revision_id
from holdfast_domain.errors import VenueRefused
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TRAILING_STOP: "STOP_LOSS",
}
MAKER: Final = "LIMIT_MAKER"
"""A limit order that is refused (-2010) where it would trade at once."""

FORCES: Final = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
}
"""A day has no end at an exchange that never closes, so there is no DAY."""

TAKES: Final = OrderKinds(
    types=frozenset(TYPES),
    forces=frozenset(FORCES),
    post_only=True,
    icebergs=True,
    trail_bps=(10, 2_000),
    lists=frozenset(ListKind),
    entries=frozenset({OrderType.LIMIT}),
)
"""A symbol's own limits of distances (TRAILING_DELTA) may be narrower."""

UNLIMITED: Final = {
    OrderType.MARKET: frozenset({TimeInForce.GTC, TimeInForce.IOC}),
    OrderType.STOP: frozenset({TimeInForce.GTC}),
    OrderType.TRAILING_STOP: frozenset({TimeInForce.GTC}),
}
"""What orders without a limit may be: a market order takes what is there."""


def placing(client_order_id: str, terms: OrderTerms) -> dict[str, Value]:
    """Return the parameters of a new order.

    Raises:
        VenueRefused: Binance has no such order; nothing is asked.
    """
    _check(terms)
    asked: dict[str, Value] = {
        "symbol": terms.instrument,
        "side": terms.side.name,
        "type": MAKER if terms.post_only else TYPES[terms.type],
    }
    if terms.limit_price is not None and not terms.post_only:
        asked["timeInForce"] = FORCES[terms.time_in_force]
    asked["quantity"] = terms.quantity.value
    if terms.limit_price is not None:
        asked["price"] = terms.limit_price.value
    if terms.stop_price is not None:
        asked["stopPrice"] = terms.stop_price.value
    if terms.trail_bps is not None:
        asked["trailingDelta"] = terms.trail_bps
    if terms.shown is not None:
        asked["icebergQty"] = terms.shown.value
    asked["newClientOrderId"] = client_order_id
    asked["newOrderRespType"] = "FULL"
    return asked


def canceling(symbol: str, order_id: str, revision: int) -> dict[str, Value]:
    """Return the parameters of a cancel."""
    return {
        "symbol": symbol,
        "origClientOrderId": revision_id(order_id, revision),
        "newClientOrderId": cancel_id(order_id),
    }


def changing(order_id: str, revision: int, terms: OrderTerms) -> dict[str, Value]:
    """Return the parameters that put new terms in the place of ``revision``.

    Only of an order of which nothing is filled: Binance cannot say by how much a fill
    that comes in between makes the new quantity too large.

    Raises:
        VenueRefused: Binance has no such order, or it was changed too often.
    """
    if revision >= LAST_REVISION:
        reason = f"expected at most {LAST_REVISION} changes; cancel it and place anew"
        raise VenueRefused(reason, "revisions")
    asked = placing(revision_id(order_id, revision + 1), terms)
    asked["cancelReplaceMode"] = "STOP_ON_FAILURE"
    asked["cancelOrigClientOrderId"] = revision_id(order_id, revision)
    asked["cancelNewClientOrderId"] = cancel_id(order_id, revision + 1)
    asked["cancelRestrictions"] = "ONLY_NEW"
    return asked


def _check(terms: OrderTerms) -> None:
    if terms.limit_price is None and terms.time_in_force not in UNLIMITED[terms.type]:
        reason = f"a {terms.type.value} order cannot be {terms.time_in_force.value}"
        raise VenueRefused(reason, "time_in_force")
    if terms.reduce_only and terms.side is Side.BUY:
        reason = "expected a sell: there are no short positions on spot to reduce"
        raise VenueRefused(reason, "reduce_only")
