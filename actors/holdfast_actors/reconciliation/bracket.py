"""One bracket: both sides are asked so that their answers are of one moment.

Executions until quiet, then what `orders` and the ledger have, then the venue's open
orders, positions and cash, then executions and our own side again. It counts only if
nothing moved in between.

A bracket is a generator: it gives a question and takes its answer, so it reads as it
is played, and can be left where it stands.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Any, Final, TypeAlias

import attrs

from holdfast_actors.reconciliation.comparing import There
from holdfast_actors.reconciliation.messages import (
    AskBooks,
    AskOrders,
    AskVenue,
    BooksView,
    OrdersView,
    Question,
)
from holdfast_domain.ports import (
    Balances,
    Executions,
    OpenOrders,
    Positions,
    VenuePosition,
)
from holdfast_runtime import Ref

QUIET_MAX: Final = 10
"""How often executions are asked for until two answers are the same."""


class Unquiet(Exception):
    """Both sides were asked, and something moved meanwhile."""


@attrs.frozen(kw_only=True)
class Seen:
    """Both sides at one moment."""

    there: There
    orders: OrdersView
    books: BooksView
    watermark: str
    """The venue's word for the moment; or its last execution."""

    next_watermark: str
    """From where the next bracket may ask for executions."""

    held: dict[str, VenuePosition]


Ask: TypeAlias = AskVenue | AskOrders | AskBooks
Bracket: TypeAlias = Generator[Ask, Any, Seen]
"""Gives questions, whose numbers are whoever asks' to set, and takes answers."""


def bracket(venue: str, to: Ref[Any], since: str | None = None) -> Bracket:
    """Ask both sides about the account at ``venue``; return what was seen.

    ``since`` is from where executions are asked for; None: from where `orders` would.

    Raises:
        Unquiet: something moved, or is not booked yet.
    """
    first: OrdersView = yield AskOrders(0, venue, (), (), to)
    since = first.watermark if since is None else since
    listed: Executions = yield _ask(venue, Question.EXECUTIONS, to, since)
    for _ in range(QUIET_MAX):
        again: Executions = yield _ask(venue, Question.EXECUTIONS, to, since)
        if list(again.events) == list(listed.events):
            break
        listed = again
    else:
        raise Unquiet("the venue's executions do not come to an end")
    events = tuple(listed.events)
    before: BooksView = yield AskBooks(0, venue, to)
    working: OpenOrders = yield _ask(venue, Question.OPEN_ORDERS, to)
    positions: Positions = yield _ask(venue, Question.POSITIONS, to)
    balances: Balances = yield _ask(venue, Question.BALANCES, to)
    last: Executions = yield _ask(venue, Question.EXECUTIONS, to, since)
    if list(last.events) != list(listed.events):
        raise Unquiet("the venue executed something meanwhile")
    names = tuple(each.order_id for each in working.orders if each.order_id)
    orders: OrdersView = yield AskOrders(0, venue, events, names, to)
    books: BooksView = yield AskBooks(0, venue, to)
    _check(before, orders, books)
    return Seen(
        there=There(
            positions={p.instrument: p.quantity for p in positions.positions},
            cash=_cash(balances),
            orders=working.orders,
            executions=events,
        ),
        orders=orders,
        books=books,
        watermark=_watermark(positions, last),
        next_watermark=last.watermark,
        held={p.instrument: p for p in positions.positions},
    )


def _ask(venue: str, question: Question, to: Ref[Any], watermark: str = "") -> AskVenue:
    return AskVenue(0, venue, question, watermark, to)


def _check(before: BooksView, orders: OrdersView, books: BooksView) -> None:
    """See that our own side stood still, and has all that the venue lists."""
    if orders.unbooked:
        raise Unquiet(f"execution {orders.unbooked[0]} is not booked")
    if books.bookings != orders.bookings:
        behind = orders.bookings - books.bookings
        raise Unquiet(f"the ledger is {behind} bookings behind")
    if books.bookings != before.bookings:
        raise Unquiet("something was booked meanwhile")


def _cash(balances: Balances) -> dict[str, Decimal]:
    return {each.currency: each.total.amount for each in balances.balances}


def _watermark(positions: Positions, last: Executions) -> str:
    """Return the venue's word for the moment; or where its executions have come to."""
    if positions.watermark:
        return positions.watermark
    if last.events:
        return last.events[-1].execution_id
    return last.watermark
