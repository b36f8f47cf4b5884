"""What an account holds, worked out from all that was traded in it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Money, Price, Quantity
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Acked,
    Ended,
    Executed,
    Found,
    Replaced,
    VenueBalance,
    VenueEvent,
    VenueOrder,
    VenuePosition,
)
from holdfast_domain.positions import FLAT, Position

Trade: TypeAlias = tuple[OrderTerms, Executed]
"""An execution, and what its order asked for."""


def positions_of(
    trades: Iterable[Trade],
    instruments: Mapping[str, Instrument],
    opening: Mapping[str, Position],
) -> list[VenuePosition]:
    """Return what is held after ``trades``, by average cost; no flat ones.

    It began as ``opening``.
    """
    held = dict(opening)
    for terms, event in trades:
        units = event.quantity.value * terms.side.sign
        units -= instruments[terms.instrument].in_kind(event.fee)
        before = held.get(terms.instrument, FLAT)
        held[terms.instrument] = before.after(units, event.price.value)
    return [
        VenuePosition(
            instrument=symbol,
            quantity=position.amount,
            average_price=Price(position.cost_basis),
        )
        for symbol, position in held.items()
        if position.amount
    ]


def balances_of(
    trades: Iterable[Trade],
    instruments: Mapping[str, Instrument],
    opening: Mapping[str, Decimal],
) -> list[VenueBalance]:
    """Return the cash after ``trades``, fees included; it began as ``opening``."""
    cash = dict(opening)
    for terms, event in trades:
        units = event.quantity.value * terms.side.sign
        instrument = instruments[terms.instrument]
        worth = instrument.notional(event.price.value, units)
        paid = Money(worth, instrument.currency)
        in_kind = instrument.in_kind(event.fee)
        for money in (paid,) if in_kind else (paid, event.fee):
            cash[money.currency] = cash.get(money.currency, ZERO) - money.amount
    return [
        VenueBalance(currency=unit, total=Money(amount, unit))
        for unit, amount in cash.items()
    ]


def story_of(order: VenueOrder, said: Sequence[VenueEvent]) -> Found:
    """Return the story of ``order`` after ``said``."""
    terms, cumulative, venue_order_id = order.terms, Quantity(ZERO), ""
    for event in said:
        if isinstance(event, Replaced):
            terms = event.terms
        elif isinstance(event, Executed):
            cumulative = event.cumulative
        elif isinstance(event, Acked):
            venue_order_id = event.venue_order_id
    return Found(
        order_id=order.order_id,
        venue_order_id=venue_order_id,
        instrument=terms.instrument,
        side=terms.side,
        quantity=terms.quantity,
        terms=terms,
        placed_at_us=order.placed_at_us,
        cumulative=cumulative,
        events=said,
    )


def works(story: Found) -> bool:
    """Tell whether an order of which this is known can still trade."""
    ended = any(isinstance(event, Ended) for event in story.events)
    filled = story.cumulative is not None and story.cumulative >= story.quantity
    return not ended and not filled
