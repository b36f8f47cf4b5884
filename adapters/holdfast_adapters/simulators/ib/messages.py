"""What the desk sends, as bytes, in the version that it and a client agreed on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Final

from holdfast_adapters.simulators.ib.layouts import (
    COMPLETED_ORDER,
    DETAILS,
    EXECUTION,
    OPEN_ORDER,
    UNSET,
    UNSET_INT,
)
from holdfast_adapters.simulators.ib.model import (
    SimContract,
    SimExecution,
    SimOrder,
    SimPosition,
)
from holdfast_adapters.simulators.ib.wire import Value, message
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import ZERO

ORDER_TYPES: Final = "ACTIVETIM,DAY,FOK,GTC,IOC,LMT,MKT,STP,STPLMT,TRAIL,WHATIF"
LIKE_THE_OTHERS: Final = 3
"""What is told as the type of the group of an order that is in none: as recorded."""

ADVANCED_REJECT: Final = 166
"""Since this version an error has a field more."""


def moment(at_us: int) -> str:
    """Return a time as executions have it, in UTC and said to be.

    >>> moment(1_700_000_000_000_000)
    '20231114 22:13:20 UTC'
    """
    return utc_from_us(at_us).astimezone(UTC).strftime("%Y%m%d %H:%M:%S UTC")


def _contract(contract: SimContract, exchange: str) -> dict[str, Value]:
    return {
        "con_id": contract.con_id,
        "symbol": contract.symbol,
        "kind": contract.kind,
        "expiry": contract.expiry,
        "strike": contract.strike,
        "right": contract.right,
        "multiplier": contract.multiplier,
        "exchange": exchange,
        "currency": contract.currency,
        "local_symbol": contract.local,
        "trading_class": contract.trading_class,
    }


def _terms(order: SimOrder) -> dict[str, Value]:
    asked = order.asked
    return {
        **_contract(asked.contract, asked.exchange),
        "action": asked.action,
        "quantity": asked.quantity,
        "type": asked.type,
        "limit": "0.0" if asked.limit is None else asked.limit,
        "aux": "0.0" if asked.aux is None else asked.aux,
        "trail_percent": asked.percent,
        "trail_stop": order.trail_stop,
        "display_size": asked.shown or UNSET_INT,
        "tif": asked.tif,
        "oca_group": asked.group,
        "oca_type": asked.group_type or LIKE_THE_OTHERS,
        "account": asked.account,
        "order_ref": asked.order_ref,
        "perm_id": order.perm_id,
        "status": order.status,
    }


def open_order(version: int, order: SimOrder) -> bytes:
    """Return an order that works, or has just ended."""
    values: dict[str, Value] = {
        **_terms(order),
        "order_id": order.asked.order_id,
        "client_id": order.asked.client_id,
        "parent_id": order.asked.parent_id,
    }
    return message(5, *OPEN_ORDER.filled(version, values))


def completed_order(version: int, order: SimOrder) -> bytes:
    """Return an order that has ended; of one that is filled, no total is left."""
    is_filled = order.status == "Filled"
    values: dict[str, Value] = {
        **_terms(order),
        "quantity": ZERO if is_filled else order.asked.quantity,
        "filled": order.filled,
        "completed_at": moment(order.ended_us),
        "completed_status": f"Filled Size: {order.filled}" if is_filled else order.why,
    }
    return message(101, *COMPLETED_ORDER.filled(version, values))


def order_status(order: SimOrder) -> bytes:
    """How an order stands."""
    asked = order.asked
    return message(
        3,
        asked.order_id,
        order.status,
        order.filled,
        order.left,
        order.average,
        order.perm_id,
        asked.parent_id,
        order.last_price,
        asked.client_id,
        "",
        0,
    )


def execution(version: int, each: SimExecution, request_id: int = -1) -> bytes:
    """Return an execution, told as it happens or asked for."""
    asked = each.order.asked
    values: dict[str, Value] = {
        **_contract(asked.contract, asked.exchange),
        "request_id": request_id,
        "order_id": asked.order_id,
        "execution_id": each.execution_id,
        "at": moment(each.at_us),
        "account": asked.account,
        "venue": asked.contract.primary,
        "side": "BOT" if asked.action == "BUY" else "SLD",
        "shares": each.shares,
        "price": each.price,
        "perm_id": each.order.perm_id,
        "client_id": asked.client_id,
        "cumulative": each.cumulative,
        "average": each.average,
        "order_ref": asked.order_ref,
    }
    return message(11, *EXECUTION.filled(version, values))


def commission(each: SimExecution) -> bytes:
    """Return what an execution cost."""
    currency = each.order.asked.contract.currency
    cost = each.commission
    return message(59, 1, each.execution_id, cost, currency, UNSET, UNSET, "")


def error(version: int, request_id: int, code: int, words: str) -> bytes:
    """Return an error, a warning or news: TWS has one message for all."""
    more = ("",) if version >= ADVANCED_REJECT else ()
    return message(4, 2, request_id, code, words, *more)


def details(version: int, request_id: int, contract: SimContract) -> bytes:
    """Return what is known of a contract."""
    values: dict[str, Value] = {
        **_contract(contract, contract.exchange),
        "request_id": request_id,
        "market_name": contract.trading_class,
        "tick": contract.tick,
        "order_types": ORDER_TYPES,
        "exchanges": f"{contract.exchange},{contract.primary}",
        "long_name": contract.name,
        "primary": contract.primary,
        "zone": contract.zone,
        "trading_hours": contract.hours,
        "liquid_hours": contract.hours,
        "market_rules": f"{contract.rule},{contract.rule}",
        "least_size": contract.lot,
        "size_step": contract.lot,
        "suggested_step": contract.lot,
    }
    return message(10, *DETAILS.filled(version, values))


def position(account: str, contract: SimContract, held: SimPosition) -> bytes:
    """Return what the account holds of a contract."""
    parts = _contract(contract, "").values()
    cost = held.cost * contract.units
    return message(61, 3, account, *parts, held.quantity, cost)


def account_values(
    account: str, values: Iterable[tuple[str, Value, str]]
) -> list[bytes]:
    """Return the values of the account, for those who have subscribed to it."""
    return [message(6, 2, key, value, unit, account) for key, value, unit in values]
