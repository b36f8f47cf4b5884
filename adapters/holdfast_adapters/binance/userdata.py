"""User data: frames of the WebSocket API, in the port's words. Pure."""

from __future__ import annotations

from typing import TypeAlias

import attrs
import msgspec

from holdfast_adapters.binance.frames import (
    AccountPosition,
    BalanceUpdate,
    Enveloped,
    ExecutionReport,
    ExternalLockUpdate,
    ListenKeyExpired,
    ListStatus,
    ServerShutdown,
    StreamTerminated,
    UserFrame,
)
from holdfast_adapters.binance.naming import Name
from holdfast_adapters.binance.telling import (
    BY_ITS_LIST,
    ENDINGS,
    LIVING,
    by_list,
    ending,
    execution_id,
    terms_from,
)
from holdfast_adapters.binance.wire import Refusal
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.ports import Acked, Executed, Replaced, VenueEvent


@attrs.frozen
class AccountChanged:
    """Balances changed: what the account holds is to be asked anew."""

    assets: tuple[str, ...]


@attrs.frozen
class StreamEnded:
    """Nothing more will come: connect anew, and ask for the gap."""

    why: str


@attrs.frozen
class Answered:
    """An answer to a request of ours on the same socket."""

    id: str
    status: int
    refusal: Refusal | None


@attrs.frozen
class Unread:
    """Something that this adapter does not know; to be counted and said, not passed."""

    text: str


UserMessage: TypeAlias = VenueEvent | AccountChanged | StreamEnded | Answered | Unread
"""What a frame of the user data stream says."""

_ENVELOPE = msgspec.json.Decoder(Enveloped)
_EVENT: msgspec.json.Decoder[UserFrame] = msgspec.json.Decoder(UserFrame)


def heard(frame: str | bytes) -> list[UserMessage]:
    """Return what ``frame`` says, in order; what cannot be read is `Unread`."""
    try:
        envelope = _ENVELOPE.decode(frame)
        if not bytes(envelope.event):
            return [_answer(envelope, frame)]
        return told(_EVENT.decode(envelope.event))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return [Unread(f"{error}: {frame[:200]!r}")]


def _answer(envelope: Enveloped, frame: str | bytes) -> UserMessage:
    if envelope.id is None or envelope.status is None:
        return Unread(f"neither an event nor an answer: {frame[:200]!r}")
    return Answered(str(envelope.id), envelope.status, envelope.error)


def told(event: UserFrame) -> list[UserMessage]:
    """Return what an event says, in order."""
    match event:
        case ExecutionReport():
            return _reported(event)
        case AccountPosition():
            return [AccountChanged(tuple(each.asset for each in event.balances))]
        case BalanceUpdate() | ExternalLockUpdate():
            return [AccountChanged((event.asset,))]
        case ListStatus():
            return []  # its orders have reports of their own
        case StreamTerminated() | ListenKeyExpired() | ServerShutdown():
            return [StreamEnded(type(event).__name__)]


def _reported(report: ExecutionReport) -> list[UserMessage]:
    if report.status not in ENDINGS and report.status not in LIVING:
        return [Unread(f"order {report.client_order_id}: status {report.status!r}")]
    match report.what:
        case "NEW":
            return _new(report)
        case "TRADE" | "CALCULATED":
            return _executed(report)
        case "CANCELED" | "EXPIRED" | "REJECTED" | "TRADE_PREVENTION":
            return _ended(report)
        case _:
            return [Unread(f"order {report.client_order_id}: {report.what!r}")]


def _new(report: ExecutionReport) -> list[UserMessage]:
    name = Name.parse(report.client_order_id)
    if not name.revision:
        order_id, number = name.order_id, str(report.order_id)
        return [Acked(order_id=order_id, venue_order_id=number)]
    terms = terms_from(
        symbol=report.symbol,
        side=report.side,
        quantity=report.quantity,
        kind=report.type,
        force=report.time_in_force,
        price=report.price,
        stop_price=report.stop_price,
        trail_bps=report.trailing_delta,
        shown=report.shown,
    )
    if terms is None:
        return [Unread(f"order {name.order_id}: a {report.type} in its place")]
    return [Replaced(order_id=name.order_id, terms=terms)]


def _executed(report: ExecutionReport) -> list[UserMessage]:
    """Return the execution; one of nothing has been seen, and is none."""
    if not report.last_quantity:
        return _ended(report)
    asset = report.commission_asset or ""
    if not asset and report.commission:
        return [Unread(f"order {report.client_order_id}: a fee without an asset")]
    executed = Executed(
        order_id=Name.parse(report.client_order_id).order_id,
        execution_id=execution_id(report.symbol, report.trade_id),
        quantity=Quantity(report.last_quantity),
        price=Price(report.last_price),
        fee=Money(report.commission, asset),
        filled_at=utc_from_us(report.transaction_time * 1000),
        cumulative=Quantity(report.cumulative),
    )
    return [executed]


def _ended(report: ExecutionReport) -> list[UserMessage]:
    if Name.parse(report.client_order_id).cancels and report.original_client_order_id:
        return []  # the first half of a change; the second one follows
    subject = report.original_client_order_id or report.client_order_id
    reason = str(report.expiry_reason)
    if report.reject_reason != "NONE":
        reason = report.reject_reason
    elif report.what == "CANCELED":
        reason = "on request"
    elif report.what == "EXPIRED" and by_list(report.list_id, report.time_in_force):
        reason = BY_ITS_LIST
    order_id = Name.parse(subject).order_id
    return [*ending(order_id, report.status, report.cumulative, reason)]
