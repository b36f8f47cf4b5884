"""Money, prices and quantities as types; `float` never enters them.

>>> Money(Decimal("1.50"), "USD") + Money(Decimal("0.25"), "USD")
Money(amount=Decimal('1.75'), currency='USD')
>>> Price.of(0.1).value
Decimal('0.1')
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from holdfast_domain.errors import DomainError

Currency: TypeAlias = str
"""An ISO 4217 code or an asset's symbol, such as ``USD`` or ``BTC``."""

Numeric: TypeAlias = int | float | Decimal | str
"""What a user may write where a price, a quantity or money is meant."""

ZERO = Decimal(0)


def to_decimal(value: Numeric) -> Decimal:
    """Return ``value`` as a finite `Decimal`; a float by its shortest text.

    The shortest text is what the author of a column wrote: 0.1 becomes 0.1 and not
    0.1000000000000000055.

    Raises:
        DomainError: if ``value`` is no number or not finite.
    """
    try:
        kind = type(value)
        if kind is int:
            return Decimal(value)
        if kind is float:
            number = Decimal(repr(value))
        elif kind is Decimal:
            number = value  # type: ignore[assignment]
        elif isinstance(value, str | Decimal):
            # A class of decimals of its own is not what a record may hold.
            number = Decimal(value)
        elif isinstance(value, int):
            number = Decimal(int(value))
        else:
            number = Decimal(repr(float(value)))
    except (ArithmeticError, ValueError, TypeError) as error:
        message = f"expected a number, got {value!r}"
        raise DomainError(message) from error
    if not number.is_finite():
        message = f"expected a finite number, got {value!r}"
        raise DomainError(message)
    return number


class Money(Struct, frozen=True, gc=False):
    """An amount in one currency; adding another currency is an error."""

    amount: Decimal
    currency: Currency

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            message = f"expected {self.currency}, got {other.currency}"
            raise DomainError(message)
        return other.amount


class Price(Struct, frozen=True, order=True, gc=False):
    """A price of one unit, in the instrument's currency; may be negative."""

    value: Decimal

    @classmethod
    def of(cls, value: Numeric) -> Price:
        """Return the price written as ``value``."""
        return cls(to_decimal(value))


class Quantity(Struct, frozen=True, order=True, gc=False):
    """How many units, never negative: the side says which way."""

    value: Decimal

    def __post_init__(self) -> None:
        if self.value < ZERO:
            message = f"expected a quantity of at least 0, got {self.value}"
            raise DomainError(message)

    @classmethod
    def of(cls, value: Numeric) -> Quantity:
        """Return the quantity written as ``value``."""
        return cls(to_decimal(value))

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + other.value)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - other.value)
