"""What TWS tells of orders and executions, as plain rows that may cross threads."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from holdfast_domain.marketdata import us_of
from holdfast_domain.money import ZERO, to_decimal

if TYPE_CHECKING:
    from ib_async.contract import Contract
    from ib_async.objects import Execution
    from ib_async.order import Order

UNSET: Final = 1e300
"""Numbers above this are how TWS says that nothing is set."""

UNSET_INT: Final = 2**31 - 1
"""The same of whole numbers."""

Terms: TypeAlias = tuple[Decimal | str | None, ...]


@attrs.frozen(kw_only=True)
class OrderRow:
    """An order, as it was told last."""

    number: int
    """The order id of IB: it counts for the client that placed the order."""

    client_id: int
    perm_id: int
    ref: str
    account: str
    con_id: int
    name: str
    """What its exchange calls the contract."""

    action: str
    quantity: Decimal
    type: str
    tif: str
    limit: Decimal | None
    aux: Decimal | None
    status: str
    percent: Decimal | None = None
    """How far a stop trails, in percent."""

    shown: Decimal | None = None
    group: str = ""
    """Its one-cancels-all group; of our lists, their id."""

    filled: Decimal = ZERO
    why: str = ""
    """In a list of orders that have ended: how."""

    @property
    def terms(self) -> Terms:
        """What a change may change."""
        numbers = (self.quantity, self.limit, self.aux, self.percent, self.shown)
        return (*numbers, self.tif)


@attrs.frozen(kw_only=True)
class FillRow:
    """An execution; its commission is told apart."""

    execution_id: str
    number: int
    client_id: int
    perm_id: int
    ref: str
    account: str
    con_id: int
    name: str
    action: str
    shares: Decimal
    price: Decimal
    cumulative: Decimal
    at_us: int
    commission: tuple[Decimal, str] | None = None
    """How much, and of which currency; None where it is not told yet."""


@attrs.frozen(kw_only=True)
class HeldRow:
    """A position."""

    account: str
    con_id: int
    name: str
    quantity: Decimal
    average_cost: Decimal
    """Of one unit of quantity, the multiplier included."""


LIMITED: Final = ("LMT", "STP LMT", "LOC")
AUXILIARY: Final = ("STP", "STP LMT", "TRAIL")
"""Types with an auxiliary price: where the stop is, or how far it trails."""


def order_row(contract: Contract, order: Order, status: str) -> OrderRow:
    """Return an order that is told."""
    return OrderRow(
        number=order.orderId,
        client_id=order.clientId,
        perm_id=order.permId,
        ref=order.orderRef,
        account=order.account,
        con_id=contract.conId,
        name=contract.localSymbol or contract.symbol,
        action=order.action,
        quantity=to_decimal(order.totalQuantity),
        type=order.orderType,
        tif=order.tif,
        limit=_price(order.lmtPrice, of=order.orderType, kinds=LIMITED),
        aux=_aux(order),
        status=status,
        percent=_price(order.trailingPercent, of=order.orderType, kinds=("TRAIL",)),
        shown=_shown(order.displaySize),
        group=order.ocaGroup,
    )


def completed_row(contract: Contract, order: Order, state: Any) -> OrderRow:  # noqa: ANN401
    """Return an order that has ended.

    Of one that is filled, TWS tells a total of nothing: recorded messages show it.
    """
    row = order_row(contract, order, state.status)
    filled = to_decimal(order.filledQuantity)
    if filled > to_decimal(UNSET):
        filled = ZERO
    why = state.completedStatus or state.status
    quantity = max(row.quantity, filled)
    return attrs.evolve(row, filled=filled, quantity=quantity, why=why)


def fill_row(contract: Contract, execution: Execution) -> FillRow:
    """Return an execution that is told."""
    return FillRow(
        execution_id=execution.execId,
        number=execution.orderId,
        client_id=execution.clientId,
        perm_id=execution.permId,
        ref=execution.orderRef,
        account=execution.acctNumber,
        con_id=contract.conId,
        name=contract.localSymbol or contract.symbol,
        action="BUY" if execution.side == "BOT" else "SELL",
        shares=to_decimal(execution.shares),
        price=to_decimal(execution.price),
        cumulative=to_decimal(execution.cumQty),
        at_us=us_of(execution.time),
    )


def _aux(order: Order) -> Decimal | None:
    """Return the auxiliary price; a distance of nothing stands for one in percent."""
    price = _price(order.auxPrice, of=order.orderType, kinds=AUXILIARY)
    return None if order.orderType == "TRAIL" and not price else price


def _shown(size: int | None) -> Decimal | None:
    return None if not size or size >= UNSET_INT else Decimal(size)


def _price(value: Any, *, of: str, kinds: tuple[str, ...]) -> Decimal | None:  # noqa: ANN401
    """Return a price of an order, if orders of its type have it."""
    if of not in kinds or value is None or value > UNSET:
        return None
    return to_decimal(value)
