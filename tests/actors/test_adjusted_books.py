"""What reconciliation books: adjustments, once, and the trades of other hands."""

from __future__ import annotations

import json

from msgspec.structs import replace

from holdfast_actors.books import Books
from holdfast_actors.clock import HaltGate
from holdfast_actors.guardbook import GuardBook
from holdfast_domain import events as ev

from .desk import D, capital, entries, filled, terms
from .test_books import INSTRUMENTS, adjusted, books_of


def external(instrument: str = "SPY", quantity: int = 3) -> ev.ExternalFilled:
    made = filled("h", terms(quantity), quantity, 10, strategy="external")
    fill = replace(made.fill, instrument=instrument)
    return ev.ExternalFilled(venue="paper", fill=fill)


def test_an_adjustment_goes_to_the_house_and_against_the_venue() -> None:
    books = books_of([capital("one", 100), adjusted("SPY", D(-4))])

    house = books.sub_ledgers()["house"]
    assert house.positions["SPY"].amount == D(-4)
    assert house.cash == {}
    assert books.balances["house/position", "SPY"] == D(-4)
    assert books.balances["venue/paper/adjusted/position", "SPY"] == D(4)
    assert books.sub_ledgers()["one"].positions == {}


def test_cash_is_adjusted_in_its_own_currency() -> None:
    books = books_of([capital("one", 100), adjusted("EUR", D("2.5"))])

    assert books.sub_ledgers()["house"].cash == {"EUR": D("2.5")}
    assert books.sub_ledgers()["one"].cash == {"USD": D(100)}
    assert books.held_at("paper")[1] == {"USD": D(100), "EUR": D("2.5")}


def test_books_that_have_an_adjustment_ignore_it() -> None:
    once = adjusted("SPY", D(5))
    books = books_of([once, once])
    assert books.held_at("paper")[0] == {"SPY": D(5)}
    assert books.adjusted == {"paper/position/SPY": 1}

    books.apply(replace(once, ordinal=1))
    assert books.held_at("paper")[0] == {"SPY": D(10)}


def test_an_external_fill_of_an_unknown_instrument_moves_units_alone() -> None:
    books = books_of([external("GME")])

    assert books.held_at("paper") == ({"GME": D(3)}, {})
    assert books.sub_ledgers()["external"].positions["GME"].cost_basis == D(10)


def test_the_guard_counts_as_the_books_do() -> None:
    records: list[ev.Event] = [
        capital("one", 1_000),
        external(),
        external("GME"),
        adjusted("SPY", D(-2)),
        adjusted("SPY", D(-2)),
        adjusted("USD", D(7)),
    ]
    guard = GuardBook(INSTRUMENTS, HaltGate(), 0)
    for entry in entries(records):
        guard.replay(entry)
    books = books_of(records)

    for name, part in books.sub_ledgers().items():
        account = guard.reservations.accounts[name]
        held = {symbol: each.amount for symbol, each in part.positions.items()}
        assert account.positions == held, name
        assert account.cash == part.cash.get("USD", D(0)), name


def test_adjustments_survive_a_snapshot() -> None:
    books = books_of([adjusted("SPY", D(5)), external()])
    saved = json.loads(json.dumps(books.save()))

    again = Books(INSTRUMENTS, "paper")
    again.load(saved)
    again.apply(adjusted("SPY", D(5)))
    assert again.sub_ledgers() == books.sub_ledgers()
    assert (again.adjusted, again.bookings) == (books.adjusted, {"paper": 1})
