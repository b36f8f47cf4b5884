"""Order lists: whole or not at all, and bound by the venue, whoever listens."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from holdfast_domain.errors import DuplicateOrder, OutcomeUnknown, VenueRefused
from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import Side
from holdfast_domain.ports import Acked, Ended, Executed, Found, NotFound, VenueOrder

from .cases import FLAT, case
from .face import Book, Face
from .life import filled, found, prices
from .wire import BOUND_S

TO_PROFIT = [(100, 1000), (101, 1000), (103, 1000), (90, 1000)]
TO_LOSS = [(100, 1000), (99, 1000), (97, 1000), (110, 1000)]
IN_PARTS = [(100, 1000), (103, "0.5"), (97, 1000), (103, 1000)]
IN_AND_UP = [(100, 1000), (99, 1000), (100, 1000), (103, 1000), (90, 1000)]
IN_AND_DOWN = [(100, 1000), (99, 1000), (98, 1000), (97, 1000), (110, 1000)]
IN_BY_HALF = [(100, 1000), (99, 1), (103, 1000), (99, 1000), (103, 1000)]


def bound(kind: ListKind, orders: Sequence[VenueOrder]) -> list[VenueOrder]:
    """The orders as the legs of one list."""
    first = orders[0].order_id
    return [
        replace(each, leg=Leg(list_id=first, kind=kind, role=role))
        for each, role in zip(orders, ROLES[kind], strict=True)
    ]


def oco(book: Book, **changes: object) -> list[VenueOrder]:
    """Sell at 103 or better, or once the market falls to 97."""
    profit = book.order(side=Side.SELL, limit=103)
    loss = book.order(side=Side.SELL, stop=97, **changes)
    return bound(ListKind.OCO, [profit, loss])


def bracket(book: Book) -> list[VenueOrder]:
    """Buy at 99 or better, and then sell as `oco` does."""
    exits = oco(book)
    return bound(ListKind.BRACKET, [book.order(limit=99), *exits])


async def held(face: Face, book: Book) -> None:
    """Buy what an OCO sells."""
    await face.venue.submit(book.order())


async def ends(face: Face, orders: Sequence[VenueOrder]) -> list[str]:
    """How each order ended; nothing of one that works or is filled."""
    ended = []
    for order in orders:
        events = (await found(face, order.order_id)).events
        ended += [[e.how for e in events if isinstance(e, Ended)]]
    return ["".join(each) for each in ended]


async def fills(face: Face, orders: Sequence[VenueOrder]) -> list[object]:
    return [await filled(face, each.order_id) for each in orders]


async def in_doubt(
    face: Face, orders: Sequence[VenueOrder], fault: str, known: type[Found | NotFound]
) -> None:
    """Place a list into a fault; each leg is found, or is not, by its own id."""
    face.fault(fault, "submit_list")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit_list(orders)
    face.pass_time(BOUND_S)
    for each in orders:
        assert isinstance(await face.venue.lookup(each.order_id), known)


@case(179, "the legs of an OCO rest, each under its own id", FLAT, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    said = await face.venue.submit_list(orders)
    acked = {each.order_id for each in said if isinstance(each, Acked)}
    assert acked == {each.order_id for each in orders}
    listed = {each.order_id for each in (await face.venue.open_orders()).orders}
    assert listed == acked
    assert await fills(face, orders) == [ZERO, ZERO]


@case(180, "a take-profit that fills cancels its stop", TO_PROFIT, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await face.venue.submit_list(orders)
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [2, ZERO]
    assert await ends(face, orders) == ["", "canceled"]


@case(181, "a stop that fills cancels its take-profit", TO_LOSS, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await face.venue.submit_list(orders)
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [ZERO, 2]
    assert await ends(face, orders) == ["canceled", ""]


@case(182, "a stop with a limit in an OCO", TO_LOSS, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book, limit=96)
    await face.venue.submit_list(orders)
    for _ in range(2):
        await face.market()
    assert await fills(face, orders) == [ZERO, 2]
    assert await prices(face, orders[1].order_id) == [97]


@case(183, "a part of a take-profit cancels all of its stop", IN_PARTS, "ocos", "parts")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await face.venue.submit_list(orders)
    await face.market()
    assert await ends(face, orders) == ["", "canceled"]
    for _ in range(2):
        await face.market()
    assert await fills(face, orders) == [2, ZERO]


@case(184, "to cancel one leg cancels the other", TO_LOSS, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    for leg in (0, 1):
        orders = oco(book)
        await face.venue.submit_list(orders)
        await face.venue.cancel(orders[leg].order_id)
        assert await ends(face, orders) == ["canceled", "canceled"]
    await face.market()
    assert (await face.venue.open_orders()).orders == []


@case(185, "a list of which a leg is refused is not there", FLAT, "ocos", "whole")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit, loss = oco(book)
    odd = replace(loss, terms=book.terms(side=Side.SELL, stop="97.001"))
    with pytest.raises(VenueRefused) as caught:
        await face.venue.submit_list([profit, odd])
    assert caught.value.code
    face.pass_time(60)
    for each in (profit, odd):
        assert isinstance(await face.venue.lookup(each.order_id), NotFound)


@case(186, "an OCO that has the price on one side is refused", FLAT, "ocos", "around")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit = book.order(side=Side.SELL, limit=99)
    loss = book.order(side=Side.SELL, stop=97)
    with pytest.raises(VenueRefused):
        await face.venue.submit_list(bound(ListKind.OCO, [profit, loss]))


@case(187, "a list is refused a second time", FLAT, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await face.venue.submit_list(orders)
    with pytest.raises(DuplicateOrder):
        await face.venue.submit_list(orders)
    listed = (await face.venue.open_orders()).orders
    assert len(listed) == len(orders)


@case(188, "an OCO whose acknowledgement is lost", TO_PROFIT, "ocos", "wire")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await in_doubt(face, orders, "lost_ack", Found)
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [2, ZERO]


@case(189, "an OCO that is lost on its way", FLAT, "ocos", "wire")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await in_doubt(face, orders, "lost_request", NotFound)
    await face.venue.submit_list(orders)


@case(190, "an OCO outlives the session that placed it", TO_LOSS, "ocos")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await face.venue.submit_list(orders)
    await face.market()
    await face.restart()
    await face.market()
    assert await fills(face, orders) == [ZERO, 2]
    assert await ends(face, orders) == ["canceled", ""]


@case(191, "the exits of a bracket wait for its entry", IN_AND_UP, "brackets")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    said = await face.venue.submit_list(orders)
    acked = {each.order_id for each in said if isinstance(each, Acked)}
    assert acked == {each.order_id for each in orders}
    assert await fills(face, orders) == [ZERO] * 3
    await face.market()
    assert await fills(face, orders) == [2, ZERO, ZERO]
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [2, 2, ZERO]
    assert await ends(face, orders) == ["", "", "canceled"]


@case(192, "the stop of a bracket ends its take-profit", IN_AND_DOWN, "brackets")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    for _ in range(4):
        await face.market()
    assert await fills(face, orders) == [2, ZERO, 2]
    assert await ends(face, orders) == ["", "canceled", ""]


@case(193, "exits wait for all of their entry", IN_BY_HALF, "brackets", "parts")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    for _ in range(2):
        await face.market()
    assert await fills(face, orders) == [1, ZERO, ZERO]
    for _ in range(2):
        await face.market()
    assert await fills(face, orders) == [2, 2, ZERO]


@case(194, "an entry that is canceled takes its exits along", IN_AND_UP, "brackets")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    await face.venue.cancel(orders[0].order_id)
    assert await ends(face, orders) == ["canceled"] * 3
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [ZERO] * 3


@case(195, "a bracket whose acknowledgement is lost", IN_AND_UP, "brackets", "wire")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await in_doubt(face, orders, "lost_ack", Found)
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [2, 2, ZERO]


@case(196, "a bracket that is lost on its way", FLAT, "brackets", "wire")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await in_doubt(face, orders, "lost_request", NotFound)
    await face.venue.submit_list(orders)


@case(197, "a bracket outlives the session that placed it", IN_AND_UP, "brackets")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    await face.restart()
    await face.market()
    await face.restart()
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [2, 2, ZERO]
    assert await ends(face, orders) == ["", "", "canceled"]


@case(198, "the stream tells a bracket's life", IN_AND_UP, "brackets", "frames")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    for _ in range(4):
        await face.market()
    entry, profit, loss = (each.order_id for each in orders)
    told = await face.hear(8)
    fills = [each.order_id for each in told if isinstance(each, Executed)]
    assert fills == [entry, profit]
    ended = [(e.order_id, e.how) for e in told if isinstance(e, Ended)]
    assert ended == [(loss, "canceled")]


@case(199, "an exit that is canceled takes the other along", IN_AND_UP, "brackets")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    await face.market()
    said = await face.venue.cancel(orders[1].order_id)
    assert orders[1].order_id in {e.order_id for e in said if isinstance(e, Ended)}
    assert await ends(face, orders) == ["", "canceled", "canceled"]
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [2, ZERO, ZERO]


@case(200, "a list that cannot be paid is refused whole", FLAT, "ocos", "funds")
async def _(face: Face, book: Book) -> None:
    profit = book.order(quantity=2000, side=Side.SELL, limit=103)
    loss = book.order(quantity=2000, side=Side.SELL, stop=97)
    with pytest.raises(VenueRefused) as caught:
        await face.venue.submit_list(bound(ListKind.OCO, [profit, loss]))
    assert caught.value.code == face.codes["funds"]
    face.pass_time(60)
    for each in (profit, loss):
        assert isinstance(await face.venue.lookup(each.order_id), NotFound)
