"""Rows in the port's words, and orders in IB's. Without state or a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast_adapters.ib.errors import CANCELED
from holdfast_adapters.ib.library import library
from holdfast_adapters.ib.rows import FillRow, OrderRow
from holdfast_domain.errors import DomainError, NotSent, VenueRefused
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import ZERO, Money, Price, Quantity
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import (
    Acked,
    Corrected,
    Ended,
    Executed,
    Replaced,
    VenueEvent,
)

if TYPE_CHECKING:
    from ib_async.order import Order

ENDED: Final = {"Cancelled": "canceled", "ApiCancelled": "canceled"}
"""Statuses in which an order has ended without being filled."""

TAKEN: Final = frozenset({
    "PreSubmitted",
    "Submitted",
    "PendingCancel",
    "Filled",
    *ENDED,
})  # fmt: skip
"""Statuses that say that IB has the order."""

WAITING: Final = frozenset({"PendingSubmit", "ApiPending", "ApiUpdate", "Inactive"})
"""Statuses that say nothing yet: an error follows, or another status."""

TYPES: Final = {
    OrderType.MARKET: "MKT",
    OrderType.LIMIT: "LMT",
    OrderType.STOP: "STP",
    OrderType.STOP_LIMIT: "STP LMT",
    OrderType.TRAILING_STOP: "TRAIL",
}
AT_CLOSE: Final = {OrderType.MARKET: "MOC", OrderType.LIMIT: "LOC"}
"""Orders for the auction at the close have types of their own."""

AT_OPEN: Final = "OPG"
"""The time in force of orders for the auction at the open."""

_KINDS: Final = {
    word: kind for each in (TYPES, AT_CLOSE) for kind, word in each.items()
}
TAKES: Final = OrderKinds(
    types=frozenset(TYPES),
    forces=frozenset(TimeInForce),
    reduce_only=False,
    icebergs=True,
    trails=True,
    trail_bps=(1, 9_999),
    lists=frozenset(ListKind),
)
CANCEL_WITH_BLOCK: Final = 1
"""The kind of group where one of it cancels the others, and one at a time is routed."""

WATERMARK: Final = "ib:"
CORRECTED: Final = 4
"""Parts of an execution's id; the last one counts its corrections."""


def our_id(ref: str) -> str:
    """Return the client order id that an ``orderRef`` is, or nothing."""
    try:
        return str(ClientOrderId.parse(ref))
    except DomainError:
        return ""


def order_of(order_id: str, terms: OrderTerms, account: str, group: str = "") -> Order:
    """Return an order of a kind that we declare, as ib_async sends it.

    What is filled of one of a ``group``, in part too, cancels the others of it.
    Source: TWS API, "One Cancels All" and `Order.OcaType`.

    Raises:
        VenueRefused: IB has no such order; nothing is asked.
    """
    kind, force = _words_of(terms)
    made: Order = library().Order(
        action=terms.side.name,
        totalQuantity=float(terms.quantity.value),
        orderType=kind,
        tif=force,
        account=account,
        orderRef=order_id,
    )
    if group:
        made.ocaGroup, made.ocaType = group, CANCEL_WITH_BLOCK
    if terms.limit_price is not None:
        made.lmtPrice = float(terms.limit_price.value)
    if terms.stop_price is not None:
        made.auxPrice = float(terms.stop_price.value)
    if terms.trail is not None:
        made.auxPrice = float(terms.trail.value)
    if terms.trail_bps is not None:
        made.trailingPercent = terms.trail_bps / 100
    if terms.shown is not None:
        made.displaySize = _whole(terms.shown)
    return made


def _words_of(terms: OrderTerms) -> tuple[str, str]:
    """Return the type and the time in force of an order."""
    kind, force = terms.type, terms.time_in_force
    if force not in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE):
        return TYPES[kind], force.name
    if kind not in AT_CLOSE:
        reason = f"a {kind.value} order cannot be {force.value}"
        raise VenueRefused(reason, "time_in_force")
    if force is TimeInForce.AT_OPEN:
        return TYPES[kind], AT_OPEN
    return AT_CLOSE[kind], TimeInForce.DAY.name


def _whole(shown: Quantity) -> int:
    if shown.value % 1:
        reason = f"expected to show a whole number of units, got {shown.value}"
        raise VenueRefused(reason, "display_size")
    return int(shown.value)


def terms_of(row: OrderRow, symbol: str) -> OrderTerms | None:
    """Return the terms of an order, if they are of a kind that we know."""
    kind, force = _KINDS.get(row.type), _force_of(row)
    if kind is None or force is None or not row.quantity:
        return None
    limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    stopped = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    trails = kind is OrderType.TRAILING_STOP
    if limited is (row.limit is None) or (not trails and stopped is (row.aux is None)):
        return None
    if trails and (row.percent is None) is (row.aux is None):
        return None
    return OrderTerms(
        instrument=symbol,
        side=Side[row.action],
        quantity=Quantity(row.quantity),
        type=kind,
        time_in_force=force,
        limit_price=None if row.limit is None else Price(row.limit),
        stop_price=None if trails or row.aux is None else Price(row.aux),
        trail=Price(row.aux) if trails and row.aux is not None else None,
        trail_bps=None if row.percent is None else int(row.percent * 100),
        shown=None if row.shown is None else Quantity(row.shown),
    )


def _force_of(row: OrderRow) -> TimeInForce | None:
    if row.type in AT_CLOSE.values():
        return TimeInForce.AT_CLOSE
    if row.tif == AT_OPEN:
        return TimeInForce.AT_OPEN
    return TimeInForce.__members__.get(row.tif)


def acked(order_id: str, row: OrderRow) -> Acked:
    """Return that IB has an order; its own id is the permanent one."""
    return Acked(order_id=order_id, venue_order_id=str(row.perm_id or ""))


def ended(order_id: str, row: OrderRow, why: tuple[int, str] | None) -> Ended:
    """Return that an order has ended; ``why`` is the error that said so, if one did."""
    code, words = why or (0, row.why or row.status)
    return Ended(
        order_id=order_id,
        how="rejected" if why and code != CANCELED else "canceled",
        reason=" ".join(words.split()),
        code=str(code) if code else "",
        cumulative=Quantity(row.filled),
    )


def rejected(order_id: str, error: VenueRefused | NotSent) -> Ended:
    """Return that an order is not there, by the error that says so."""
    reason, code = str(error), ""
    if isinstance(error, VenueRefused):
        reason, code = error.reason, error.code
    return Ended(
        order_id=order_id,
        how="rejected",
        reason=reason,
        code=code,
        cumulative=Quantity(ZERO),
    )


def base_of(execution_id: str) -> tuple[str, int]:
    """Return what an execution and its corrections have in common, and which it is.

    >>> base_of("0000e0d5.67fe667b.01.02")
    ('0000e0d5.67fe667b.01', 2)
    """
    base, _, number = execution_id.rpartition(".")
    if execution_id.count(".") != CORRECTED - 1 or not number.isdecimal():
        return execution_id, 1
    return base, int(number)


def told_fills(
    rows: Iterable[FillRow], names: Mapping[int, str]
) -> list[Executed | Corrected]:
    """Return executions in the order of their time, corrections behind what they mend.

    ``names`` are the symbols of contracts.
    """
    first: dict[str, FillRow] = {}
    said: list[Executed | Corrected] = []
    for row in sorted(rows, key=lambda each: (each.at_us, base_of(each.execution_id))):
        base, number = base_of(row.execution_id)
        if base in first and number > 1:
            said.append(_corrected(row, first[base]))
        else:
            first[base] = row
            said.append(executed(row, names))
    return said


def with_late_fees(
    events: Sequence[Executed | Corrected], feeless: set[str], unsure: set[str]
) -> list[Executed | Corrected]:
    """Return ``events`` with the fee of those in ``feeless`` told as a correction.

    They were told without one, and an execution is not told in two ways. Of those in
    ``unsure`` nobody knows it: they are told as they are, and their fee once more,
    which is booked where it changes something. One that TWS has corrected is not, for
    it would be told as it was before.
    """
    corrected = {each.execution_id for each in events if isinstance(each, Corrected)}
    said: list[Executed | Corrected] = []
    for each in events:
        name, is_late = each.execution_id, each.execution_id in feeless
        if not isinstance(each, Executed) or not each.fee.amount:
            said.append(each)
            continue
        nothing = Money(ZERO, each.fee.currency)
        said.append(msgspec.structs.replace(each, fee=nothing) if is_late else each)
        if not is_late and (name not in unsure or name in corrected):
            continue
        said.append(
            Corrected(
                order_id=each.order_id,
                execution_id=each.execution_id,
                correction_id=f"{each.execution_id}:fee",
                quantity=each.quantity,
                price=each.price,
                fee=each.fee,
                filled_at=each.filled_at,
            )
        )
    return said


def executed(row: FillRow, names: Mapping[int, str]) -> Executed:
    """Return an execution; one whose commission is not told cost nothing yet."""
    return Executed(
        order_id=our_id(row.ref),
        execution_id=row.execution_id,
        quantity=Quantity(row.shares),
        price=Price(row.price),
        fee=_fee(row),
        filled_at=utc_from_us(row.at_us),
        cumulative=Quantity(row.cumulative),
        instrument=names.get(row.con_id, row.name),
        side=Side[row.action],
    )


def _corrected(row: FillRow, was: FillRow) -> Corrected:
    return Corrected(
        order_id=our_id(row.ref),
        execution_id=was.execution_id,
        correction_id=row.execution_id,
        quantity=Quantity(row.shares),
        price=Price(row.price),
        fee=_fee(row),
        filled_at=utc_from_us(row.at_us),
    )


def _fee(row: FillRow) -> Money:
    amount, currency = row.commission or (ZERO, "USD")
    return Money(amount, currency)


def story(
    order_id: str, row: OrderRow, fills: Sequence[FillRow], names: Mapping[int, str]
) -> list[VenueEvent]:
    """Return what is known of an order; its terms are told, for they may be new."""
    said: list[VenueEvent] = [acked(order_id, row)]
    terms = terms_of(row, names.get(row.con_id, row.name))
    if terms is not None:
        said.append(Replaced(order_id=order_id, terms=terms))
    said += told_fills(fills, names)
    if row.status in ENDED:
        said.append(ended(order_id, row, None))
    return said


def newest(fills: Sequence[FillRow]) -> list[FillRow]:
    """Return executions as they count: corrected ones by their last correction."""
    last: dict[str, FillRow] = {}
    for each in sorted(fills, key=lambda row: row.execution_id):
        last[each.execution_id.rpartition(".")[0] or each.execution_id] = each
    return list(last.values())


def since_of(watermark: str) -> int:
    """Return the second from which a watermark tells.

    Raises:
        VenueRefused: it is none of this venue.
    """
    word = watermark.removeprefix(WATERMARK)
    if not watermark:
        return 0
    if word == watermark or not word.isdecimal():
        reason = f"expected {WATERMARK}SECONDS as a watermark, got {watermark!r}"
        raise VenueRefused(reason, "watermark")
    return int(word)


def watermark_of(seconds: int) -> str:
    """Return the watermark that tells from a second on.

    >>> since_of(watermark_of(12))
    12
    """
    return f"{WATERMARK}{seconds}"
