"""What the guard asks of an order's terms alone: pure, no account is looked at."""

from __future__ import annotations

from decimal import Decimal

from holdfast_domain.instruments import Instrument
from holdfast_domain.orders import OrderTerms, Side


def off_grid(instrument: Instrument, terms: OrderTerms) -> str:
    """Return why ``terms`` are not on the grid of ``instrument``; empty if they are."""
    if terms.quantity.value == 0 or not instrument.is_on_lot(terms.quantity.value):
        return (
            f"expected a multiple of the lot {instrument.lot}, "
            f"was {terms.quantity.value}"
        )
    for price in (terms.limit_price, terms.stop_price, terms.trail):
        if price is not None and not instrument.is_on_tick(price.value):
            tick = instrument.tick_at(price.value)
            return f"expected a multiple of the tick {tick}, was {price.value}"
    shown = terms.shown
    if shown is not None and not (
        shown.value <= terms.quantity.value and instrument.is_on_lot(shown.value)
    ):
        return (
            f"expected to show a multiple of the lot {instrument.lot} up to "
            f"{terms.quantity.value}, was {shown.value}"
        )
    return ""


def crosses(new: OrderTerms, resting: OrderTerms, last: Decimal) -> bool:
    """Tell whether ``new`` could trade with a sibling's ``resting`` limit order."""
    limit = resting.limit_price
    if limit is None:
        return False
    price = last if new.limit_price is None else new.limit_price.value
    return price >= limit.value if new.side is Side.BUY else price <= limit.value
