"""On paper, orders of a live market are matched against its trades as they come."""

from __future__ import annotations

from decimal import Decimal

from holdfast_adapters.matching import FillAt, FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at
from holdfast_domain.growing import GrowingData, Seen
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import Bar, Trade, utc_from_us
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import Executed, VenueEvent, VenueOrder

S = 1_000_000


def trade(at_s: int, price: float) -> Trade:
    at = utc_from_us(at_s * S)
    return Trade(instrument="A", traded_at=at, price=price, size=1.0)


def bar(at_s: int, price: float) -> Bar:
    at = utc_from_us(at_s * S)
    return Bar(
        instrument="A", ended_at=at, open=price, high=price, low=price, close=price,
        volume=1.0,
    )  # fmt: skip


def order(number: int, at_s: int, limit: float | None = None) -> VenueOrder:
    made = ClientOrderId(engine=1, epoch=1, sequence=number, strategy=1)
    terms = OrderTerms(
        instrument="A",
        side=Side.BUY,
        quantity=Quantity(Decimal(2)),
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Price.of(limit),
    )
    return VenueOrder(order_id=str(made), terms=terms, placed_at_us=at_s * S)


async def fills(model: FillAt, *orders: VenueOrder) -> list[tuple[int, float]]:
    """When, and at which price, orders of the second step are filled."""
    data = GrowingData(["A"], 60 * S, tells_trades=True)
    venue = PaperVenue(
        data,
        {"A": Instrument(symbol="A")},
        FillModel(fill=model),
        path=None,
        opened_at_us=lambda _symbol, row: data.columns["A"].ends_us[row] - 60 * S,
        opening={"USD": Decimal(1000)},
    )
    steps = [
        Seen(time_us=59 * S, trades=(trade(58, 10.0),)),
        Seen(time_us=60 * S, bars=(bar(60, 9.0),)),
        Seen(time_us=62 * S, trades=(trade(59, 5.0), trade(61, 11.0), trade(62, 12.0))),
        Seen(time_us=120 * S, bars=(bar(120, 1.0),)),
        Seen(time_us=125 * S, trades=(trade(124, 8.0),)),
    ]
    await venue.connect()
    said: list[VenueEvent] = []
    for step, seen in enumerate(steps):
        data.append(seen)
        said += await venue.advance(cursor_at(step, ADVANCE_SLOT), step)
        if step == 1:
            for each in orders:
                said += await venue.submit(each)
    await venue.close()
    executed = [event for event in said if isinstance(event, Executed)]
    return [(round(e.filled_at.timestamp()), float(e.price.value)) for e in executed]


async def test_a_market_order_gets_the_next_trade_and_none_from_before() -> None:
    assert await fills(FillAt.NEXT_OPEN, order(1, 60)) == [(61, 11.0)]


async def test_at_once_means_the_last_trade_and_not_the_last_bar() -> None:
    assert [price for _, price in await fills(FillAt.THIS_CLOSE, order(1, 60))] == [
        10.0
    ]


async def test_a_limit_waits_for_a_trade_that_reaches_it_whatever_a_bar_says() -> None:
    assert await fills(FillAt.NEXT_OPEN, order(1, 60, limit=8.5)) == [(124, 8.0)]
