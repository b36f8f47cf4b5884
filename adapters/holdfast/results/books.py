"""What the journal says of orders and fills, gathered for each strategy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from holdfast_domain.cursor import step_of
from holdfast_domain.errors import InputError
from holdfast_domain.events import (
    CapitalAllotted,
    Entry,
    OrderFilled,
    OrderIntended,
    OrderRefused,
)
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO


@attrs.frozen
class Booked:
    """A fill and the step from which it counts."""

    step: int
    fill: Fill


@attrs.define(kw_only=True)
class Book:
    """Capital, orders and fills of one strategy, or of all of them together."""

    capital: Decimal = ZERO
    orders: set[str] = attrs.field(factory=set[str])
    """The ids of all orders that it made, refused ones included."""

    fills: list[Booked] = attrs.field(factory=list[Booked])
    """In the order of the journal."""


@attrs.define(kw_only=True)
class Books:
    """The books of a run: the whole, and each strategy's, in order of appearance."""

    whole: Book = attrs.field(factory=Book)
    strategies: dict[str, Book] = attrs.field(factory=dict[str, Book])
    currencies: set[str] = attrs.field(factory=set[str])
    """Of the capital and of all fees that were charged."""


def books_of(entries: Iterable[Entry]) -> Books:
    """Gather what ``entries`` say; a fill before the first step counts from step 0."""
    books = Books()
    for entry in entries:
        event = entry.event
        match event:
            case OrderFilled():
                _book(books, Booked(max(step_of(entry.cursor), 0), event.fill))
            case OrderIntended() | OrderRefused():
                for book in _both(books, event.strategy):
                    book.orders.add(event.order_id)
            case CapitalAllotted():
                books.currencies.add(event.money.currency)
                for book in _both(books, event.strategy):
                    book.capital += event.money.amount
            case _:
                pass  # the other records change neither money nor counts
    return books


def _book(books: Books, booked: Booked) -> None:
    for book in _both(books, booked.fill.strategy):
        book.fills.append(booked)


def _both(books: Books, strategy: str) -> tuple[Book, Book]:
    return books.whole, books.strategies.setdefault(strategy, Book())


def currency_of(books: Books, instruments: Mapping[str, Instrument]) -> str:
    """Return the one currency in which the run was settled; USD if there is none.

    Raises:
        InputError: what traded, the capital and the fees are in several currencies.
    """
    found = set(books.currencies)
    for fill in (booked.fill for booked in books.whole.fills):
        instrument = instruments[fill.instrument]
        found.add(instrument.currency)
        if fill.fee.amount and not instrument.in_kind(fill.fee):
            found.add(fill.fee.currency)
    if len(found) > 1:
        came = f"several ({', '.join(sorted(found))})"
        todo = "run each currency by itself"
        raise InputError("results", "one currency in the run", came, todo)
    return next(iter(found), "USD")
