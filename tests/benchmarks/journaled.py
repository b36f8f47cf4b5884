"""Records as a busy engine writes them: decisions, intents, acks and fills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, Side

FILLED_AT = datetime(2026, 1, 2, tzinfo=UTC)
RECORDS_PER_ORDER = 4


def records(orders: int, strategy: str, symbol: str) -> Iterator[ev.Event]:
    """Yield the four records of each of ``orders`` orders: bought, sold, bought, …"""
    for number in range(1, orders + 1):
        order_id = f"{number:032x}"
        terms = OrderTerms(
            instrument=symbol,
            side=Side.BUY if number % 2 else Side.SELL,
            quantity=Quantity(Decimal(10)),
        )
        yield ev.DecisionMade(
            strategy=strategy,
            number=number,
            cursor=number,
            applied=0 if number == 1 else (number - 1) * RECORDS_PER_ORDER + 2,
            phase="slice",
            orders=(order_id,),
            cancels=(),
            replaces=(),
            state=f'{{"context.count":"{number}"}}',
        )
        yield ev.OrderIntended(
            order_id=order_id,
            strategy=strategy,
            decision=number,
            index=0,
            venue="paper",
            terms=terms,
            reserved=Money(Decimal("1234.5"), "USD"),
            valid_until_us=number,
        )
        yield ev.OrderAccepted(
            order_id=order_id, strategy=strategy, venue_order_id=f"V{number}"
        )
        fill = Fill(
            execution_id=f"X{number}",
            order_id=order_id,
            strategy=strategy,
            instrument=symbol,
            side=terms.side,
            quantity=terms.quantity,
            price=Price(Decimal("123.45")),
            fee=Money(Decimal("0.12"), "USD"),
            filled_at=FILLED_AT,
        )
        yield ev.OrderFilled(fill=fill, complete=True)


def entries(events: Iterator[ev.Event], first: int = 1) -> list[ev.Entry]:
    """Return ``events`` as entries of a journal, from sequence ``first`` on."""
    return [
        ev.Entry(
            sequence=sequence,
            epoch=1,
            cursor=sequence,
            market_time_us=sequence,
            wall_time_us=1_767_400_000_000_000,
            event=event,
        )
        for sequence, event in enumerate(events, first)
    ]
