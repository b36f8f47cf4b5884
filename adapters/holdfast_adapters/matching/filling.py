"""What a fill is: its price with slippage, and what the venue says of it. Pure."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from holdfast_adapters.matching.book import Working
from holdfast_adapters.matching.model import FillModel
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.ports import Executed


def executed(
    order: Working,
    quantity: Decimal,
    price: Decimal,
    at_us: int,
    model: FillModel,
    number: int,
) -> Executed:
    """Return the execution ``number`` of the venue, with its commission."""
    instrument = order.instrument
    fee, unit = model.commission * quantity, instrument.base
    if not (model.in_kind and order.buy and unit):
        fee, unit = fee * abs(price * instrument.multiplier), instrument.currency
    whole = order.terms.quantity
    traded = whole if quantity is whole.value else Quantity(quantity)
    return Executed(
        order_id=order.order_id,
        execution_id=f"X{number}",
        quantity=traded,
        price=Price(price),
        fee=Money(fee, unit),
        filled_at=utc_from_us(at_us),
        cumulative=Quantity(order.filled + quantity) if order.filled else traded,
    )


def slipped(order: Working, price: Decimal, share: Decimal) -> Decimal:
    """Return ``price``, worse by ``share`` of it, on the instrument's grid."""
    by = abs(price) * share
    worse = price + by if order.buy else price - by
    towards = ROUND_CEILING if order.buy else ROUND_FLOOR
    return order.instrument.round_price(worse, towards).value
