"""What Binance said, in the port's words. Synchronous, without state or a clock.

What cannot be read, or says what this adapter does not know, is never taken for a
success or a refusal: it raises `OutcomeUnknown` where it answers a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from holdfast_adapters.binance.errors import Kind, meaning
from holdfast_adapters.binance.naming import Name
from holdfast_adapters.binance.placing import MAKER
from holdfast_adapters.binance.wire import (
    ChangeHalves,
    ChangeRefusal,
    ChangeReport,
    Depth,
    FillReport,
    Millis,
    OrderReport,
    OrderRow,
    Refusal,
    TradeRow,
)
from holdfast_domain.book import BookSnapshot
from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import ZERO, Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, Replaced, VenueEvent

T = TypeVar("T")

ENDINGS: Final = {
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
    "REJECTED": "rejected",
}
"""Statuses in which an order has ended without being filled."""

LIVING: Final = frozenset({
    "NEW",
    "PENDING_NEW",
    "PARTIALLY_FILLED",
    "PENDING_CANCEL",
    "FILLED",
})  # fmt: skip
"""All other statuses that Binance documents."""

_TYPES: Final = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    MAKER: OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    # Of futures:
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TRAILING_STOP_MARKET": OrderType.TRAILING_STOP,
}
POST_ONLY: Final = "GTX"
"""The time in force of a post-only order of futures."""

BY_ITS_LIST: Final = "by its order list"
"""Why a leg has expired: what Binance calls so is that another one canceled it."""

SELF_TRADE: Final = "it would have traded with the account itself"


def decoded(body: bytes, kind: type[T]) -> T:
    """Return ``body`` as ``kind``.

    Raises:
        OutcomeUnknown: it is something else, or torn.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"expected {kind}, got {body[:60]!r}: {error}"
        raise OutcomeUnknown(message) from error


def execution_id(symbol: str, trade_id: int) -> str:
    """Return the id of an execution: trade ids are unique within a symbol."""
    return f"{symbol}-{trade_id}"


def placed(order_id: str, report: OrderReport) -> list[VenueEvent]:
    """Return what the answer to a new order says.

    Raises:
        OutcomeUnknown: its status is none that we know.
    """
    check_status(report.status or "NEW")
    acked = Acked(order_id=order_id, venue_order_id=str(report.order_id))
    said: list[VenueEvent] = [acked, *_fills(order_id, report)]
    said += ending(order_id, report.status, report.executed_qty, report.expiry_reason)
    return said


def canceled(order_id: str, report: OrderReport) -> list[VenueEvent]:
    """Return what the answer to a cancel says.

    Raises:
        OutcomeUnknown: it does not say that the order has ended.
    """
    check_status(report.status)
    said = ending(order_id, report.status, report.executed_qty, "on request")
    if not said:
        message = f"expected an order that has ended, got one that is {report.status}"
        raise OutcomeUnknown(message)
    return said


def changed(order_id: str, terms: OrderTerms, report: ChangeReport) -> list[VenueEvent]:
    """Return what the answer to a cancel-replace says that went through."""
    new = report.new_order_response
    check_status(new.status or "NEW")
    said: list[VenueEvent] = [Replaced(order_id=order_id, terms=terms)]
    said += _fills(order_id, new)
    return said + ending(order_id, new.status, new.executed_qty, new.expiry_reason)


def half_changed(order_id: str, body: bytes) -> list[VenueEvent]:
    """Return what a cancel-replace (409) says that canceled, and placed nothing.

    Raises:
        OutcomeUnknown: it is not known whether the new half was placed.
        VenueRefused: nothing was canceled.
    """
    change = decoded(body, ChangeRefusal)
    halves = change.data
    if halves is None or halves.cancel_result != "SUCCESS":
        raise VenueRefused(change.msg, str(change.code))
    refused = _refused(halves)
    verdict = meaning(refused)
    if verdict.kind in (Kind.DOUBT, Kind.DUPLICATE):
        message = f"canceled, and of the new order: {refused.msg} ({refused.code})"
        raise OutcomeUnknown(message)
    old = msgspec.convert(halves.cancel_response, OrderReport, strict=False)
    cumulative = Quantity(old.executed_qty or ZERO)
    reason = f"canceled for new terms, which were refused: {refused.msg}"
    code = str(refused.code)
    return [
        Ended(
            order_id=order_id,
            how="canceled",
            reason=reason,
            code=code,
            cumulative=cumulative,
        )
    ]


def _refused(halves: ChangeHalves) -> Refusal:
    try:
        return msgspec.convert(halves.new_order_response, Refusal)
    except msgspec.ValidationError as error:
        message = f"canceled, and of the new order: {halves.new_order_response!r}"
        raise OutcomeUnknown(message) from error


def _fills(order_id: str, report: OrderReport) -> list[VenueEvent]:
    cumulative, said = ZERO, list[VenueEvent]()
    at = report.transact_time or 0
    for fill in report.fills:
        cumulative += fill.qty
        said.append(_fill(order_id, report, fill, cumulative, at))
    return said


def _fill(
    order_id: str,
    report: OrderReport,
    fill: FillReport,
    cumulative: Decimal,
    at: Millis,
) -> Executed:
    number = execution_id(report.symbol, fill.trade_id)
    if fill.trade_id < 0:  # an allocation of the order router has an id of its own
        number = f"{report.symbol}-a{fill.alloc_id}"
    return Executed(
        order_id=order_id,
        execution_id=number,
        quantity=Quantity(fill.qty),
        price=Price(fill.price),
        fee=Money(fill.commission, fill.commission_asset),
        filled_at=utc_from_us(at * 1000),
        cumulative=Quantity(cumulative),
    )


def check_status(status: str) -> None:
    """Refuse a status that is not documented.

    Raises:
        OutcomeUnknown: what it means is not known.
    """
    if status not in ENDINGS and status not in LIVING:
        message = f"expected a status of an order, got {status!r}"
        raise OutcomeUnknown(message)


def ending(
    order_id: str, status: str, executed: Decimal | None, reason: str
) -> list[VenueEvent]:
    """Return that the order has ended, if its status says so and it is not filled."""
    how = ENDINGS.get(status)
    if how is None:
        return []
    if status == "EXPIRED_IN_MATCH":
        reason = SELF_TRADE
    elif reason == BY_ITS_LIST:
        how = "canceled"
    cumulative = None if executed is None else Quantity(executed)
    reason = reason or "its time in force ran out"
    return [Ended(order_id=order_id, how=how, reason=reason, cumulative=cumulative)]


# --- questions ----------------------------------------------------------------


def terms_of(row: OrderRow) -> OrderTerms | None:
    """Return the terms of an order, if they are of a kind that we know."""
    return terms_from(
        symbol=row.symbol,
        side=row.side,
        quantity=row.orig_qty,
        kind=row.type,
        force=row.time_in_force,
        price=row.price,
        stop_price=row.stop_price or ZERO,
        trail_bps=row.trailing_delta,
        shown=row.iceberg_qty or ZERO,
        reduce_only=row.reduce_only,
    )


def terms_from(
    *,
    symbol: str,
    side: str,
    quantity: Decimal,
    kind: str,
    force: str,
    price: Decimal,
    stop_price: Decimal,
    trail_bps: int | None = None,
    shown: Decimal = ZERO,
    reduce_only: bool = False,
) -> OrderTerms | None:
    """Return terms from Binance's words, if they are of a kind that we know."""
    type_ = _TYPES.get(kind)
    if trail_bps:
        # One that also waits for a price before it trails is none of ours.
        trails = type_ in (OrderType.STOP, OrderType.TRAILING_STOP) and not stop_price
        type_ = OrderType.TRAILING_STOP if trails else None
    post_only = kind == MAKER or force == POST_ONLY
    force = "GTC" if post_only else force
    if type_ is None or force not in TimeInForce.__members__:
        return None
    limited = type_ in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    stopped = type_ in (OrderType.STOP, OrderType.STOP_LIMIT)
    return OrderTerms(
        instrument=symbol,
        side=Side[side],
        quantity=Quantity(quantity),
        type=type_,
        time_in_force=TimeInForce[force],
        limit_price=Price(price) if limited else None,
        stop_price=Price(stop_price) if stopped else None,
        trail_bps=trail_bps or None,
        shown=Quantity(shown) if shown else None,
        reduce_only=reduce_only,
        post_only=post_only,
    )


def story(
    order_id: str, first: OrderRow, last: OrderRow, trades: Sequence[TradeRow]
) -> list[VenueEvent]:
    """Return all that happened to an order: placed as ``first``, now ``last``.

    ``trades`` are those of ``last``: only what nothing is filled of gets new terms.

    Raises:
        OutcomeUnknown: its status is none that we know.
    """
    check_status(last.status)
    said: list[VenueEvent] = [
        Acked(order_id=order_id, venue_order_id=str(first.order_id))
    ]
    terms = terms_of(last)
    if first.client_order_id != last.client_order_id and terms is not None:
        said.append(Replaced(order_id=order_id, terms=terms))
    said += executions(order_id, trades)
    reason = last.expiry_reason
    if last.status == "EXPIRED" and by_list(last.order_list_id, last.time_in_force):
        reason = BY_ITS_LIST
    return said + ending(order_id, last.status, last.executed_qty, reason)


def by_list(list_id: int, force: str) -> bool:
    """Tell whether an order that has expired did so because of its list.

    One that may not rest has a reason of its own.
    """
    return list_id >= 0 and force == "GTC"


def executions(order_id: str, trades: Sequence[TradeRow]) -> list[Executed]:
    """Return the executions of one order, of which ``trades`` are all, in order."""
    cumulative, said = ZERO, list[Executed]()
    for trade in sorted(trades, key=lambda each: each.id):
        cumulative += trade.qty
        said.append(
            Executed(
                order_id=order_id,
                execution_id=execution_id(trade.symbol, trade.id),
                quantity=Quantity(trade.qty),
                price=Price(trade.price),
                fee=Money(trade.commission, trade.commission_asset),
                filled_at=utc_from_us(trade.time * 1000),
                cumulative=Quantity(cumulative),
            )
        )
    return said


def owner(row: OrderRow) -> str:
    """Return the client order id under which we know an order."""
    return Name.parse(row.client_order_id).order_id


def snapshot_of(symbol: str, depth: Depth) -> BookSnapshot:
    """Return a snapshot of the order book."""
    return BookSnapshot(
        instrument=symbol,
        sequence=depth.last_update_id,
        bids=depth.bids,
        asks=depth.asks,
    )
