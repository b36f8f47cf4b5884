"""What the futures exchange asks of an order before it takes it ("Error Codes")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from holdfast_adapters.simulators.binance.checks import (
    Asked,
    client_id_of,
    needed,
    number_of,
)
from holdfast_adapters.simulators.binance.futures.model import SimAlgo
from holdfast_adapters.simulators.binance.model import Refused, SimOrder, SimSymbol
from holdfast_domain.money import ZERO, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

ORDERS: Final = {"MARKET": ("quantity",), "LIMIT": ("timeInForce", "quantity", "price")}
ALGOS: Final = {
    "STOP_MARKET": ("quantity", "triggerPrice"),
    "STOP": ("quantity", "price", "triggerPrice"),
    "TRAILING_STOP_MARKET": ("quantity", "callbackRate"),
}
STEP: Final = Decimal("0.1")
"""Of callback rates, in percent, and their least."""

MOST_RATE: Final = 10

STOPS: Final = {
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TRAILING_STOP_MARKET": OrderType.TRAILING_STOP,
}
FORCES: Final = ("GTC", "IOC", "FOK", "GTX")


def order_asked(asked: Mapping[str, str], default_id: str) -> Asked:
    """Return the order that is asked for.

    Raises:
        Refused: it is a stop, a parameter is missing, or cannot be read.
    """
    if asked.get("type") in ALGOS:
        message = (
            "Order type not supported for this endpoint. Please use the Algo Order API "
            "endpoints instead."
        )
        raise Refused(-4120, message)
    return _asked(asked, ORDERS, "newClientOrderId", default_id)


def algo_asked(asked: Mapping[str, str], default_id: str) -> Asked:
    """Return the stop that is asked for.

    Raises:
        Refused: it is none, a parameter is missing, or cannot be read.
    """
    if asked.get("algoType") != "CONDITIONAL":
        raise Refused(-1102, "Mandatory parameter 'algotype' was not sent.")
    return _asked(asked, ALGOS, "clientAlgoId", default_id)


def _asked(
    asked: Mapping[str, str],
    needs: Mapping[str, tuple[str, ...]],
    id_name: str,
    default_id: str,
) -> Asked:
    for name in ("symbol", "side", "type"):
        needed(asked, name)
    kind = asked["type"]
    if kind not in needs:
        raise Refused(-1116, "Invalid orderType.")
    if asked["side"] not in Side.__members__:
        raise Refused(-1117, "Invalid side.")
    for name in needs[kind]:
        needed(asked, name)
    force = asked.get("timeInForce", "GTC")
    if force not in FORCES:
        raise Refused(-1115, "Invalid timeInForce.")
    if asked.get("positionSide", "BOTH") != "BOTH":
        message = "Order's position side does not match user's setting."
        raise Refused(-4061, message)
    return Asked(
        client_id=client_id_of(asked, id_name, default_id),
        symbol=asked["symbol"],
        side=asked["side"],
        type=kind,
        force=force,
        quantity=number_of(asked, "quantity"),
        price=number_of(asked, "price"),
        stop_price=number_of(asked, "triggerPrice"),
        trailing=_basis_points(number_of(asked, "callbackRate")),
        reduce_only=asked.get("reduceOnly") == "true",
    )


def _basis_points(rate: Decimal) -> int:
    if rate and (rate % STEP or not STEP <= rate <= MOST_RATE):
        raise Refused(-2007, "Invalid callBack rate.")
    return int(rate * 100)


def check_filters(asked: Asked, symbol: SimSymbol, last: Decimal | None) -> None:
    """Check an order, or a stop, against the filters.

    Raises:
        Refused: it does not pass.
    """
    if symbol.status != "TRADING":
        raise Refused(-4140, "Invalid symbol status for opening position.")
    for price in (asked.price, asked.stop_price):
        if price % symbol.tick:
            raise Refused(-4014, "Price not increased by tick size.")
    low, high = symbol.band
    if asked.price and last is not None:
        if asked.price > high * last:
            raise Refused(-4016, f"Limit price can't be higher than {high * last}.")
        if asked.price < low * last:
            raise Refused(-4024, f"Limit price can't be lower than {low * last}.")
    if asked.quantity % symbol.lot:
        raise Refused(-1111, "Precision is over the maximum defined for this asset.")
    if not symbol.min_quantity <= asked.quantity <= symbol.max_quantity:
        raise Refused(-4005, "Quantity greater than max quantity.")
    at = asked.price or asked.stop_price or last or ZERO
    if at and not asked.reduce_only and at * asked.quantity < symbol.min_notional:
        least = symbol.min_notional
        message = (
            f"Order's notional must be no smaller than {least} (unless reduce only)."
        )
        raise Refused(-4164, message)


def crosses(side: str, price: Decimal, last: Decimal | None) -> bool:
    """Tell whether a limit would trade at once."""
    return last is not None and (price >= last if side == "BUY" else price <= last)


def is_reached(side: str, trigger: Decimal, last: Decimal | None) -> bool:
    """Tell whether the market is at a stop, or beyond it."""
    if last is None:
        return False
    return last >= trigger if side == "BUY" else last <= trigger


def terms_of(order: SimOrder) -> OrderTerms:
    """Return an order as the engine matches it."""
    makes = order.force == "GTX"
    return OrderTerms(
        instrument=order.symbol,
        side=Side[order.side],
        quantity=Quantity(order.quantity),
        type=OrderType[order.type],
        time_in_force=TimeInForce.GTC if makes else TimeInForce[order.force],
        limit_price=Price(order.price) if order.price else None,
        post_only=makes,
    )


def stop_terms(algo: SimAlgo) -> OrderTerms:
    """Return a stop as the record keeps it."""
    limited = algo.type == "STOP"
    return OrderTerms(
        instrument=algo.symbol,
        side=Side[algo.side],
        quantity=Quantity(algo.quantity),
        type=STOPS[algo.type],
        limit_price=Price(algo.price) if limited else None,
        stop_price=None if algo.rate else Price(algo.trigger),
        trail_bps=int(algo.rate * 100) or None,
    )
