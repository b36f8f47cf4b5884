"""What the exchange writes of order lists: as in the vendor's documentation."""

from __future__ import annotations

from collections.abc import Callable

from holdfast_adapters.simulators.binance.model import SimList, SimOrder
from holdfast_adapters.simulators.binance.shapes import Shape
from holdfast_domain.orderlists import ListKind


def list_answer(made: SimList, report: Callable[[SimOrder], Shape]) -> Shape:
    """Return the answer to a new list or to a cancel; each order has a ``report``."""
    return {
        "orderListId": made.number,
        "contingencyType": _contingency(made),
        "listStatusType": "EXEC_STARTED" if made.is_open else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if made.is_open else "ALL_DONE",
        "listClientOrderId": made.client_id,
        "transactionTime": max(each.updated_ms for each in made.orders),
        "symbol": made.orders[0].symbol,
        "orders": [
            {
                "symbol": each.symbol,
                "orderId": each.number,
                "clientOrderId": each.client_id,
            }
            for each in made.orders
        ],
        "orderReports": [report(each) for each in made.orders],
    }


def list_status(made: SimList, kind: str, status: str, now_ms: int) -> Shape:
    """Return what user data tells of a list."""
    return {
        "e": "listStatus",
        "E": now_ms,
        "s": made.orders[0].symbol,
        "g": made.number,
        "c": _contingency(made),
        "l": kind,
        "L": status,
        "r": "NONE",
        "C": made.client_id,
        "T": now_ms,
        "O": [
            {"s": each.symbol, "i": each.number, "c": each.client_id}
            for each in made.orders
        ],
    }


def _contingency(made: SimList) -> str:
    return "OCO" if made.kind is ListKind.OCO else "OTO"
