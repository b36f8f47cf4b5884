"""Positions: signed units with their average cost."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from holdfast_domain.money import ZERO


class Position(Struct, frozen=True, gc=False):
    """How many units are held, what one cost on average, what closing has earned.

    The cost is the average-cost method: adding averages it, reducing keeps it and
    realises the difference, crossing zero starts anew at the fill's price.

    >>> held = Position().after(Decimal(10), Decimal(5)).after(Decimal(-4), Decimal(7))
    >>> held.amount, held.cost_basis, held.realised
    (Decimal('6'), Decimal('5'), Decimal('8'))
    """

    amount: Decimal = ZERO
    """Signed units: negative is short."""

    cost_basis: Decimal = ZERO
    """Average price of one unit, without fees."""

    realised: Decimal = ZERO
    """Price difference earned by reducing, per multiplier of 1, without fees."""

    def after(self, units: Decimal, price: Decimal) -> Position:
        """Return the position after ``units`` (signed) were traded at ``price``."""
        held = self.amount
        amount = held + units
        if not held:
            return Position(amount, price if amount else ZERO, self.realised)
        is_long = held > ZERO
        if is_long == (units > ZERO):
            paid = self.cost_basis * held + price * units
            return Position(amount, paid / amount, self.realised)
        crossed = amount < ZERO if is_long else amount > ZERO
        closed = held if crossed else -units
        realised = self.realised + closed * (price - self.cost_basis)
        if not amount:
            return Position(ZERO, ZERO, realised)
        return Position(amount, price if crossed else self.cost_basis, realised)


FLAT = Position()
"""Nothing held, and nothing earned yet."""
