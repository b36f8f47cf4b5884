"""The life of trailing stops, of icebergs, and of orders for the auctions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from holdfast_domain.errors import OutcomeUnknown
from holdfast_domain.money import ZERO, Price, Quantity
from holdfast_domain.orders import OrderType, Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, Found, NotFound, VenueOrder

from .cases import FLAT, case
from .face import Book, Face
from .life import DOWN, THIN, ended, filled, found, prices
from .refusals import refused
from .wire import BOUND_S

RISE = [(100, 1000), (103, 1000), (101, 1000), (100, 1000)]
DIVE = [(100, 1000), (97, 1000), (98, 1000), (99, 1000)]


def trailing(book: Book, side: Side = Side.SELL, **changes: Any) -> VenueOrder:
    """An order that trails: by two hundredths, unless ``changes`` say otherwise."""
    how = {"trail_bps": 200} if "trail" not in changes else {}
    kind = OrderType.TRAILING_STOP
    return book.order(side=side, type=kind, **{**how, **changes})


@case(161, "a trailing sell follows the market up, and never down", RISE, "trails")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    (acked,) = await face.venue.submit(order)
    assert isinstance(acked, Acked)
    for _ in range(2):
        await face.market()
        assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(100)]


@case(162, "a trailing buy follows the market down, and never up", DIVE, "trails")
async def _(face: Face, book: Book) -> None:
    order = trailing(book, Side.BUY)
    await face.venue.submit(order)
    for _ in range(2):
        await face.market()
        assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(99)]


@case(163, "a trailing stop that waits says its terms, and no others", RISE, "trails")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    await face.venue.submit(order)
    await face.market()
    (resting,) = (await face.venue.open_orders()).orders
    assert (resting.order_id, resting.terms) == (order.order_id, order.terms)
    assert (await found(face, order.order_id)).terms == order.terms


@case(164, "a trailing stop is canceled, and the market passes it by", DOWN, "trails")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    await face.venue.submit(order)
    await face.market()
    assert ended(await face.venue.cancel(order.order_id)).how == "canceled"
    await face.market()
    assert await filled(face, order.order_id) == ZERO


@case(165, "a trailing stop outlives the session that placed it", RISE, "trails")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    await face.venue.submit(order)
    await face.market()
    await face.restart()
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await filled(face, order.order_id) == 2


@case(166, "a trailing stop behind a price by a price", RISE, "trails", "trail_prices")
async def _(face: Face, book: Book) -> None:
    order = trailing(book, trail=Price.of(2))
    await face.venue.submit(order)
    for _ in range(2):
        await face.market()
    # The stop was reached at 101, to the tick.
    assert await prices(face, order.order_id) == [Decimal(101)]
    assert (await found(face, order.order_id)).quantity == order.terms.quantity


@case(167, "a distance that a declared one may not be", FLAT, "trails", "trail_limits")
async def _(face: Face, book: Book) -> None:
    takes = face.venue.promises.takes
    assert takes.trail_bps is not None
    least, most = takes.trail_bps
    for bps in (least - 1, most + 1):
        why = takes.lacks(trailing(book, trail_bps=bps).terms)
        assert why.startswith(f"trailing stops of {bps} basis points; it takes them")
    by_price = takes.lacks(trailing(book, trail=Price.of(1)).terms)
    assert by_price.startswith("trailing stops by a price; it takes them")


@case(168, "a distance that the symbol may not have", FLAT, "trails", "trail_limits")
async def _(face: Face, book: Book) -> None:
    await refused(face, trailing(book, trail_bps=15), face.codes["distance"])


@case(169, "a trailing stop of a quantity between two lots", FLAT, "trails")
async def _(face: Face, book: Book) -> None:
    await refused(face, trailing(book, quantity="1.0001"))


@case(170, "a trailing stop of a symbol that is not there", FLAT, "trails")
async def _(face: Face, book: Book) -> None:
    await refused(face, trailing(book, instrument="NOPE"))


@case(171, "a trailing stop whose acknowledgement is lost", RISE, "trails", "wire")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    face.fault("lost_ack", "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    face.pass_time(BOUND_S)
    assert isinstance(await face.venue.lookup(order.order_id), Found)
    for _ in range(3):
        await face.market()
    assert await prices(face, order.order_id) == [Decimal(100)]


@case(172, "a trailing stop that is lost on its way", FLAT, "trails", "wire")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    face.fault("lost_request", "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    face.pass_time(BOUND_S)
    assert isinstance(await face.venue.lookup(order.order_id), NotFound)
    await face.venue.submit(order)


@case(173, "the cancel of a trailing stop is in doubt", FLAT, "trails", "wire")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    await face.venue.submit(order)
    face.fault("lost_ack", "cancel")
    with pytest.raises(OutcomeUnknown):
        await face.venue.cancel(order.order_id)
    face.pass_time(BOUND_S)
    assert ended((await found(face, order.order_id)).events).how == "canceled"


@case(174, "the stream tells a trailing stop's life", RISE, "trails", "stream")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    await face.venue.submit(order)
    for _ in range(3):
        await face.market()
    said = await face.hear(2)
    assert [type(each) for each in said] == [Acked, Executed]
    assert {each.order_id for each in said} == {order.order_id}


@case(175, "a trailing stop gets another distance", RISE, "trails", "trail_changes")
async def _(face: Face, book: Book) -> None:
    order = trailing(book)
    await face.venue.submit(order)
    new = trailing(book, trail_bps=500).terms
    await face.venue.replace(order.order_id, new)
    assert (await found(face, order.order_id)).terms == new
    for _ in range(3):
        await face.market()
    assert await filled(face, order.order_id) == ZERO


@case(176, "an order of which only a part is shown", THIN, "hides")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99, shown=Quantity.of(1))
    await face.venue.submit(order)
    assert (await found(face, order.order_id)).terms == order.terms
    for _ in range(3):
        await face.market()
    assert await filled(face, order.order_id) == 2


@case(177, "orders for the opening auction wait for it", DOWN, "auctions")
async def _(face: Face, book: Book) -> None:
    at_open = {"time_in_force": TimeInForce.AT_OPEN}
    market, limit = book.order(**at_open), book.order(limit=98, **at_open)
    for order in (market, limit):
        await face.venue.submit(order)
        assert (await found(face, order.order_id)).terms == order.terms
    await face.market()
    assert await filled(face, market.order_id) == ZERO
    face.auction(TimeInForce.AT_OPEN)
    assert await prices(face, market.order_id) == [Decimal(99)]
    # What the auction does not fill has ended with it.
    assert ended((await found(face, limit.order_id)).events).how == "canceled"


@case(178, "orders for the closing auction wait for it", DOWN, "auctions")
async def _(face: Face, book: Book) -> None:
    at_close = {"time_in_force": TimeInForce.AT_CLOSE}
    market, limit = book.order(**at_close), book.order(limit=98, **at_close)
    gone = book.order(limit=101, **at_close)
    for order in (market, limit, gone):
        await face.venue.submit(order)
        assert (await found(face, order.order_id)).terms == order.terms
    assert isinstance(ended(await face.venue.cancel(gone.order_id)), Ended)
    for _ in range(2):
        await face.market()
    face.auction(TimeInForce.AT_CLOSE)
    for order in (market, limit):
        assert await prices(face, order.order_id) == [Decimal(98)]
