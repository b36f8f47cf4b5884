"""Sessions that end and begin: nothing is lost between them, nothing comes twice."""

from __future__ import annotations

import pytest
import trio

from holdfast_domain.errors import NotSent
from holdfast_domain.ports import Ended, Found

from .cases import case
from .face import Book, Face
from .life import DOWN, filled

LONG = [(100, 1000), (99, 1000), (99, 1000), (99, 1000), (99, 1000), (99, 1000)]


@case(51, "an order outlives the session that placed it")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    await face.restart()
    assert isinstance(await face.venue.lookup(order.order_id), Found)
    (resting,) = (await face.venue.open_orders()).orders
    assert resting.order_id == order.order_id
    (end,) = await face.venue.cancel(order.order_id)
    assert isinstance(end, Ended)


@case(52, "what was filled while nobody listened is told", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    await face.market()
    await face.restart()
    (executed,) = (await face.venue.executions_since("")).events
    assert executed.order_id == order.order_id


@case(53, "executions go on from a watermark, over a restart", LONG)
async def _(face: Face, book: Book) -> None:
    seen: dict[str, int] = {}
    watermark = ""
    for _ in range(4):
        await face.venue.submit(book.order(1))
        said = await face.venue.executions_since(watermark)
        for each in said.events:
            seen[each.execution_id] = seen.get(each.execution_id, 0) + 1
        watermark = said.watermark
        await face.market()
        face.pass_time(61)
        await face.restart()
    assert len(seen) == 4
    assert (await face.venue.executions_since(watermark)).events == [] or len(seen) == 4


@case(54, "a settled watermark tells nothing twice", LONG)
async def _(face: Face, book: Book) -> None:
    await face.venue.submit(book.order(1))
    await face.market()
    face.pass_time(61)
    first = await face.venue.executions_since("")
    assert len(first.events) == 1
    again = await face.venue.executions_since(first.watermark)
    assert list(again.events) == []
    await face.venue.submit(book.order(1))
    later = await face.venue.executions_since(again.watermark)
    assert len(later.events) == 1


@case(55, "an order with new terms is found after a restart", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    await face.venue.replace(order.order_id, book.terms(3, limit=99))
    face.pass_time(60)
    await face.restart()
    await face.market()
    assert await filled(face, order.order_id) == 3


@case(56, "new terms after a restart")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    face.pass_time(60)
    await face.restart()
    for price in (91, 92):
        await face.venue.replace(order.order_id, book.terms(limit=price))
    found = await face.venue.lookup(order.order_id)
    assert isinstance(found, Found)
    assert found.terms == book.terms(limit=92)


@case(57, "without a session nothing is sent")
async def _(face: Face, book: Book) -> None:
    await face.venue.close()
    await face.venue.close()
    order = book.order(limit=90)
    with pytest.raises(NotSent):
        await face.venue.submit(order)
    with pytest.raises(NotSent):
        await face.venue.lookup(order.order_id)
    await face.venue.connect()
    await face.restart()


@case(58, "to connect twice is to connect once")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    await face.venue.connect()
    assert isinstance(await face.venue.lookup(order.order_id), Found)


@case(59, "requests that overlap are all done, each once")
async def _(face: Face, book: Book) -> None:
    orders = [book.order(limit=90) for _ in range(20)]
    async with trio.open_nursery() as nursery:
        for order in orders:
            nursery.start_soon(face.venue.submit, order)
    async with trio.open_nursery() as nursery:
        for order in orders[::2]:
            nursery.start_soon(face.venue.cancel, order.order_id)
    left = {each.order_id for each in (await face.venue.open_orders()).orders}
    assert left == {each.order_id for each in orders[1::2]}
