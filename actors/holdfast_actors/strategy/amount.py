"""Amounts: decimals that a strategy may mix with the floats of its research."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from holdfast_domain.money import to_decimal


class Amount(Decimal):
    """A `Decimal` that takes a float by its shortest text, and stays an amount.

    Money is exact, indicators are floats; where a strategy mixes them, the float is
    read as its author wrote it.

    >>> Amount("100") * 0.1
    Amount('10.0')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Amount('{self}')"

    def plus(self, change: Decimal) -> Amount:
        """Return the sum with what is known to be a `Decimal`, in half the time."""
        return Amount(Decimal.__add__(self, change))

    def _with(self, name: str, other: Any) -> Any:  # noqa: ANN401 - as Decimal's own
        operand = to_decimal(other) if isinstance(other, float) else other
        result = getattr(Decimal, name)(self, operand)
        return result if result is NotImplemented else Amount(result)

    def __add__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__add__", other)

    def __radd__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__radd__", other)

    def __sub__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__sub__", other)

    def __rsub__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__rsub__", other)

    def __mul__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__mul__", other)

    def __rmul__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__rmul__", other)

    def __truediv__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__truediv__", other)

    def __rtruediv__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__rtruediv__", other)

    def __floordiv__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__floordiv__", other)

    def __rfloordiv__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__rfloordiv__", other)

    def __mod__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__mod__", other)

    def __rmod__(self, other: Any) -> Any:  # noqa: ANN401
        return self._with("__rmod__", other)

    def __round__(self, digits: Any = None) -> Any:  # noqa: ANN401
        rounded = Decimal.__round__(self, digits) if digits is not None else None
        return Decimal.__round__(self) if rounded is None else Amount(rounded)

    def __pos__(self) -> Amount:
        return self

    def __neg__(self) -> Amount:
        return Amount(Decimal.__neg__(self))

    def __abs__(self) -> Amount:
        return Amount(Decimal.__abs__(self))
