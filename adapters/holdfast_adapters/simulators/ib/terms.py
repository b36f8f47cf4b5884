"""Terms of orders: the words of TWS, and those of the engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from holdfast_adapters.simulators.ib.auctions import waits
from holdfast_adapters.simulators.ib.model import Asked, Refused
from holdfast_domain.errors import VenueRefused
from holdfast_domain.money import ZERO, Price, Quantity
from holdfast_domain.orderlists import Leg, ListKind, Role
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

UNKNOWN: Final = "No security definition has been found for the request"
TYPES: Final = {
    "MKT": OrderType.MARKET,
    "LMT": OrderType.LIMIT,
    "STP": OrderType.STOP,
    "STP LMT": OrderType.STOP_LIMIT,
    "TRAIL": OrderType.TRAILING_STOP,
    "MOC": OrderType.MARKET,
    "LOC": OrderType.LIMIT,
}
AT_CLOSE: Final = ("MOC", "LOC")
FORCES: Final = {
    **{each.name: each for each in TimeInForce if not each.name.startswith("AT_")},
    "OPG": TimeInForce.AT_OPEN,
}
MARGIN: Final = (
    "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE "
    "DESIRED POSITION YOUR EQUITY WITH LOAN VALUE [{equity:.2f} USD] MUST EXCEED "
    "THE INITIAL MARGIN [{margin:.2f} USD]"
)
USED_GROUP: Final = "Order rejected - reason:The OCA group was used before."
CANCEL_WITH_BLOCK: Final = 1
"""The kind of group where what is filled of one order cancels the others."""

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
    kind, force = TYPES.get(asked.type), FORCES.get(asked.tif)
    if kind is None or force is None:
        words = (
            f"Error validating request:-'bW' : cause - Invalid order type {asked.type}"
        )
        raise Refused(321, words)
    limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    stopped = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    trail, trail_bps = _distance(kind, asked)
    return OrderTerms(
        instrument=str(asked.contract.con_id),
        side=Side[asked.action],
        quantity=Quantity(asked.quantity),
        type=kind,
        time_in_force=TimeInForce.AT_CLOSE if asked.type in AT_CLOSE else force,
        limit_price=Price(asked.limit or ZERO) if limited else None,
        stop_price=Price(asked.aux or ZERO) if stopped else None,
        trail=trail,
        trail_bps=trail_bps,
        shown=Quantity(Decimal(asked.shown)) if asked.shown else None,
    )


def leg_of(asked: Asked, terms: OrderTerms) -> Leg | None:
    """Return what binds an order to the others of its group, if it is in one.

    Raises:
        Refused: there are no such groups here.
    """
    if not asked.group:
        return None
    if asked.group_type != CANCEL_WITH_BLOCK or waits(terms):
        words = "Error validating request: groups are of type 1 here, and in no auction"
        raise Refused(321, words)
    is_profit = terms.type is OrderType.LIMIT
    role = Role.TAKE_PROFIT if is_profit else Role.STOP_LOSS
    return Leg(list_id=asked.group, kind=ListKind.OCO, role=role)


def check_margin(asked: Asked, held: Decimal, price: Decimal, cash: Decimal) -> None:
    """Refuse what would need more than ``cash``; ``price`` is what a unit ties up.

    Exits of an order that has yet to be filled give back what it takes.

    Raises:
        Refused: 201.
    """
    sign = 1 if asked.action == "BUY" else -1
    more = abs(held + sign * asked.quantity) - abs(held)
    margin = more * price * asked.contract.units
    if margin > cash and not asked.parent_id:
        raise Refused(201, MARGIN.format(equity=cash, margin=margin))


def _distance(kind: OrderType, asked: Asked) -> tuple[Price | None, int | None]:
    """Return how far a stop trails: by a price, or in basis points."""
    if kind is not OrderType.TRAILING_STOP:
        return None, None
    if bool(asked.aux) is bool(asked.percent):
        words = "Error validating request: set the trailing amount or the percentage"
        raise Refused(321, words)
    if asked.aux:
        return Price(asked.aux), None
    return None, int((asked.percent or ZERO) * 100)


def asked_with(asked: Asked, terms: OrderTerms) -> Asked:
    """Return an order with new terms, of the type that it had."""
    limit, aux, bps = terms.limit_price, terms.stop_price or terms.trail, asked.percent
    if terms.trail_bps is not None:
        bps = Decimal(terms.trail_bps) / 100
    forces = {force: word for word, force in FORCES.items()}
    return attrs.evolve(
        asked,
        quantity=terms.quantity.value,
        limit=None if limit is None else limit.value,
        aux=None if aux is None else aux.value,
        percent=bps,
        shown=0 if terms.shown is None else int(terms.shown.value),
        tif=forces.get(terms.time_in_force, asked.tif),
    )


def said(error: VenueRefused) -> Refused:
    """Return what the engine refuses in the words of TWS."""
    code = CODES.get(error.code, 201)
    return Refused(code, WORDS.get(code, f"Order rejected - reason:{error.reason}"))
