"""User data of futures: what it says, in the port's words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from holdfast_adapters.binance.dialects import USER
from holdfast_adapters.binance.frames import ListenKeyExpired
from holdfast_adapters.binance.futures.frames import (
    AccountUpdate,
    AlgoOrder,
    AlgoUpdate,
    ConfigUpdate,
    FuturesFrame,
    MarginCall,
    OrderTradeUpdate,
    OrderUpdate,
    TradeLite,
    TriggerRefused,
    Wrapped,
)
from holdfast_adapters.binance.telling import (
    ENDINGS,
    LIVING,
    ending,
    execution_id,
    terms_from,
)
from holdfast_adapters.binance.userdata import (
    AccountChanged,
    StreamEnded,
    Unread,
    UserMessage,
)
from holdfast_adapters.streams import Ask, Data, Heard, Malformed
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import ZERO, Money, Price, Quantity
from holdfast_domain.ports import Acked, Ended, Executed, Replaced

TAKEN_OVER: Final = frozenset({"NEW_INSURANCE", "NEW_ADL"})
"""Statuses of orders by which the exchange closes what it liquidates."""

ALGO_LIVING: Final = frozenset({"NEW", "TRIGGERING", "TRIGGERED", "FINISHED"})
"""Statuses of a stop that has not ended, or of which its order tells the end."""

ALGO_ENDINGS: Final = {
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "REJECTED": "rejected",
}
BECAME_ORDER: Final = "ALGO_CONDITION"

_WRAPPED = msgspec.json.Decoder(Wrapped)
_EVENT: msgspec.json.Decoder[FuturesFrame] = msgspec.json.Decoder(FuturesFrame)


def heard(frame: str | bytes) -> list[UserMessage]:
    """Return what ``frame`` says, in order; what cannot be read is `Unread`."""
    try:
        inner = bytes(_WRAPPED.decode(frame).data)
        return told(_EVENT.decode(inner or frame))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return [Unread(f"{error}: {frame[:200]!r}")]


def told(event: FuturesFrame) -> list[UserMessage]:
    """Return what an event says, in order."""
    match event:
        case OrderTradeUpdate(order=order):
            return _reported(order)
        case AlgoUpdate(order=order):
            return _algo(order)
        case AccountUpdate(changes=changes):
            return [AccountChanged(tuple(each.asset for each in changes.balances))]
        case ListenKeyExpired():
            return [StreamEnded("the listen key has expired")]
        case MarginCall() | ConfigUpdate() | TradeLite() | TriggerRefused():
            return []  # nothing of it changes an order, or another event tells it


def _reported(order: OrderUpdate) -> list[UserMessage]:
    known = order.status in ENDINGS or order.status in LIVING
    if not known and order.status not in TAKEN_OVER:
        return [Unread(f"order {order.client_order_id}: status {order.status!r}")]
    order_id = order.client_order_id
    match order.what:
        case "NEW" if order.strategy == BECAME_ORDER:
            return []  # the stop was acknowledged when it was placed
        case "NEW":
            return [Acked(order_id=order_id, venue_order_id=str(order.order_id))]
        case "TRADE" | "CALCULATED":
            return _executed(order)
        case "AMENDMENT":
            return _amended(order)
        case "CANCELED" | "EXPIRED" | "REJECTED":
            reason = "on request" if order.what == "CANCELED" else _expiry(order)
            return [*ending(order_id, order.status, order.cumulative, reason)]
        case _:
            return [Unread(f"order {order_id}: {order.what!r}")]


def _expiry(order: OrderUpdate) -> str:
    return "" if order.expiry_reason == "0" else f"reason {order.expiry_reason}"


def _executed(order: OrderUpdate) -> list[UserMessage]:
    """Return the execution; one of nothing has been seen, and is none."""
    if not order.last_quantity:
        return []
    fee, asset = order.commission or ZERO, order.commission_asset or ""
    if fee and not asset:
        return [Unread(f"order {order.client_order_id}: a fee without an asset")]
    executed = Executed(
        order_id=order.client_order_id,
        execution_id=execution_id(order.symbol, order.trade_id),
        quantity=Quantity(order.last_quantity),
        price=Price(order.last_price),
        fee=Money(fee, asset),
        filled_at=utc_from_us(order.transaction_time * 1000),
        cumulative=Quantity(order.cumulative),
    )
    return [executed]


def _amended(order: OrderUpdate) -> list[UserMessage]:
    terms = terms_from(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        kind=order.type,
        force=order.time_in_force,
        price=order.price,
        stop_price=ZERO,
        reduce_only=order.reduce_only,
    )
    if terms is None:
        return [Unread(f"order {order.client_order_id}: new terms of a {order.type}")]
    return [Replaced(order_id=order.client_order_id, terms=terms)]


def _algo(order: AlgoOrder) -> list[UserMessage]:
    order_id = order.client_algo_id
    if order.status == "NEW":
        return [Acked(order_id=order_id, venue_order_id=str(order.algo_id))]
    how = ALGO_ENDINGS.get(order.status)
    if how is not None:
        reason = order.reason or "on request"
        nothing = Quantity(ZERO)
        return [Ended(order_id=order_id, how=how, reason=reason, cumulative=nothing)]
    if order.status in ALGO_LIVING:
        return []  # its order tells what becomes of it
    return [Unread(f"stop {order_id}: status {order.status!r}")]


class FuturesUserDialect:
    """The user data stream: its address is the login, and the subscription too."""

    def login(self) -> Ask | None:
        """Return nothing: the address has a key in it."""
        return None

    def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return nothing: whoever connects is subscribed."""
        return ()

    def unsubscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return nothing: the subscription ends with its connection."""
        return ()

    def heartbeat(self) -> Ask | None:
        """Return nothing: the venue wants the protocol's ping."""
        return None

    def read(self, payload: bytes, received_s: float) -> Sequence[Heard]:
        """Return what a frame means.

        Raises:
            Malformed: it says what this adapter does not know.
        """
        said: list[Heard] = []
        for each in heard(payload):
            if isinstance(each, Unread):
                raise Malformed(each.text)
            name = each.execution_id if isinstance(each, Executed) else None
            said.append(
                Data(key=USER, value=each, received_s=received_s, identity=name)
            )
        return said
