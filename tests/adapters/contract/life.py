"""The whole life of each type of order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

from holdfast_domain.errors import VenueRefused
from holdfast_domain.money import ZERO
from holdfast_domain.orders import Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, Found, Replaced, VenueEvent

from .cases import FLAT, case
from .face import Book, Face

DOWN = [(100, 1000), (99, 1000), (98, 1000), (97, 1000)]
UP = [(100, 1000), (101, 1000), (102, 1000), (103, 1000)]
THIN = [(100, 1000), (99, "0.5"), (99, "0.7"), (99, 1000), (99, 1000)]
FALL = [(100, 1000), (97, 1000)]
PAUSE = [(100, 1000), (101, 1000), (100, 1000), (100, 1000)]


async def found(face: Face, order_id: str) -> Found:
    answer = await face.venue.lookup(order_id)
    assert isinstance(answer, Found), answer
    return answer


async def filled(face: Face, order_id: str) -> Decimal:
    """How much of an order is filled, by the venue's own word."""
    cumulative = (await found(face, order_id)).cumulative
    assert cumulative is not None
    return cumulative.value


async def prices(face: Face, order_id: str) -> list[Decimal]:
    events = (await found(face, order_id)).events
    return [each.price.value for each in events if isinstance(each, Executed)]


def ended(said: Sequence[VenueEvent]) -> Ended:
    (last,) = (each for each in said if isinstance(each, Ended))
    return last


async def came(face: Face, order_id: str, said: Sequence[VenueEvent]) -> list[type]:
    """What came of a request at once; of a venue that tells it later, by its story."""
    if "answers" not in face.can:
        said = (await found(face, order_id)).events
        return [type(each) for each in said if not isinstance(each, Replaced)]
    return [type(each) for each in said]


@case(1, "a limit that does not cross rests")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    (acked,) = await face.venue.submit(order)
    assert isinstance(acked, Acked)
    assert acked.order_id == order.order_id
    (resting,) = (await face.venue.open_orders()).orders
    assert resting.order_id == order.order_id
    assert resting.terms == order.terms
    assert await filled(face, order.order_id) == ZERO


@case(2, "a limit that crosses fills at once, at the better price")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=101)
    said = await face.venue.submit(order)
    assert await came(face, order.order_id, said) == [Acked, Executed]
    assert await prices(face, order.order_id) == [Decimal(100)]


@case(3, "a market order fills at once")
async def _(face: Face, book: Book) -> None:
    order = book.order()
    said = await face.venue.submit(order)
    assert await came(face, order.order_id, said) == [Acked, Executed]
    assert await filled(face, order.order_id) == Decimal(2)


@case(4, "a resting buy fills when the market comes down to it", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=98)
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(98)]


@case(5, "a resting sell fills when the market comes up to it", UP)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=102, side=Side.SELL)
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(102)]


@case(6, "an order fills in parts, and each part says what was before it", THIN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    sums = []
    for _ in range(3):
        await face.market()
        sums.append(await filled(face, order.order_id))
    assert sums == [Decimal("0.5"), Decimal("1.2"), Decimal(2)]


@case(7, "the rest of a partly filled order is canceled", THIN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    await face.market()
    end = ended(await face.venue.cancel(order.order_id))
    assert end.how == "canceled"
    assert end.cumulative is None or end.cumulative.value == Decimal("0.5")
    await face.market()
    assert await filled(face, order.order_id) == Decimal("0.5")


@case(8, "a resting order is canceled, and the market passes it by", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    assert ended(await face.venue.cancel(order.order_id)).how == "canceled"
    await face.market()
    assert await filled(face, order.order_id) == ZERO


@case(9, "new terms hold from now on, and the old ones do not", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    new = book.terms(limit=98)
    assert await face.venue.replace(order.order_id, new) == [
        Replaced(order_id=order.order_id, terms=new)
    ]
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(98)]


@case(10, "new terms may cross, and fill at once")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    said = await face.venue.replace(order.order_id, book.terms(limit=100))
    assert isinstance(said[0], Replaced)
    assert Executed in await came(face, order.order_id, said)


@case(11, "new terms change how much is wanted", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99)
    await face.venue.submit(order)
    await face.venue.replace(order.order_id, book.terms(3, limit=99))
    await face.market()
    assert await filled(face, order.order_id) == Decimal(3)


@case(12, "an order takes new terms again and again, and is canceled under its id")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=90)
    await face.venue.submit(order)
    for price in (91, 92, 93):
        await face.venue.replace(order.order_id, book.terms(limit=price))
    terms = (await found(face, order.order_id)).terms
    assert terms == book.terms(limit=93)
    assert ended(await face.venue.cancel(order.order_id)).how == "canceled"


@case(13, "a buy stop waits for the market to rise to it", UP)
async def _(face: Face, book: Book) -> None:
    order = book.order(stop=102)
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(102)]


@case(14, "a sell stop waits for the market to fall to it", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(stop=98, side=Side.SELL)
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(98)]


@case(15, "a stop that is not reached is canceled", UP)
async def _(face: Face, book: Book) -> None:
    order = book.order(stop=110)
    await face.venue.submit(order)
    await face.market()
    assert ended(await face.venue.cancel(order.order_id)).how == "canceled"


@case(16, "a stop-limit fills within its limit once it is reached", UP)
async def _(face: Face, book: Book) -> None:
    order = book.order(stop=101, limit=105)
    await face.venue.submit(order)
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(101)]


@case(17, "a stop-limit that was reached rests at its limit", PAUSE)
async def _(face: Face, book: Book) -> None:
    order = book.order(stop=101, limit=100)
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == ZERO
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(100)]


@case(18, "what an IOC cannot have at once is gone", DOWN)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99, time_in_force=TimeInForce.IOC)
    said = await face.venue.submit(order)
    assert await came(face, order.order_id, said) == [Acked, Ended]
    await face.market()
    assert await filled(face, order.order_id) == ZERO


@case(19, "an IOC takes what is there, and ends", [(100, "0.5"), (100, 1000)])
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=100, time_in_force=TimeInForce.IOC)
    said = await face.venue.submit(order)
    assert await came(face, order.order_id, said) == [Acked, Executed, Ended]
    await face.market()
    assert await filled(face, order.order_id) == Decimal("0.5")


@case(20, "a FOK that cannot have all has nothing", [(100, "1.999"), (100, 1000)])
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=100, time_in_force=TimeInForce.FOK)
    said = await face.venue.submit(order)
    assert await came(face, order.order_id, said) == [Acked, Ended]
    assert await filled(face, order.order_id) == ZERO


@case(21, "a FOK that can have all has it", [(100, 2)])
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=100, time_in_force=TimeInForce.FOK)
    said = await face.venue.submit(order)
    assert await came(face, order.order_id, said) == [Acked, Executed]


@case(22, "who came first at a price is filled first", THIN)
async def _(face: Face, book: Book) -> None:
    first, second = book.order("0.5", limit=99), book.order("0.5", limit=99)
    await face.venue.submit(first)
    await face.venue.submit(second)
    await face.market()
    assert await filled(face, first.order_id) == Decimal("0.5")
    assert await filled(face, second.order_id) == ZERO


@case(23, "digits are kept as they are", [(100, 1000), ("99.99", 1000)])
async def _(face: Face, book: Book) -> None:
    order = book.order("1.234", limit="99.99")
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == Decimal("1.234")
    assert await prices(face, order.order_id) == [Decimal("99.99")]


@case(24, "what is held and what it cost add up", DOWN)
async def _(face: Face, book: Book) -> None:
    before = {
        b.currency: b.total.amount for b in (await face.venue.balances()).balances
    }
    held = {p.instrument: p.quantity for p in (await face.venue.positions()).positions}
    await face.venue.submit(book.order(3))
    await face.market()
    await face.venue.submit(book.order(1, side=Side.SELL))
    said = (await face.venue.executions_since("")).events
    fees = [each.fee for each in said if isinstance(each, Executed)]
    dollars = sum((each.amount for each in fees if each.currency == "USD"), ZERO)
    coins = sum((each.amount for each in fees if each.currency != "USD"), ZERO)
    after = {b.currency: b.total.amount for b in (await face.venue.balances()).balances}
    holds = {p.instrument: p.quantity for p in (await face.venue.positions()).positions}
    paid = face.units * (3 * 100 - 99)
    assert before["USD"] - after["USD"] == paid + dollars
    gained = holds[face.symbol] - held.get(face.symbol, ZERO)
    assert gained == 2 - coins


@case(
    26,
    "a post-only order fills at its own price, however far it is passed",
    FALL,
    "posts",
)
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99, post_only=True)
    assert [type(each) for each in await face.venue.submit(order)] == [Acked]
    assert (await found(face, order.order_id)).terms == order.terms
    await face.market()
    assert await prices(face, order.order_id) == [Decimal(99)]


@case(27, "new terms of a post-only order that would cross fill nothing", FLAT, "posts")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99, post_only=True)
    await face.venue.submit(order)
    crossing = book.terms(limit=100, post_only=True)
    with suppress(VenueRefused):
        await face.venue.replace(order.order_id, crossing)
    face.pass_time(60)
    assert await filled(face, order.order_id) == ZERO


@case(25, "a DAY order rests until its session ends", DOWN, "sessions")
async def _(face: Face, book: Book) -> None:
    order = book.order(limit=99, time_in_force=TimeInForce.DAY)
    await face.venue.submit(order)
    await face.market()
    assert await filled(face, order.order_id) == Decimal(2)
