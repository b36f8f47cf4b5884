"""Order lists: from the port's words to Binance's parameters, and what it answers.

Source: binance-spot-api-docs, rest-api.md, "Order lists": an OCO is of an order above
the market and one below it, an OTOCO of a working order and such a pair that waits
until it is filled whole. Its limit order is a maker. To cancel a leg cancels the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from holdfast_adapters.binance.credentials import Value
from holdfast_adapters.binance.naming import Name, list_name
from holdfast_adapters.binance.placing import FORCES, MAKER, TYPES
from holdfast_adapters.binance.telling import (
    canceled,
    check_status,
    decoded,
    ending,
    placed,
)
from holdfast_adapters.binance.wire import CancelAnswer, ListReport, OrderReport
from holdfast_domain.errors import OutcomeUnknown
from holdfast_domain.orders import OrderType, Side
from holdfast_domain.ports import VenueEvent, VenueOrder

OCO: Final = "/api/v3/orderList/oco"
OTOCO: Final = "/api/v3/orderList/otoco"


def placing_list(orders: Sequence[VenueOrder]) -> tuple[str, dict[str, Value]]:
    """Return the path of a new list, and its parameters."""
    *entry, profit, loss = orders
    asked: dict[str, Value] = {
        "symbol": profit.terms.instrument,
        "listClientOrderId": list_name(orders[0].order_id),
        "newOrderRespType": "FULL",
    }
    prefix = "pending" if entry else ""
    for order in entry:
        asked |= _leg("working", order)
        asked["workingSide"] = order.terms.side.name
        asked["workingQuantity"] = order.terms.quantity.value
    asked[_named(prefix, "side")] = profit.terms.side.name
    asked[_named(prefix, "quantity")] = profit.terms.quantity.value
    sells = profit.terms.side is Side.SELL
    above, below = (profit, loss) if sells else (loss, profit)
    asked |= _leg(_named(prefix, "above"), above)
    asked |= _leg(_named(prefix, "below"), below)
    return OTOCO if entry else OCO, asked


def _named(prefix: str, word: str) -> str:
    return f"{prefix}{word[0].upper()}{word[1:]}" if prefix else word


def _leg(prefix: str, order: VenueOrder) -> dict[str, Value]:
    """Return the parameters of one leg; a take-profit is a maker."""
    terms, is_exit = order.terms, prefix != "working"
    makes = terms.post_only or (is_exit and terms.type is OrderType.LIMIT)
    asked: dict[str, Value] = {
        f"{prefix}Type": MAKER if makes else TYPES[terms.type],
        f"{prefix}ClientOrderId": order.order_id,
    }
    if terms.limit_price is not None:
        asked[f"{prefix}Price"] = terms.limit_price.value
        if not makes:
            asked[f"{prefix}TimeInForce"] = FORCES[terms.time_in_force]
    if terms.stop_price is not None:
        asked[f"{prefix}StopPrice"] = terms.stop_price.value
    return asked


def list_placed(orders: Sequence[VenueOrder], body: bytes) -> list[VenueEvent]:
    """Return what the answer to a new list says of each of its orders.

    Raises:
        OutcomeUnknown: it does not speak of one of them, or in words that we do not
            know.
    """
    report = decoded(body, ListReport)
    reports = {each.client_order_id: each for each in report.order_reports}
    said: list[VenueEvent] = []
    for order in orders:
        found = reports.get(order.order_id)
        if found is None:
            message = f"expected a report of {order.order_id}, got {sorted(reports)}"
            raise OutcomeUnknown(message)
        said += placed(order.order_id, found)
    return said


def leg_canceled(order_id: str, body: bytes) -> list[VenueEvent]:
    """Return what the answer to a cancel says: of an order, or of a whole list.

    Raises:
        OutcomeUnknown: it does not say that the order has ended.
    """
    reports = decoded(body, CancelAnswer).order_reports
    if not reports:
        return canceled(order_id, decoded(body, OrderReport))
    said: list[VenueEvent] = []
    for each in reports:
        check_status(each.status)
        name = Name.parse(each.orig_client_order_id or each.client_order_id).order_id
        said += ending(name, each.status, each.executed_qty, "on request")
    if not any(each.order_id == order_id for each in said):
        message = f"expected {order_id} among what was canceled, got {said}"
        raise OutcomeUnknown(message)
    return said
