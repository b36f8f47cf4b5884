"""Order lists where the venue judges each leg alone: the adapter keeps them whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import Side
from holdfast_domain.ports import Ended, NotFound, VenueEvent

from .cases import FLAT, case
from .face import Book, Face
from .life import filled
from .lists import TO_LOSS, bound, ends, held, oco
from .wire import BOUND_S


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
