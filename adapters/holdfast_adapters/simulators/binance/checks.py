"""What the exchange asks of an order before it takes it (filters.md, errors.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import attrs

from holdfast_adapters.simulators.binance.model import Refused, SimOrder, SimSymbol
from holdfast_domain.money import ZERO, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

TYPES: Final = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
}
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "MARKET": ("quantity",),
    "LIMIT": ("timeInForce", "quantity", "price"),
    "LIMIT_MAKER": ("quantity", "price"),
    "STOP_LOSS": ("quantity",),
    "STOP_LOSS_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
}
EITHER: Final = ("stopPrice", "trailingDelta")
"""What a stop without a limit has one of here; the exchange takes both."""

MAY: Final[dict[str, tuple[str, ...]]] = {
    "LIMIT": ("icebergQty",),
    "LIMIT_MAKER": ("icebergQty",),
    "STOP_LOSS": EITHER,
}
TAKEN: Final = frozenset({
    "timeInForce",
    "quantity",
    "price",
    "stopPrice",
    "trailingDelta",
    "icebergQty",
})  # fmt: skip
CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9\-_]{1,36}")
DIGITS: Final = 8


@attrs.frozen(kw_only=True)
class Asked:
    """A new order as it is asked for."""

    client_id: str
    symbol: str
    side: str
    type: str
    force: str
    quantity: Decimal
    price: Decimal
    stop_price: Decimal
    trailing: int = 0
    shown: Decimal = ZERO
    reduce_only: bool = False


def asked_of(parameters: Mapping[str, str], default_id: str) -> Asked:
    """Return the order in the parameters of a request.

    Raises:
        Refused: a parameter is missing, is one too many, or cannot be read.
    """
    for name in ("symbol", "side", "type"):
        needed(parameters, name)
    kind = parameters["type"]
    if kind not in TYPES:
        raise Refused(-1116, "Invalid orderType.")
    if parameters["side"] not in Side.__members__:
        raise Refused(-1117, "Invalid side.")
    for name in NEEDS[kind]:
        needed(parameters, name)
    if kind == "STOP_LOSS" and not any(name in parameters for name in EITHER):
        needed(parameters, "stopPrice")
    known = {*NEEDS[kind], *MAY.get(kind, ())}
    if extra := sorted((TAKEN - known) & parameters.keys()):
        message = f"Parameter '{extra[0]}' sent when not required."
        raise Refused(-1106, message)
    force = parameters.get("timeInForce", "GTC")
    if force not in ("GTC", "IOC", "FOK"):
        raise Refused(-1115, "Invalid timeInForce.")
    return Asked(
        client_id=client_id_of(parameters, "newClientOrderId", default_id),
        symbol=parameters["symbol"],
        side=parameters["side"],
        type=kind,
        force=force,
        quantity=number_of(parameters, "quantity"),
        price=number_of(parameters, "price"),
        stop_price=number_of(parameters, "stopPrice"),
        trailing=int(number_of(parameters, "trailingDelta")),
        shown=number_of(parameters, "icebergQty"),
    )


def client_id_of(parameters: Mapping[str, str], name: str, default_id: str) -> str:
    """Return the client's id of an order.

    Raises:
        Refused: it is no id.
    """
    client_id = parameters.get(name, default_id)
    if not CLIENT_ID.fullmatch(client_id):
        message = (
            f"Illegal characters found in parameter '{name}'; legal range is "
            "'^[a-zA-Z0-9-_]{1,36}$'."
        )
        raise Refused(-1100, message)
    return client_id


def terms_of(order: SimOrder) -> OrderTerms:
    """Return an order as the engine matches it."""
    kind = OrderType.TRAILING_STOP if order.trailing else TYPES[order.type]
    return OrderTerms(
        instrument=order.symbol,
        side=Side[order.side],
        quantity=Quantity(order.quantity),
        type=kind,
        time_in_force=TimeInForce[order.force],
        limit_price=Price(order.price) if order.price else None,
        stop_price=Price(order.stop_price) if order.stop_price else None,
        trail_bps=order.trailing or None,
        shown=Quantity(order.shown) if order.shown else None,
        post_only=order.type == "LIMIT_MAKER",
    )


def check_market(asked: Asked, symbol: SimSymbol, last: Decimal | None) -> None:
    """Check an order against the filters and the market.

    Raises:
        Refused: it does not pass.
    """
    if symbol.status != "TRADING":
        raise Refused(-2010, "Market is closed.")
    for name, price in (("price", asked.price), ("stop", asked.stop_price)):
        if price:
            _check_price(name, price, symbol, last)
    step = symbol.lot
    fits = symbol.min_quantity <= asked.quantity <= symbol.max_quantity
    if not fits or asked.quantity % step:
        raise Refused(-1013, "Filter failure: LOT_SIZE")
    price = asked.price or asked.stop_price or last or ZERO
    if price * asked.quantity < symbol.min_notional:
        raise Refused(-1013, "Filter failure: NOTIONAL")
    if asked.trailing:
        least, most = symbol.trailing
        if not least <= asked.trailing <= most:
            raise Refused(-1013, "Filter failure: TRAILING_DELTA")
    if asked.shown:
        _check_iceberg(asked, symbol)
    if last is not None:
        check_crossing(asked, last)


def _check_iceberg(asked: Asked, symbol: SimSymbol) -> None:
    if asked.force != "GTC":
        raise Refused(-1106, "Parameter 'icebergQty' sent when not required.")
    if asked.shown % symbol.lot:
        raise Refused(-1013, "Filter failure: LOT_SIZE")
    if asked.quantity > symbol.iceberg_parts * asked.shown:
        raise Refused(-1013, "Filter failure: ICEBERG_PARTS")


def _check_price(
    name: str, price: Decimal, symbol: SimSymbol, last: Decimal | None
) -> None:
    if price % symbol.tick:
        raise Refused(-1013, "Filter failure: PRICE_FILTER")
    low, high = symbol.band
    if name == "price" and last and not low * last <= price <= high * last:
        raise Refused(-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")


def check_crossing(asked: Asked | SimOrder, last: Decimal) -> None:
    """Check that an order that is to rest, or to wait, would not trade at once.

    Raises:
        Refused: it would.
    """
    buys = asked.side == "BUY"
    if asked.type == "LIMIT_MAKER":
        if asked.price >= last if buys else asked.price <= last:
            raise Refused(-2010, "Order would immediately match and take.")
    elif asked.stop_price and (
        last >= asked.stop_price if buys else last <= asked.stop_price
    ):
        raise Refused(-2010, "Stop price would trigger immediately.")


def needed(parameters: Mapping[str, str], name: str) -> None:
    """Raise that a parameter is missing, where it is."""
    if not parameters.get(name):
        message = (
            f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
        )
        raise Refused(-1102, message)


def number_of(parameters: Mapping[str, str], name: str) -> Decimal:
    """Return a parameter as a number above 0, or 0 where it is not there."""
    text = parameters.get(name)
    if text is None:
        return ZERO
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or "E" in text.upper():
        message = (
            f"Illegal characters found in parameter '{name}'; legal range is "
            "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'."
        )
        raise Refused(-1100, message)
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DIGITS:
        message = f"Parameter '{name}' has too much precision."
        raise Refused(-1111, message)
    if number <= 0:
        raise Refused(-1013, f"Invalid {name}.")
    return number
