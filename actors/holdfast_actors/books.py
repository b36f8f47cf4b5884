"""The books: balances, positions, lots and fees, as a pure projection of the journal.

The ledger, a snapshot and a question about the past are all made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from holdfast_domain.events import (
    BooksAdjusted,
    CapitalAllotted,
    Entry,
    Event,
    ExternalFilled,
    FillBusted,
    FillCorrected,
    OrderFilled,
    StrategyForked,
)
from holdfast_domain.fills import HOUSE, Fill, account_of, postings_of
from holdfast_domain.instruments import Instrument
from holdfast_domain.lots import Lot, Lots
from holdfast_domain.money import ZERO, Currency
from holdfast_domain.positions import FLAT, Position
from holdfast_domain.reconciliation import Subject


@attrs.frozen(kw_only=True)
class SubLedger:
    """What one strategy holds of the account, or ``house``, or ``external``.

    Realised profit is without fees, in the instrument's currency, by both methods:
    ``positions`` has it by average cost, ``lots_realised`` by first in, first out.
    """

    strategy: str
    capital: dict[Currency, Decimal]
    cash: dict[Currency, Decimal]
    positions: dict[str, Position]
    fees: dict[Currency, Decimal]
    lots: dict[str, tuple[Lot, ...]] = attrs.field(factory=dict)
    """Open lots of each instrument, oldest first."""

    lots_realised: dict[str, Decimal] = attrs.field(factory=dict)
    """By instrument, per multiplier of 1."""


@attrs.define
class _Book:
    capital: dict[Currency, Decimal] = attrs.field(factory=dict)
    cash: dict[Currency, Decimal] = attrs.field(factory=dict)
    positions: dict[str, Position] = attrs.field(factory=dict)
    lots: dict[str, Lots] = attrs.field(factory=dict)
    fees: dict[Currency, Decimal] = attrs.field(factory=dict)


_TAKEN = frozenset({
    BooksAdjusted,
    CapitalAllotted,
    ExternalFilled,
    FillBusted,
    FillCorrected,
    StrategyForked,
})  # fmt: skip


class Books:
    """Double entry: the postings of each fill sum to zero for each unit."""

    def __init__(self, instruments: Mapping[str, Instrument], venue: str) -> None:
        """Book at ``venue`` what names no venue of its own."""
        self._instruments = instruments
        self._venue = venue
        self.balances: dict[tuple[str, str], Decimal] = {}
        """By account (such as ``strategy/momentum/cash``) and unit."""

        self.adjusted: dict[str, int] = {}
        """How often each subject, such as ``paper/position/SPY``, was adjusted."""

        self.bookings: dict[str, int] = {}
        """By venue, how many records of trades there were applied."""

        self._books: dict[str, _Book] = {}

    def apply(self, event: Event) -> None:
        """Take one record; those that move no money change nothing."""
        if type(event) is OrderFilled:
            venue = self._venue_of(event.fill.instrument)
            self._count(venue)
            self._fill(event.fill, venue)
        elif type(event) not in _TAKEN:
            return
        elif isinstance(event, FillCorrected | FillBusted):
            self._corrected(event)
        elif isinstance(event, ExternalFilled):
            self._external(event)
        elif isinstance(event, BooksAdjusted):
            self._adjust(event)
        elif isinstance(event, StrategyForked):
            self._fork(event)
        elif isinstance(event, CapitalAllotted):
            book = self._book(event.strategy)
            unit, amount = event.money.currency, event.money.amount
            book.capital[unit] = book.capital.get(unit, ZERO) + amount
            book.cash[unit] = book.cash.get(unit, ZERO) + amount
            self._post(f"{account_of(event.strategy)}/cash", unit, amount)
            self._post("capital", unit, -amount)

    def sub_ledgers(self) -> dict[str, SubLedger]:
        """Return each strategy's part; together they are the account."""
        return {
            name: SubLedger(
                strategy=name,
                capital=dict(book.capital),
                cash=dict(book.cash),
                positions=dict(book.positions),
                fees=dict(book.fees),
                lots={symbol: tuple(each.open) for symbol, each in book.lots.items()},
                lots_realised={
                    symbol: each.realised for symbol, each in book.lots.items()
                },
            )
            for name, book in self._books.items()
        }

    def held_at(self, venue: str) -> tuple[dict[str, Decimal], dict[Currency, Decimal]]:
        """Return the positions and the cash of all sub-ledgers that lie at ``venue``.

        The capital lies at the first venue, as what names no venue of its own does.
        """
        positions: dict[str, Decimal] = {}
        cash: dict[Currency, Decimal] = {}
        mine = f"venue/{venue}/"
        for (account, unit), amount in self.balances.items():
            if account == "capital":
                held = cash if venue == self._venue else {}
            elif not account.startswith(mine):
                continue
            else:
                held = positions if account.endswith("/position") else cash
            held[unit] = held.get(unit, ZERO) - amount
        return positions, cash

    def capital(self) -> dict[Currency, Decimal]:
        """Return what was allotted to strategies, by currency."""
        return {
            unit: -amount
            for (account, unit), amount in self.balances.items()
            if account == "capital"
        }

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        return {
            "balances": [
                [account, unit, str(amount)]
                for (account, unit), amount in self.balances.items()
            ],
            "strategies": {name: _saved(book) for name, book in self._books.items()},
            "adjusted": dict(self.adjusted),
            "bookings": dict(self.bookings),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        self.balances = {
            (account, unit): Decimal(amount)
            for account, unit, amount in saved["balances"]
        }
        self._books = {
            name: _loaded(each) for name, each in saved["strategies"].items()
        }
        self.adjusted = dict(saved.get("adjusted", {}))
        self.bookings = dict(saved.get("bookings", {}))

    def _fill(self, fill: Fill, venue: str) -> None:
        instrument = self._instruments[fill.instrument]
        balances = self.balances
        for leg in postings_of(fill, instrument, venue):
            key = leg.account, leg.unit
            balances[key] = balances.get(key, ZERO) + leg.amount
        book = self._book(fill.strategy)
        traded, price = fill.traded(), fill.price.value
        in_kind = instrument.in_kind(fill.fee)
        _hold(book, fill.instrument, traded - in_kind, price)
        paid = instrument.notional(price, traded)
        cash, unit = book.cash, instrument.currency
        cash[unit] = cash.get(unit, ZERO) - paid
        fee = fill.fee
        book.fees[fee.currency] = book.fees.get(fee.currency, ZERO) + fee.amount
        if fee.amount and not in_kind:
            cash[fee.currency] = cash.get(fee.currency, ZERO) - fee.amount

    def _corrected(self, event: FillCorrected | FillBusted) -> None:
        fills = event.bookings
        if not fills:
            return
        venue = self._venue_of(fills[0].instrument)
        self._count(venue)
        for fill in fills:
            self._fill(fill, venue)

    def _external(self, event: ExternalFilled) -> None:
        """Book what another hand traded; of an instrument unknown here, units alone.

        What it cost is then found as a difference of cash.
        """
        fill = event.fill
        self._count(event.venue)
        if fill.instrument in self._instruments:
            self._fill(fill, event.venue)
            return
        units, against = fill.traded(), f"venue/{event.venue}"
        self._move_units(fill.strategy, fill.instrument, units, against)
        _hold(self._book(fill.strategy), fill.instrument, units, fill.price.value)

    def _adjust(self, event: BooksAdjusted) -> None:
        """Take an adjustment, unless these books have it already."""
        key = f"{event.venue}/{event.subject.value}/{event.unit}"
        if event.ordinal != self.adjusted.get(key, 0):
            return
        self.adjusted[key] = event.ordinal + 1
        book, unit, amount = self._book(HOUSE), event.unit, event.amount
        against = f"venue/{event.venue}/adjusted"
        if event.subject is Subject.CASH:
            book.cash[unit] = book.cash.get(unit, ZERO) + amount
            self._post(f"{HOUSE}/cash", unit, amount)
            self._post(f"{against}/cash", unit, -amount)
            return
        self._move_units(HOUSE, unit, amount, against)
        known = book.positions.get(unit, FLAT).cost_basis
        _hold(book, unit, amount, known if event.price is None else event.price.value)

    def _fork(self, event: StrategyForked) -> None:
        """Have of the capital what was held in its place; it lies at the venue."""
        book, unit = self._book(event.strategy), event.cash.currency
        against = f"venue/{event.venue}/opening"
        spent = book.cash.get(unit, ZERO) - event.cash.amount
        book.cash[unit] = event.cash.amount
        self._post(f"{account_of(event.strategy)}/cash", unit, -spent)
        self._post(f"{against}/cash", unit, spent)
        for each in event.positions:
            symbol, units = each.instrument, each.amount
            self._move_units(event.strategy, symbol, units, against)
            _hold(book, symbol, units, each.cost_basis.value)

    def _move_units(
        self, sub_ledger: str, symbol: str, units: Decimal, against: str
    ) -> None:
        self._post(f"{account_of(sub_ledger)}/position", symbol, units)
        self._post(f"{against}/position", symbol, -units)

    def _venue_of(self, symbol: str) -> str:
        return self._instruments[symbol].venue or self._venue

    def _count(self, venue: str) -> None:
        self.bookings[venue] = self.bookings.get(venue, 0) + 1

    def _book(self, strategy: str) -> _Book:
        book = self._books.get(strategy)
        if book is None:
            book = self._books[strategy] = _Book()
        return book

    def _post(self, account: str, unit: str, amount: Decimal) -> None:
        key = (account, unit)
        self.balances[key] = self.balances.get(key, ZERO) + amount


def _hold(book: _Book, symbol: str, units: Decimal, price: Decimal) -> None:
    """Move ``units`` (signed) into a position, at ``price``."""
    book.positions[symbol] = book.positions.get(symbol, FLAT).after(units, price)
    lots = book.lots.get(symbol)
    if lots is None:
        lots = book.lots[symbol] = Lots()
    lots.trade(units, price)


def books_as_of(
    entries: Iterable[Entry],
    sequence: int,
    instruments: Mapping[str, Instrument],
    venue: str,
) -> Books:
    """Return the books as they were when the record ``sequence`` had been applied.

    ``entries`` begin with the first record of the journal. Reads them up to there.
    """
    books = Books(instruments, venue)
    for entry in entries:
        if entry.sequence > sequence:
            break
        books.apply(entry.event)
    return books


def _saved(book: _Book) -> dict[str, Any]:
    return {
        "capital": _texts(book.capital),
        "cash": _texts(book.cash),
        "fees": _texts(book.fees),
        "positions": {
            symbol: msgspec.to_builtins(held) for symbol, held in book.positions.items()
        },
        "lots": {
            symbol: {
                "realised": str(lots.realised),
                "open": [[str(lot.units), str(lot.price)] for lot in lots.open],
            }
            for symbol, lots in book.lots.items()
        },
    }


def _loaded(saved: dict[str, Any]) -> _Book:
    return _Book(
        capital=_decimals(saved["capital"]),
        cash=_decimals(saved["cash"]),
        fees=_decimals(saved["fees"]),
        positions=msgspec.convert(saved["positions"], dict[str, Position]),
        lots={symbol: _loaded_lots(each) for symbol, each in saved["lots"].items()},
    )


def _loaded_lots(saved: dict[str, Any]) -> Lots:
    made = tuple(Lot(Decimal(units), Decimal(price)) for units, price in saved["open"])
    return Lots(made, Decimal(saved["realised"]))


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {unit: str(amount) for unit, amount in amounts.items()}


def _decimals(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {unit: Decimal(text) for unit, text in texts.items()}
