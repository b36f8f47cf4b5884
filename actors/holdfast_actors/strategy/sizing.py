"""How many units an order by value or by percent has: pure arithmetic."""

from __future__ import annotations

from decimal import Decimal

from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO


def units_for_value(
    instrument: Instrument,
    value: Decimal,
    price: Decimal,
    held: Decimal,
    commission: Decimal,
) -> Decimal:
    """Return signed whole lots that trade ``value`` at ``price``, rounded to zero.

    What opens or adds to a position leaves room for its commission, so that an order
    for all of the cash is not refused for its fee. What only reduces one does not.
    """
    if price <= 0:
        return ZERO
    per_unit = price * instrument.multiplier
    if value > 0:
        return instrument.round_quantity(value / (per_unit * (1 + commission))).value
    wanted = -value / per_unit
    closing = max(ZERO, held)
    if wanted > closing:
        wanted = closing + (wanted - closing) / (1 + commission)
    return -instrument.round_quantity(wanted).value


def units_between(instrument: Instrument, held: Decimal, target: Decimal) -> Decimal:
    """Return signed units that bring a position from ``held`` to ``target``.

    A fee in kind may have left a part of a lot. That cannot be traded, and stays.
    """
    units = target - held
    if instrument.is_on_lot(held):
        return units
    lots = instrument.round_quantity(abs(units)).value
    return lots if units > 0 else -lots


def units_to_target(
    instrument: Instrument,
    target: Decimal,
    price: Decimal,
    held: Decimal,
    commission: Decimal,
) -> Decimal:
    """Return signed units that bring a position to the value ``target``."""
    if target == 0:
        return units_between(instrument, held, ZERO)
    value = target - instrument.notional(price, held)
    return units_for_value(instrument, value, price, held, commission)
