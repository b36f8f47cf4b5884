"""Lots: what was bought first is sold first."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from msgspec import Struct

from holdfast_domain.money import ZERO


class Lot(Struct, frozen=True, gc=False):
    """Units that were traded at one price, as far as they are still held."""

    units: Decimal
    """Signed: negative is short."""

    price: Decimal


class Lots:
    """The open lots of one position, oldest first, and what closing has earned.

    A trade against the position closes the oldest lots first; what is left of it
    opens a lot of its own, so a position that crosses zero starts anew.

    >>> lots = Lots()
    >>> lots.trade(Decimal(10), Decimal(5))
    >>> lots.trade(Decimal(10), Decimal(6))
    >>> lots.trade(Decimal(-12), Decimal(7))
    >>> lots.realised, lots.amount, lots.cost_basis
    (Decimal('22'), Decimal('8'), Decimal('6'))
    """

    __slots__ = ("open", "realised")

    def __init__(
        self, open_lots: tuple[Lot, ...] = (), realised: Decimal = ZERO
    ) -> None:
        self.open: deque[Lot] = deque(open_lots)
        self.realised = realised
        """Price difference earned, per multiplier of 1, without fees."""

    @property
    def amount(self) -> Decimal:
        """Signed units."""
        return sum((lot.units for lot in self.open), ZERO)

    @property
    def cost_basis(self) -> Decimal:
        """Average price of one unit of the open lots; 0 where there are none."""
        paid = sum((lot.units * lot.price for lot in self.open), ZERO)
        amount = self.amount
        return paid / amount if amount else ZERO

    def trade(self, units: Decimal, price: Decimal) -> None:
        """Take ``units`` (signed) that were traded at ``price``."""
        lots = self.open
        while units and lots and (lots[0].units > 0) != (units > 0):
            oldest = lots[0]
            closed = -units if abs(units) < abs(oldest.units) else oldest.units
            self.realised += closed * (price - oldest.price)
            units += closed
            if closed == oldest.units:
                lots.popleft()
            else:
                lots[0] = Lot(oldest.units - closed, oldest.price)
        if units:
            lots.append(Lot(units, price))
