"""What the exchange is made of: symbols, orders, balances, and how it says no."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import ListKind

EIGHT: Final = Decimal("0.00000001")

CLOSED: Final = frozenset({
    "FILLED",
    "CANCELED",
    "EXPIRED",
    "REJECTED",
})  # fmt: skip
"""Statuses of orders that have ended."""

PENDING: Final = "PENDING_NEW"
"""Of an order that waits for the working order of its list."""


class Refused(Exception):
    """The exchange says no."""

    def __init__(self, code: int, msg: str, status: int = 400) -> None:
        super().__init__(msg)
        self.code, self.msg, self.status = code, msg, status

    def body(self) -> dict[str, object]:
        """Return it as it is sent."""
        return {"code": self.code, "msg": self.msg}


@attrs.define(eq=False, kw_only=True)
class SimSymbol:
    """A symbol with its filters."""

    name: str = "BTCUSDT"
    base: str = "BTC"
    quote: str = "USDT"
    status: str = "TRADING"
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.00001")
    min_quantity: Decimal = Decimal("0.00001")
    max_quantity: Decimal = Decimal(9000)
    min_notional: Decimal = Decimal(5)
    band: tuple[Decimal, Decimal] = (Decimal("0.2"), Decimal(5))
    """Lowest and highest price, over the last one."""

    max_orders: int = 200
    trailing: tuple[int, int] = (10, 2000)
    """The least and the most distance of a trailing stop, in basis points."""

    iceberg_parts: int = 10


@attrs.define(eq=False, kw_only=True)
class SimOrder:
    """An order of the exchange."""

    number: int
    client_id: str
    symbol: str
    side: str
    type: str
    force: str
    quantity: Decimal
    price: Decimal
    stop_price: Decimal
    trailing: int = 0
    """How far a stop trails, in basis points; 0 is not at all."""

    shown: Decimal = ZERO
    basis: Decimal = ZERO
    """The last price when it was placed."""

    reduce_only: bool = False
    status: str = "NEW"
    executed: Decimal = ZERO
    worth: Decimal = ZERO
    """What was paid or got for what was executed."""

    placed_ms: int
    updated_ms: int
    trades: list[SimTrade] = attrs.field(factory=list)
    sent: int = 0
    """How many of its trades an answer has told."""

    list_number: int = -1
    """Of the list that it is a leg of."""


@attrs.define(eq=False, kw_only=True)
class SimList:
    """A list of orders: an OCO, or an OTOCO."""

    number: int
    client_id: str
    kind: ListKind
    orders: list[SimOrder]
    """In the order of their roles."""

    locked: Decimal = ZERO
    """What of a balance is locked for its exits: once, for they exclude each other."""

    @property
    def exits(self) -> list[SimOrder]:
        """The pair of which one cancels the other."""
        return self.orders[-2:]

    @property
    def entry(self) -> SimOrder | None:
        """The working order of an OTOCO."""
        return self.orders[0] if self.kind is ListKind.BRACKET else None

    @property
    def is_open(self) -> bool:
        """Whether an order of it works or waits."""
        return any(each.status not in CLOSED for each in self.orders)


@attrs.frozen(kw_only=True)
class SimTrade:
    """A trade of the account."""

    number: int
    order: int
    symbol: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    at_ms: int
    is_buyer: bool
    list_number: int = -1


@attrs.define(eq=False)
class SimBalance:
    """What the account has of an asset."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


def text(value: Decimal) -> str:
    """Return a number as the exchange writes it: eight digits.

    >>> text(Decimal("1.5"))
    '1.50000000'
    """
    return format(value.quantize(EIGHT), "f")
