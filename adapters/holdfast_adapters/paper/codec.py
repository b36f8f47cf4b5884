"""Rows of the paper venue to JSON and back; exact, and readable without this code."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from holdfast_adapters.matching.model import Trailed, Triggered, VolumeTaken
from holdfast_adapters.paper.records import (
    Advanced,
    CancelRequested,
    Opened,
    PaperRecord,
    ReplaceRequested,
    Submitted,
)
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, Replaced, VenueOrder

Body = dict[str, Any]
"""The fields of a row as JSON values; the order's id has a column of its own."""

_WRITE = msgspec.json.Encoder().encode


def encode(record: PaperRecord | Opened) -> tuple[str, str, str]:
    """Return the kind, the order's id (or nothing) and the JSON body of ``record``."""
    kind, fields = _ENCODERS[type(record)]
    return kind, _order_id(record), _WRITE(fields(record)).decode()


def decode(kind: str, order_id: str, body: str) -> PaperRecord:
    """Return the record that `encode` was given.

    Raises:
        KeyError, ValueError: it was written by something else.
    """
    return _DECODERS[kind](order_id, json.loads(body))


def _order_id(record: PaperRecord | Opened) -> str:
    if isinstance(record, Submitted):
        return record.order.order_id
    return "" if isinstance(record, Advanced | Opened) else record.order_id


def _submission(record: Submitted) -> Body:
    order = record.order
    body = {**_terms(order.terms), "placed_at_us": order.placed_at_us}
    if order.leg is not None:
        body["leg"] = msgspec.to_builtins(order.leg)
    return body


def _terms(terms: OrderTerms) -> Body:
    limit, stop = terms.limit_price, terms.stop_price
    return {
        "instrument": terms.instrument,
        "side": terms.side.value,
        "quantity": str(terms.quantity.value),
        "type": terms.type.value,
        "time_in_force": terms.time_in_force.value,
        "limit_price": None if limit is None else str(limit.value),
        "stop_price": None if stop is None else str(stop.value),
        "reduce_only": terms.reduce_only,
        "post_only": terms.post_only,
        **_rarely(terms),
    }


def _rarely(terms: OrderTerms) -> Body:
    """Return what few orders have; what one has not is left out."""
    trail, shown = terms.trail, terms.shown
    body = {
        "trail": None if trail is None else str(trail.value),
        "trail_bps": terms.trail_bps,
        "shown": None if shown is None else str(shown.value),
    }
    return {name: value for name, value in body.items() if value is not None}


def _execution(event: Executed) -> Body:
    return {
        "execution_id": event.execution_id,
        "quantity": str(event.quantity.value),
        "price": str(event.price.value),
        "fee": {"amount": str(event.fee.amount), "currency": event.fee.currency},
        "filled_at": event.filled_at.isoformat(),
        "cumulative": str(event.cumulative.value),
    }


def _taken(record: VolumeTaken) -> Body:
    return {
        "symbol": record.symbol,
        "ended_at_us": record.ended_at_us,
        "quantity": str(record.quantity),
    }


def _price(text: str | None) -> Price | None:
    return None if text is None else Price(Decimal(text))


def _terms_of(body: Body) -> OrderTerms:
    shown = body.get("shown")
    return OrderTerms(
        instrument=body["instrument"],
        side=Side(body["side"]),
        quantity=Quantity(Decimal(body["quantity"])),
        type=OrderType(body["type"]),
        time_in_force=TimeInForce(body["time_in_force"]),
        limit_price=_price(body["limit_price"]),
        stop_price=_price(body["stop_price"]),
        reduce_only=body["reduce_only"],
        post_only=body.get("post_only", False),
        trail=_price(body.get("trail")),
        trail_bps=body.get("trail_bps"),
        shown=None if shown is None else Quantity(Decimal(shown)),
    )


def _submitted_of(order_id: str, body: Body) -> Submitted:
    terms, at_us = _terms_of(body), body["placed_at_us"]
    leg = msgspec.convert(body.get("leg"), Leg | None)
    order = VenueOrder(order_id=order_id, terms=terms, placed_at_us=at_us, leg=leg)
    return Submitted(order=order)


def _executed_of(order_id: str, body: Body) -> Executed:
    fee = body["fee"]
    return Executed(
        order_id=order_id,
        execution_id=body["execution_id"],
        quantity=Quantity(Decimal(body["quantity"])),
        price=Price(Decimal(body["price"])),
        fee=Money(Decimal(fee["amount"]), fee["currency"]),
        filled_at=datetime.fromisoformat(body["filled_at"]),
        cumulative=Quantity(Decimal(body["cumulative"])),
    )


def _taken_of(order_id: str, body: Body) -> VolumeTaken:
    return VolumeTaken(
        order_id=order_id,
        symbol=body["symbol"],
        ended_at_us=body["ended_at_us"],
        quantity=Decimal(body["quantity"]),
    )


def _only(*names: str) -> Callable[[PaperRecord], Body]:
    return lambda record: {name: getattr(record, name) for name in names}


_ENCODERS: Final[dict[type, tuple[str, Callable[[Any], Body]]]] = {
    Submitted: ("submitted", _submission),
    Acked: ("acked", _only("venue_order_id")),
    Executed: ("executed", _execution),
    Ended: ("ended", _only("how", "reason", "code")),
    Replaced: ("replaced", lambda record: {"terms": _terms(record.terms)}),
    CancelRequested: ("cancel_requested", _only()),
    ReplaceRequested: (
        "replace_requested",
        lambda record: {"terms": _terms(record.terms), "at_us": record.at_us},
    ),
    Advanced: ("advanced", _only("step")),
    Triggered: ("triggered", _only("ended_at_us")),
    Trailed: (
        "trailed",
        lambda each: {"best": str(each.best), "ended_at_us": each.ended_at_us},
    ),
    VolumeTaken: ("volume_taken", _taken),
    Opened: (
        "opened",
        lambda each: {
            "unit": each.unit,
            "amount": str(each.amount),
            "symbols": each.symbols,
        },
    ),
}

_DECODERS: Final[dict[str, Callable[[str, Body], PaperRecord]]] = {
    "submitted": _submitted_of,
    "acked": lambda order_id, body: Acked(order_id=order_id, **body),
    "executed": _executed_of,
    "ended": lambda order_id, body: Ended(order_id=order_id, **body),
    "replaced": lambda order_id, body: Replaced(
        order_id=order_id, terms=_terms_of(body["terms"])
    ),
    "cancel_requested": lambda order_id, _body: CancelRequested(order_id=order_id),
    "replace_requested": lambda order_id, body: ReplaceRequested(
        order_id=order_id, terms=_terms_of(body["terms"]), at_us=body["at_us"]
    ),
    "advanced": lambda _order_id, body: Advanced(**body),
    "triggered": lambda order_id, body: Triggered(order_id=order_id, **body),
    "trailed": lambda order_id, body: Trailed(
        order_id=order_id,
        best=Decimal(body["best"]),
        ended_at_us=body["ended_at_us"],
    ),
    "volume_taken": _taken_of,
}
