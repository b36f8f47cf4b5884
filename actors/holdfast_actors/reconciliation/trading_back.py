"""Bringing the venue to the books: a decision of the house, which passes the guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from holdfast_actors.clock import MarketClock
from holdfast_actors.messages import Decision, Draft
from holdfast_actors.reconciliation.messages import OrderLine
from holdfast_actors.strategy.orders import INDEX_BITS
from holdfast_domain.fills import HOUSE
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.instruments import Instrument
from holdfast_domain.orders import OrderTerms, Side

_HOUSE_INDEX: Final = 0
"""The house's place in order ids; strategies count from 1."""


def order_id_of(engine: int, epoch: int, number: int, index: int) -> str:
    """Return the id of the order ``index`` of the house's decision ``number``."""
    made = ClientOrderId(
        engine=engine,
        epoch=epoch,
        sequence=number << INDEX_BITS | index,
        strategy=_HOUSE_INDEX,
    )
    return str(made)


def decision_of(
    owed: Mapping[str, Decimal],
    lines: Sequence[OrderLine],
    instruments: Mapping[str, Instrument],
    clock: MarketClock,
    number: int,
    name: Callable[[int], str],
) -> Decision | None:
    """Return market orders for what is ``owed``; None where there is nothing to send.

    Nothing is sent of an instrument while the house has an order of it, or something
    about it is in doubt.
    """
    taken = {line.instrument for line in lines if line.strategy == HOUSE or line.busy}
    drafts: list[Draft] = []
    for symbol, units in sorted(owed.items()):
        instrument = instruments.get(symbol)
        if instrument is None or symbol in taken:
            continue
        quantity = instrument.round_quantity(abs(units))
        if quantity.value:
            side = Side.BUY if units > 0 else Side.SELL
            terms = OrderTerms(instrument=symbol, side=side, quantity=quantity)
            drafts.append(Draft(name(len(drafts)), terms))
    if not drafts:
        return None
    return Decision(
        strategy=HOUSE,
        number=number,
        cursor=clock.cursor,
        time_us=clock.now_us,
        applied=0,
        phase="reconciliation",
        drafts=tuple(drafts),
        cancels=(),
        changes=(),
        state="{}",
    )
