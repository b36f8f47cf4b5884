"""What a venue says no to: in its own words, and nothing is left of it."""

from __future__ import annotations

import pytest

from holdfast_domain.errors import DuplicateOrder, VenueRefused
from holdfast_domain.money import Price
from holdfast_domain.orders import Side, TimeInForce
from holdfast_domain.ports import Ended, Executed, NotFound, VenueOrder

from .cases import FLAT, case
from .face import Book, Face


async def refused(face: Face, order: VenueOrder, code: str = "") -> None:
    """Submit what is refused with its words, and see that there is no such order."""
    with pytest.raises(VenueRefused) as caught:
        await face.venue.submit(order)
    assert caught.value.reason
    assert caught.value.code
    assert not code or caught.value.code == code
    face.pass_time(60)
    assert isinstance(await face.venue.lookup(order.order_id), NotFound)


@case(31, "a symbol that is not there")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(limit=99, instrument="NOPE"))


@case(32, "a price between two ticks")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(limit="99.001"))


@case(33, "a stop price between two ticks")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(stop="105.001"))


@case(34, "a quantity between two lots")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order("1.0001", limit=99))


@case(35, "a quantity of nothing")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(0, limit=99))


@case(36, "an order that is worth too little")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order("0.04", limit=99))


@case(37, "more than the account can pay", FLAT, "funds")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(2000, limit=99), face.codes["funds"])


@case(38, "more than the account can deliver", FLAT, "funds")
async def _(face: Face, book: Book) -> None:
    order = book.order(face.too_much, side=Side.SELL)
    await refused(face, order, face.codes["funds"])


@case(39, "a price that is far from the market", FLAT, "bands")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(1, limit=501), face.codes["far"])


@case(40, "a time in force that the venue does not know", FLAT, "bands")
async def _(face: Face, book: Book) -> None:
    day = book.order(limit=99, time_in_force=TimeInForce.DAY)
    assert face.venue.promises.takes.lacks(day.terms).startswith("day orders; it takes")


@case(41, "a stop that the market has passed already", FLAT, "bands")
async def _(face: Face, book: Book) -> None:
    await refused(face, book.order(stop=99), face.codes["passed"])


@case(42, "an id that an open order has is a duplicate, and no refusal")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    with pytest.raises(DuplicateOrder):
        await face.venue.submit(order)
    assert len((await face.venue.open_orders()).orders) == 1


@case(43, "a cancel of an order that is not there")
async def _(face: Face, book: Book) -> None:
    face.pass_time(60)
    with pytest.raises(VenueRefused):
        await face.venue.cancel(book.order().order_id)


@case(44, "a cancel of an order that is filled")
async def _(face: Face, book: Book) -> None:
    order = book.order()
    await face.venue.submit(order)
    with pytest.raises(VenueRefused):
        await face.venue.cancel(order.order_id)


@case(45, "a second cancel")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    (end,) = await face.venue.cancel(order.order_id)
    assert isinstance(end, Ended)
    with pytest.raises(VenueRefused):
        await face.venue.cancel(order.order_id)


@case(46, "new terms for an order that is not there")
async def _(face: Face, book: Book) -> None:
    face.pass_time(60)
    with pytest.raises(VenueRefused):
        await face.venue.replace(book.order().order_id, book.terms(limit=99))


@case(47, "new terms for an order that is filled")
async def _(face: Face, book: Book) -> None:
    order = book.order()
    await face.venue.submit(order)
    with pytest.raises(VenueRefused):
        await face.venue.replace(order.order_id, book.terms(limit=99))


@case(48, "a watermark of another venue")
async def _(face: Face, book: Book) -> None:
    with pytest.raises(VenueRefused):
        await face.venue.executions_since("somebody else's")


@case(30, "a post-only order that would cross", FLAT, "posts")
async def _(face: Face, book: Book) -> None:
    code = face.codes["crosses"]
    await refused(face, book.order(limit=100, post_only=True), code)
    selling = book.order(limit=99, side=Side.SELL, post_only=True)
    await refused(face, selling, code)


@case(29, "a reduce-only order that would open a position", FLAT, "reduces")
async def _(face: Face, book: Book) -> None:
    code = face.codes["opens"]
    await refused(face, book.order(limit=99, reduce_only=True), code)
    await face.venue.submit(book.order(3))
    await refused(face, book.order(1, reduce_only=True), code)
    closing = book.order(3, side=Side.SELL, reduce_only=True)
    await face.venue.submit(closing)
    assert (await face.venue.positions()).positions == []


@case(28, "a position has a sign", FLAT, "reduces")
async def _(face: Face, book: Book) -> None:
    before = (await face.venue.balances()).balances
    await face.venue.submit(book.order(3, side=Side.SELL))
    (held,) = (await face.venue.positions()).positions
    assert held.quantity == -3
    assert held.average_price == Price.of(100)
    said = (await face.venue.executions_since("")).events
    fees = sum(each.fee.amount for each in said if isinstance(each, Executed))
    (after,) = (await face.venue.balances()).balances
    assert after.total.amount - before[0].total.amount == 300 - fees


@case(49, "what was never sent is not there")
async def _(face: Face, book: Book) -> None:
    face.pass_time(60)
    assert isinstance(await face.venue.lookup(book.order().order_id), NotFound)
