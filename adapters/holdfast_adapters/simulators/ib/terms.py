"""Terms of orders: the words of TWS, and those of the engine."""

from __future__ import annotations

from typing import Final

import attrs

from holdfast_adapters.simulators.ib.model import Asked, Refused
from holdfast_domain.errors import VenueRefused
from holdfast_domain.money import ZERO, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

UNKNOWN: Final = "No security definition has been found for the request"
TYPES: Final = {
    "MKT": OrderType.MARKET,
    "LMT": OrderType.LIMIT,
    "STP": OrderType.STOP,
    "STP LMT": OrderType.STOP_LIMIT,
}
CODES: Final = {
    "unknown_symbol": 200,
    "tick": 110,
    "price": 110,
    "quantity": 434,
    "lot": 10243,
    "terms": 105,
    "min_notional": 201,
}
"""Which error stands for what the engine refuses; all else is 201."""

WORDS: Final = {
    105: "Order being modified does not match original order",
    110: "The price does not conform to the minimum price variation for this contract.",
    200: UNKNOWN,
    434: "The order size cannot be zero",
    10243: "Fractional-sized order cannot be placed via API.",
}


def terms_of(asked: Asked) -> OrderTerms:
    """Return an order's terms as the engine has them; an instrument is a contract id.

    Raises:
        Refused: there is no such kind of order here.
    """
    kind = TYPES.get(asked.type)
    if kind is None or asked.tif not in TimeInForce.__members__:
        words = (
            f"Error validating request:-'bW' : cause - Invalid order type {asked.type}"
        )
        raise Refused(321, words)
    limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    stopped = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    return OrderTerms(
        instrument=str(asked.contract.con_id),
        side=Side[asked.action],
        quantity=Quantity(asked.quantity),
        type=kind,
        time_in_force=TimeInForce[asked.tif],
        limit_price=Price(asked.limit or ZERO) if limited else None,
        stop_price=Price(asked.aux or ZERO) if stopped else None,
    )


def asked_with(asked: Asked, terms: OrderTerms) -> Asked:
    """Return an order with new terms."""
    limit, stop = terms.limit_price, terms.stop_price
    return attrs.evolve(
        asked,
        quantity=terms.quantity.value,
        limit=None if limit is None else limit.value,
        aux=None if stop is None else stop.value,
        tif=terms.time_in_force.name,
    )


def said(error: VenueRefused) -> Refused:
    """Return what the engine refuses in the words of TWS."""
    code = CODES.get(error.code, 201)
    return Refused(code, WORDS.get(code, f"Order rejected - reason:{error.reason}"))
