"""What the futures exchange has that spot does not: stops that wait, and positions."""

from __future__ import annotations

from decimal import Decimal

import attrs

from holdfast_domain.money import ZERO


@attrs.define(eq=False, kw_only=True)
class SimAlgo:
    """A stop that the algo service keeps until it becomes an order."""

    number: int
    client_id: str
    symbol: str
    side: str
    type: str
    force: str
    quantity: Decimal
    price: Decimal
    trigger: Decimal
    """Where it stands; that of a trailing stop moves."""

    rate: Decimal
    """How far it trails, in percent; 0 is not at all."""

    reduce_only: bool
    status: str = "NEW"
    placed_ms: int
    updated_ms: int
    triggered_ms: int = 0
    order: int | None = None
    """The number of the order that it has become."""

    def follow(self, price: Decimal) -> None:
        """Let a trailing stop follow the market, unless that would take it back."""
        by = price * self.rate / 100
        if self.rate and self.side == "SELL":
            self.trigger = max(self.trigger, price - by)
        elif self.rate:
            self.trigger = min(self.trigger or price + by, price + by)


@attrs.define(eq=False)
class SimPosition:
    """A position in one-way mode; its average cost is kept exactly, as a sum."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO

    def take(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Take a fill of a signed ``quantity``; return what it has realized."""
        before = self.quantity
        if before * quantity >= 0:
            self.quantity += quantity
            self.cost += quantity * price
            return ZERO
        closing = -before if abs(quantity) > abs(before) else quantity
        part = self.cost * (-closing / before)
        self.quantity += closing
        self.cost -= part
        realized = -closing * price - part
        opening = quantity - closing
        self.quantity += opening
        self.cost += opening * price
        return realized


@attrs.define(eq=False)
class SimAmendment:
    """New terms that an order got."""

    number: int
    order: int
    at_ms: int
    price: tuple[Decimal, Decimal]
    quantity: tuple[Decimal, Decimal]
