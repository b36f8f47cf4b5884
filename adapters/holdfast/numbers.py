"""Numbers as a user gives them, checked."""

from __future__ import annotations

from decimal import Decimal

from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.money import Numeric, to_decimal

_DIGITS_MAX = 15
"""Before the point; what is larger is a slip, and would not be kept exactly."""


def read_number(
    where: str,
    value: Numeric,
    expected: str,
    todo: str,
    *,
    above: Decimal | None = None,
) -> Decimal:
    """Return ``value``, which must be at least 0 and above ``above``.

    Raises:
        InputError: it is no such number.
    """
    try:
        number = to_decimal(value)
    except DomainError:
        raise InputError(where, expected, repr(value), todo) from None
    if number.adjusted() > _DIGITS_MAX:
        expected = f"{expected}, of at most {_DIGITS_MAX} digits"
        raise InputError(where, expected, str(value), todo)
    if number < 0 or (above is not None and number <= above):
        raise InputError(where, expected, str(value), todo)
    return number
