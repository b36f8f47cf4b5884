"""Faults of the wire: what became of a request is never guessed, nothing is twice."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast_domain.errors import (
    NotSent,
    OutcomeUnknown,
    VenueError,
    VenueRefused,
)
from holdfast_domain.ports import Acked, Found, NotFound

from .cases import FLAT, case
from .face import Book, Face
from .life import DOWN, filled, found

NOT_DONE: Final = (
    "lost_request",
    "reset",
    "error_500",
    "error_503",
    "timeout_1007",
    "busy",
    "maintenance",
    "garbage",
    "unreadable_400",
)
DONE: Final = (
    "lost_ack",
    "reset_after",
    "torn_ack",
    "error_500_after",
    "error_503_after",
    "garbage_after",
    "strange_status",
)
SOCKET: Final = ("lost_request", "reset", "lost_ack", "reset_after", "torn_ack")
"""What happens to any connection; all else is said by HTTP."""

UNREAD: Final = ("limited", "banned", "too_many_orders", "clock_skew")
REFUSED: Final = {"expired_key": "-2015", "firewall": "403"}
BOUND_S: Final = 60.0
"""Longer than any venue's processing bound, and than any pause that it asks for."""


def needs(kind: str) -> tuple[str, ...]:
    """What a venue must be able to for a fault to happen to it."""
    return ("wire",) if kind in SOCKET else ("wire", "http")


async def in_doubt(face: Face, book: Book, kind: str, *, done: bool) -> None:
    """Submit into a fault; the outcome is unknown, and a lookup tells it."""
    order = book.order(limit=90)
    face.fault(kind, "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    face.pass_time(BOUND_S)
    answer = await face.venue.lookup(order.order_id)
    assert isinstance(answer, Found if done else NotFound)
    if not done:  # proven absent: the same order may go out under the same id
        assert isinstance((await face.venue.submit(order))[0], Acked)


def _submits() -> None:
    for number, kind in enumerate((*NOT_DONE, *DONE), start=61):
        done = kind in DONE

        async def play(
            face: Face, book: Book, *, kind: str = kind, done: bool = done
        ) -> None:
            await in_doubt(face, book, kind, done=done)

        case(number, f"a submit meets {kind}", FLAT, *needs(kind))(play)


async def canceled_in_doubt(face: Face, book: Book, kind: str, *, done: bool) -> None:
    """Cancel into a fault; the order is as the venue has it, and nothing else."""
    order = book.order(limit=90)
    await face.venue.submit(order)
    face.fault(kind, "cancel")
    with pytest.raises(OutcomeUnknown):
        await face.venue.cancel(order.order_id)
    face.pass_time(BOUND_S)
    working = (await face.venue.open_orders()).orders
    assert len(working) == (not done)
    if not done:
        await face.venue.cancel(order.order_id)


def _cancels() -> None:
    for number, kind in enumerate((*NOT_DONE, *DONE), start=81):
        done = kind in DONE

        async def play(
            face: Face, book: Book, *, kind: str = kind, done: bool = done
        ) -> None:
            await canceled_in_doubt(face, book, kind, done=done)

        case(number, f"a cancel meets {kind}", FLAT, *needs(kind))(play)


async def changed_in_doubt(face: Face, book: Book, kind: str, *, done: bool) -> None:
    """Replace into a fault; one of both terms holds, and the lookup says which."""
    order, new = book.order(limit=90), book.terms(3, limit=91)
    await face.venue.submit(order)
    face.fault(kind, "replace")
    with pytest.raises(OutcomeUnknown):
        await face.venue.replace(order.order_id, new)
    face.pass_time(BOUND_S)
    terms = (await found(face, order.order_id)).terms
    assert terms == (new if done else order.terms)
    await face.venue.cancel(order.order_id)


def _changes() -> None:
    for number, kind in enumerate((*NOT_DONE, *DONE), start=101):
        done = kind in DONE

        async def play(
            face: Face, book: Book, *, kind: str = kind, done: bool = done
        ) -> None:
            await changed_in_doubt(face, book, kind, done=done)

        case(number, f"new terms meet {kind}", FLAT, *needs(kind))(play)


def _unread() -> None:
    for number, kind in enumerate((*UNREAD, *REFUSED), start=121):

        async def play(face: Face, book: Book, *, kind: str = kind) -> None:
            order = book.order(limit=90)
            face.fault(kind, "submit")
            wanted: type[VenueError] = VenueRefused if kind in REFUSED else NotSent
            with pytest.raises(wanted) as caught:
                await face.venue.submit(order)
            if isinstance(caught.value, VenueRefused):
                assert caught.value.code == REFUSED[kind]
            elif kind != "clock_skew":
                assert caught.value.retry_after_s > 0
            face.pass_time(BOUND_S)
            assert isinstance(await face.venue.lookup(order.order_id), NotFound)

        case(number, f"a submit is turned away: {kind}", FLAT, "wire", "http")(play)


_submits()
_cancels()
_changes()
_unread()


@case(131, "a request that is cut was taken", FLAT, "wire")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    face.fault("held_ack", "submit")
    await face.cut(order)
    face.pass_time(BOUND_S)
    assert isinstance(await face.venue.lookup(order.order_id), Found)


@case(132, "a request that is cut was not taken", FLAT, "wire")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    face.fault("held", "submit")
    await face.cut(order)
    face.pass_time(BOUND_S)
    assert isinstance(await face.venue.lookup(order.order_id), NotFound)


@case(
    133, "an order whose acknowledgement is lost fills, and is told once", DOWN, "wire"
)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    face.fault("lost_ack", "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    await face.market()
    face.pass_time(BOUND_S)
    assert await filled(face, order.order_id) == 2


@case(134, "a lost acknowledgement, and then a restart", DOWN, "wire")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    face.fault("lost_ack", "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    await face.restart()
    await face.market()
    face.pass_time(BOUND_S)
    assert await filled(face, order.order_id) == 2
    (executed,) = (await face.venue.executions_since("")).events
    assert executed.order_id == order.order_id


@case(135, "a cancel comes too late: the order is filled", DOWN, "wire")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    await face.market()
    with pytest.raises(VenueRefused):
        await face.venue.cancel(order.order_id)
    assert await filled(face, order.order_id) == 2


@case(136, "a cancel of an order whose acknowledgement is lost", FLAT, "wire")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    face.fault("lost_ack", "submit")
    with pytest.raises(OutcomeUnknown):
        await face.venue.submit(order)
    await face.venue.cancel(order.order_id)
    assert (await face.venue.open_orders()).orders == []


@case(137, "new terms are in doubt, and then a restart", FLAT, "wire")
async def _(face: Face, book: Book) -> None:
    order, new = book.order(limit=90), book.terms(3, limit=91)
    await face.venue.submit(order)
    face.fault("lost_ack", "replace")
    with pytest.raises(OutcomeUnknown):
        await face.venue.replace(order.order_id, new)
    await face.restart()
    face.pass_time(BOUND_S)
    assert (await found(face, order.order_id)).terms == new
    await face.venue.cancel(order.order_id)


@case(138, "questions survive a venue that fails for a while", FLAT, "wire", "http")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    for kind in ("lost_request", "error_500", "garbage", "reset"):
        face.fault(kind, "order")
    assert isinstance(await face.venue.lookup(order.order_id), Found)


@case(139, "a question that is never answered is no answer", FLAT, "wire")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    face.fault("lost_request", "order", count=5)
    with pytest.raises(OutcomeUnknown):
        await face.venue.lookup(order.order_id)
