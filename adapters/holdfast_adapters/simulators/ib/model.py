"""What the desk is made of: contracts, orders, executions, and how it says no."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from holdfast_domain.instruments import Band, Instrument
from holdfast_domain.money import ZERO

ENDED: Final = frozenset({"Filled", "Cancelled", "ApiCancelled"})
"""Statuses of orders that work no more."""


class What(enum.Enum):
    """What is told of an order."""

    OPEN = "open order"
    STATUS = "order status"
    EXECUTION = "execution"
    COMMISSION = "commission"
    CANCELED = "canceled"


class Refused(Exception):
    """TWS says no, by an error message."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@attrs.frozen(kw_only=True)
class SimContract:
    """Something that can be traded."""

    con_id: int = 265598
    symbol: str = "AAPL"
    kind: str = "STK"
    exchange: str = "SMART"
    primary: str = "NASDAQ"
    currency: str = "USD"
    local_symbol: str = ""
    trading_class: str = "NMS"
    multiplier: Decimal | None = None
    expiry: str = ""
    strike: Decimal = ZERO
    right: str = ""
    name: str = "APPLE INC"
    tick: Decimal = Decimal("0.01")
    rule: int = 26
    """The number of its market rule."""

    bands: tuple[tuple[Decimal, Decimal], ...] = ()
    """That rule: from which price on which step holds; the tick alone, if empty."""

    lot: Decimal = Decimal(1)
    min_notional: Decimal = ZERO
    zone: str = "US/Eastern"
    hours: str = "20260105:0930-20260105:1600;20260106:0930-20260106:1600"

    @property
    def local(self) -> str:
        """The name at its exchange."""
        return self.local_symbol or self.symbol

    def fits(self, asked: Mapping[str, str]) -> bool:
        """Tell whether it is meant; what is not said fits, and IB's own id is enough.

        A month is said by the first six digits of a day in it.
        """
        if asked["con_id"] not in ("", "0"):
            return asked["con_id"] == str(self.con_id)
        exact = ("symbol", "kind", "currency", "right")
        strike, multiplier = asked["strike"], asked["multiplier"]
        return (
            all(asked[name] in ("", getattr(self, name)) for name in exact)
            and asked["exchange"] in ("", "SMART", self.exchange, self.primary)
            and asked["primary"] in ("", self.primary)
            and self.expiry.startswith(asked["expiry"])
            and Decimal(strike or 0) in (ZERO, self.strike)
            and (not multiplier or Decimal(multiplier) == self.units)
        )

    @property
    def increments(self) -> tuple[tuple[Decimal, Decimal], ...]:
        """Its market rule."""
        return self.bands or ((ZERO, self.tick),)

    @property
    def instrument(self) -> Instrument:
        """What the engine knows of it, by its id."""
        return Instrument(
            symbol=str(self.con_id),
            tick=self.tick,
            bands=tuple(Band(*band) for band in self.bands),
            lot=self.lot,
            min_notional=self.min_notional,
            multiplier=self.units,
            currency=self.currency,
        )

    @property
    def units(self) -> Decimal:
        """Units of the underlying for one of it."""
        return self.multiplier or Decimal(1)


@attrs.frozen(kw_only=True)
class Asked:
    """An order, or new terms for one, as a client asks for it."""

    client_id: int
    order_id: int
    contract: SimContract
    action: str
    quantity: Decimal
    type: str
    limit: Decimal | None
    aux: Decimal | None
    tif: str
    account: str
    order_ref: str
    exchange: str
    percent: Decimal | None = None
    shown: int = 0
    group: str = ""
    """Its one-cancels-all group."""

    group_type: int = 0
    parent_id: int = 0
    """The id of the order that it is a child of; 0: of none."""

    transmit: bool = True
    """Whether it, and all that waits with it, goes on to IB."""


@attrs.define(eq=False, kw_only=True)
class SimOrder:
    """An order of the desk."""

    asked: Asked
    perm_id: int
    status: str = "PreSubmitted"
    filled: Decimal = ZERO
    worth: Decimal = ZERO
    """What was paid or got for what is filled, of one unit each."""

    last_price: Decimal = ZERO
    ended_us: int = 0
    trail_stop: Decimal | None = None
    """Where a trailing stop stands."""

    why: str = ""
    """Why it has ended."""

    is_parked: bool = False
    """Whether TWS has it, and has not transmitted it: IB knows nothing of it."""

    @property
    def left(self) -> Decimal:
        """What may still be filled."""
        return self.asked.quantity - self.filled

    @property
    def average(self) -> Decimal:
        """At which price it was filled on average."""
        return self.worth / self.filled if self.filled else ZERO

    @property
    def has_ended(self) -> bool:
        """Whether it works no more."""
        return self.status in ENDED


@attrs.frozen(kw_only=True)
class SimExecution:
    """An execution of an order."""

    execution_id: str
    order: SimOrder
    shares: Decimal
    price: Decimal
    cumulative: Decimal
    average: Decimal
    commission: Decimal
    at_us: int


@attrs.define(eq=False)
class SimPosition:
    """What the account holds of a contract."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    """What one unit cost on average."""

    def take(self, quantity: Decimal, price: Decimal) -> None:
        """Add ``quantity``, which is negative for a sale, at ``price``."""
        after = self.quantity + quantity
        if self.quantity * quantity >= 0:
            whole = abs(self.quantity) * self.cost + abs(quantity) * price
            self.cost = whole / abs(after) if after else ZERO
        elif after * self.quantity < 0:
            self.cost = price
        elif not after:
            self.cost = ZERO
        self.quantity = after
