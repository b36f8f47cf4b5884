"""Order lists where the venue judges each leg alone: the adapter keeps them whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.money import Quantity
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import Side
from holdfast_domain.ports import Ended, NotFound, VenueEvent, VenueOrder

from .cases import FLAT, case
from .face import Book, Face
from .life import filled
from .lists import (
    IN_BY_HALF,
    TO_LOSS,
    bound,
    bracket,
    ends,
    fills,
    held,
    oco,
)
from .wire import BOUND_S

ONE = Quantity.of(1)


def hows(said: Sequence[VenueEvent]) -> dict[str, str]:
    return {each.order_id: each.how for each in said if isinstance(each, Ended)}


@case(201, "a stop that is refused takes its take-profit along", FLAT, "ocos", "legs")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit, loss = oco(book)
    odd = replace(loss, terms=book.terms(side=Side.SELL, stop="97.001"))
    said = await face.venue.submit_list([profit, odd])
    assert hows(said) == {profit.order_id: "canceled", odd.order_id: "rejected"}
    assert [each.code for each in said if isinstance(each, Ended)][-1]
    assert await ends(face, [profit]) == ["canceled"]
    face.pass_time(60)
    assert isinstance(await face.venue.lookup(odd.order_id), NotFound)
    assert (await face.venue.open_orders()).orders == []


@case(202, "a take-profit that is refused takes its stop along", FLAT, "ocos", "legs")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit, loss = oco(book)
    odd = replace(profit, terms=book.terms(side=Side.SELL, limit="103.001"))
    said = await face.venue.submit_list([odd, loss])
    assert hows(said) == {odd.order_id: "rejected", loss.order_id: "canceled"}
    assert await ends(face, [loss]) == ["canceled"]
    face.pass_time(60)
    assert isinstance(await face.venue.lookup(odd.order_id), NotFound)
    assert (await face.venue.open_orders()).orders == []


@case(203, "a list of which a part arrived is ended", FLAT, "ocos", "legs", "wire")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit, loss = orders = oco(book)
    face.fault("lost_request", "submit_list", skip=1)
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit_list(orders)
    with pytest.raises(OutcomeUnknown, match="without the rest of its list"):
        await face.venue.lookup(profit.order_id)
    face.pass_time(BOUND_S)
    assert isinstance(await face.venue.lookup(loss.order_id), NotFound)
    assert await ends(face, [profit]) == ["canceled"]
    assert (await face.venue.open_orders()).orders == []


@case(
    204,
    "a part of a list is ended by another session, too",
    FLAT,
    "ocos",
    "legs",
    "wire",
)
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit, loss = orders = oco(book)
    face.fault("lost_request", "submit_list", skip=1)
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit_list(orders)
    await face.restart()
    face.pass_time(BOUND_S)
    assert await ends(face, [profit]) == ["canceled"]
    assert isinstance(await face.venue.lookup(loss.order_id), NotFound)


@case(205, "an exit that is filled at once leaves no other", TO_LOSS, "ocos", "legs")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    profit = book.order(side=Side.SELL, limit=99)
    loss = book.order(side=Side.SELL, stop=97)
    await face.venue.submit_list(bound(ListKind.OCO, [profit, loss]))
    for _ in range(2):
        await face.market()
    assert await filled(face, profit.order_id) == 2
    assert (await face.venue.open_orders()).orders == []


@case(206, "a leg takes no new terms", FLAT, "ocos", "legs")
async def _(face: Face, book: Book) -> None:
    await held(face, book)
    orders = oco(book)
    await face.venue.submit_list(orders)
    terms = book.terms(side=Side.SELL, limit=104)
    with pytest.raises(VenueRefused) as caught:
        await face.venue.replace(orders[0].order_id, terms)
    assert caught.value.code == "leg"
    listed = (await face.venue.open_orders()).orders
    assert {each.terms for each in listed} == {each.terms for each in orders}


@case(207, "an entry that is refused takes its exits along", FLAT, "brackets", "legs")
async def _(face: Face, book: Book) -> None:
    entry, *exits = orders = bracket(book)
    odd = replace(entry, terms=book.terms(limit="99.001"))
    with pytest.raises(VenueRefused) as caught:
        await face.venue.submit_list([odd, *exits])
    assert caught.value.code
    face.pass_time(60)
    for each in orders:
        assert isinstance(await face.venue.lookup(each.order_id), NotFound)


@case(208, "a take-profit that is refused ends its bracket", FLAT, "brackets", "legs")
async def _(face: Face, book: Book) -> None:
    entry, profit, loss = bracket(book)
    odd = replace(profit, terms=book.terms(side=Side.SELL, limit="103.001"))
    said = await face.venue.submit_list([entry, odd, loss])
    ended = {
        entry.order_id: "canceled",
        odd.order_id: "rejected",
        loss.order_id: "canceled",
    }
    assert hows(said) == ended
    assert (await face.venue.open_orders()).orders == []
    face.pass_time(60)
    assert isinstance(await face.venue.lookup(odd.order_id), NotFound)


@case(
    209, "with a stop that is refused nothing is transmitted", FLAT, "brackets", "legs"
)
async def _(face: Face, book: Book) -> None:
    exits = bracket(book)[1:]
    legs = bound(ListKind.BRACKET, [book.order(limit=101), *exits])
    entry, profit, loss = legs
    odd = replace(loss, terms=book.terms(side=Side.SELL, stop="97.001"))
    said = await face.venue.submit_list([entry, profit, odd])
    ended = {
        entry.order_id: "canceled",
        profit.order_id: "canceled",
        odd.order_id: "rejected",
    }
    assert hows(said) == ended
    assert (await face.venue.executions_since("")).events == []
    assert (await face.venue.open_orders()).orders == []


async def _torn(face: Face, book: Book, arrived: int) -> list[VenueOrder]:
    """Place a bracket of which so many legs arrive, the entry at the market."""
    exits = bracket(book)[1:]
    orders = bound(ListKind.BRACKET, [book.order(limit=101), *exits])
    face.fault("lost_request", "submit_list", skip=arrived)
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit_list(orders)
    return orders


@case(210, "an entry alone is ended", FLAT, "brackets", "legs", "wire")
async def _(face: Face, book: Book) -> None:
    entry, *exits = await _torn(face, book, 1)
    with pytest.raises(OutcomeUnknown, match="without the rest of its list"):
        await face.venue.lookup(entry.order_id)
    face.pass_time(BOUND_S)
    for each in exits:
        assert isinstance(await face.venue.lookup(each.order_id), NotFound)
    assert await ends(face, [entry]) == ["canceled"]
    assert (await face.venue.executions_since("")).events == []
    assert (await face.venue.open_orders()).orders == []


@case(211, "a bracket without its stop is ended", FLAT, "brackets", "legs", "wire")
async def _(face: Face, book: Book) -> None:
    entry, profit, loss = await _torn(face, book, 2)
    face.pass_time(BOUND_S)
    assert await ends(face, [entry, profit]) == ["canceled", "canceled"]
    assert isinstance(await face.venue.lookup(loss.order_id), NotFound)
    assert (await face.venue.executions_since("")).events == []
    assert (await face.venue.open_orders()).orders == []


@case(
    212,
    "a part of a bracket is ended by another process, too",
    FLAT,
    "brackets",
    "legs",
    "wire",
)
async def _(face: Face, book: Book) -> None:
    entry, *exits = await _torn(face, book, 1)
    await face.restart()
    face.pass_time(BOUND_S)
    assert await ends(face, [entry]) == ["canceled"]
    for each in exits:
        assert isinstance(await face.venue.lookup(each.order_id), NotFound)
    assert (await face.venue.open_orders()).orders == []


@case(213, "a leg of a bracket takes no new terms", FLAT, "brackets", "legs")
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    for each in orders:
        with pytest.raises(VenueRefused) as caught:
            await face.venue.replace(each.order_id, replace(each.terms, quantity=ONE))
        assert caught.value.code == "leg"
    listed = (await face.venue.open_orders()).orders
    assert {each.terms for each in listed} == {each.terms for each in orders}


@case(
    214,
    "an entry that is canceled when a half is filled takes its exits along",
    IN_BY_HALF,
    "brackets",
    "legs",
)
async def _(face: Face, book: Book) -> None:
    orders = bracket(book)
    await face.venue.submit_list(orders)
    await face.market()
    await face.venue.cancel(orders[0].order_id)
    assert await ends(face, orders) == ["canceled"] * 3
    for _ in range(3):
        await face.market()
    assert await fills(face, orders) == [1, 0, 0]


@case(
    215, "to cancel an exit that waits cancels its entry, too", FLAT, "brackets", "legs"
)
async def _(face: Face, book: Book) -> None:
    for leg in (1, 2):
        orders = bracket(book)
        await face.venue.submit_list(orders)
        await face.venue.cancel(orders[leg].order_id)
        assert await ends(face, orders) == ["canceled"] * 3
    assert (await face.venue.open_orders()).orders == []
