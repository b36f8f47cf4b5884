"""The stream of user data: it may lie by silence, the list of executions does not."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast_domain.errors import OutcomeUnknown
from holdfast_domain.ports import Acked, Ended, Executed, Replaced

from .cases import FLAT, case
from .face import Book, Face
from .life import DOWN, THIN, filled

CUTS: Final = ("torn_frame", "closed", "terminated")
AFTER_ACK: Final = 2
"""The stream tells balances as well: the fill is its third event."""


def kinds(said: object) -> list[type]:
    assert isinstance(said, list)
    return [type(each) for each in said]


@case(141, "the stream tells the life of an order", THIN, "stream")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=98)
    await face.venue.submit(order)
    await face.venue.replace(order.order_id, book.terms(limit=99))
    await face.market()
    await face.venue.cancel(order.order_id)
    said = await face.hear(4)
    assert kinds(said) == [Acked, Replaced, Executed, Ended]
    assert {each.order_id for each in said} == {order.order_id}


@case(142, "the stream and the list tell the same executions", THIN, "stream")
async def _(face: Face, book: Book) -> None:
    await face.venue.submit(book.order(limit=99))
    for _ in range(3):
        await face.market()
    heard = [each for each in await face.hear(4) if isinstance(each, Executed)]
    listed = (await face.venue.executions_since("")).events
    assert [each.execution_id for each in heard] == [
        each.execution_id for each in listed
    ]
    assert [each.cumulative for each in heard] == [
        each.cumulative for each in listed if isinstance(each, Executed)
    ]


@case(
    143,
    "a fill is told before the answer to its order is lost",
    DOWN,
    "stream",
    "frames",
)
async def _(face: Face, book: Book) -> None:
    order = book.order()
    face.fault("lost_ack", "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    assert kinds(await face.hear(2)) == [Acked, Executed]
    assert await filled(face, order.order_id) == 2


def _cut() -> None:
    for number, kind in enumerate(CUTS, start=144):

        async def play(face: Face, book: Book, *, kind: str = kind) -> None:
            face.fault(kind, "user_stream", skip=AFTER_ACK)
            await face.venue.submit(book.order())
            said = await face.hear(1, holes=1)
            assert Executed not in kinds(said)
            assert len((await face.venue.executions_since("")).events) == 1
            await face.venue.submit(book.order())
            await face.hear(3)

        case(number, f"the stream is cut before a fill: {kind}", FLAT, "stream")(play)


_cut()


@case(147, "an event that never comes is in the list", FLAT, "stream")
async def _(face: Face, book: Book) -> None:
    face.fault("missing", "user_stream", skip=AFTER_ACK)
    await face.venue.submit(book.order())
    await face.venue.submit(book.order())
    assert kinds(await face.hear(3)) == [Acked, Acked, Executed]
    assert len((await face.venue.executions_since("")).events) == 2


@case(148, "an event that comes twice has one id", FLAT, "stream")
async def _(face: Face, book: Book) -> None:
    face.fault("duplicate", "user_stream", skip=AFTER_ACK)
    await face.venue.submit(book.order())
    await face.venue.submit(book.order())
    said = await face.hear(4)
    ids = {each.execution_id for each in said if isinstance(each, Executed)}
    assert len(ids) == 2


@case(149, "fills that come in another order add up", THIN, "stream")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    face.fault("reordered", "user_stream", skip=AFTER_ACK)
    await face.venue.submit(order)
    for _ in range(3):
        await face.market()
    said = await face.hear(4)
    fills = [each for each in said if isinstance(each, Executed)]
    assert max(each.cumulative.value for each in fills) == 2
    assert sum(each.quantity.value for each in fills) == 2


@case(
    150,
    "nonsense on the stream is said, and the rest is heard",
    FLAT,
    "stream",
    "frames",
)
async def _(face: Face, book: Book) -> None:
    face.fault("nonsense", "user_stream", skip=AFTER_ACK)
    await face.venue.submit(book.order())
    assert kinds(await face.hear(2, holes=1)) == [Acked, Executed]


@case(
    151, "a half-open stream tells nothing, and the list does", FLAT, "stream", "frames"
)
async def _(face: Face, book: Book) -> None:
    face.fault("half_open", "user_stream")
    order = book.order()
    await face.venue.submit(order)
    assert await face.hear(0) == []
    assert await filled(face, order.order_id) == 2
