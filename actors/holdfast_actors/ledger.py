"""The ledger: every balance, as a projection of the committed fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import assert_never

import attrs

from holdfast_actors.messages import Committed, Report
from holdfast_actors.replaying import replay
from holdfast_domain.events import CapitalAllotted, Entry, OrderFilled
from holdfast_domain.fills import Fill, postings_of
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Currency
from holdfast_domain.positions import FLAT, Position


@attrs.frozen(kw_only=True)
class SubLedger:
    """What one strategy holds of the account."""

    strategy: str
    capital: dict[Currency, Decimal]
    cash: dict[Currency, Decimal]
    positions: dict[str, Position]
    fees: dict[Currency, Decimal]


@attrs.define
class _Book:
    capital: dict[Currency, Decimal] = attrs.field(factory=dict)
    positions: dict[str, Position] = attrs.field(factory=dict)
    fees: dict[Currency, Decimal] = attrs.field(factory=dict)


class Ledger:
    """Double entry: the postings of each fill sum to zero for each unit.

    Holds nothing that the journal does not: a restart is a replay.
    """

    def __init__(
        self,
        *,
        history: Iterable[Entry],
        instruments: Mapping[str, Instrument],
        venue: str,
        path: str = "",
    ) -> None:
        """Replay ``history``; ``path`` is the ledger's place in the tree."""
        self._instruments = instruments
        self._venue = venue
        self.balances: dict[tuple[str, str], Decimal] = {}
        self._books: dict[str, _Book] = {}
        self._applied = replay(history, self._apply, path)

    def handle(self, message: Committed | Report) -> object:
        """Dispatch one message; every kind is named here."""
        match message:
            case Committed(entry):
                if entry.sequence > self._applied:
                    self._apply(entry)
                    self._applied = entry.sequence
            case Report():
                return self.sub_ledgers()
            case _:
                assert_never(message)
        return None

    def sub_ledgers(self) -> dict[str, SubLedger]:
        """Return each strategy's part; together they are the account."""
        return {
            name: SubLedger(
                strategy=name,
                capital=dict(book.capital),
                cash=self._cash(name),
                positions=dict(book.positions),
                fees=dict(book.fees),
            )
            for name, book in self._books.items()
        }

    def _cash(self, strategy: str) -> dict[Currency, Decimal]:
        account = f"strategy/{strategy}/cash"
        return {
            unit: amount
            for (name, unit), amount in self.balances.items()
            if name == account
        }

    def _apply(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, OrderFilled):
            self._fill(event.fill)
        elif isinstance(event, CapitalAllotted):
            book = self._books.setdefault(event.strategy, _Book())
            money = event.money
            book.capital[money.currency] = money.amount
            self._post(f"strategy/{event.strategy}/cash", money.currency, money.amount)
            self._post("capital", money.currency, -money.amount)

    def _fill(self, fill: Fill) -> None:
        instrument = self._instruments[fill.instrument]
        balances = self.balances
        for leg in postings_of(fill, instrument, self._venue):
            key = leg.account, leg.unit
            balances[key] = balances.get(key, ZERO) + leg.amount
        book = self._books.get(fill.strategy)
        if book is None:
            book = self._books[fill.strategy] = _Book()
        held = book.positions.get(fill.instrument, FLAT)
        units = fill.quantity.value * fill.side.sign
        book.positions[fill.instrument] = held.after(units, fill.price.value)
        fees = book.fees
        fees[fill.fee.currency] = fees.get(fill.fee.currency, ZERO) + fill.fee.amount

    def _post(self, account: str, unit: str, amount: Decimal) -> None:
        key = (account, unit)
        self.balances[key] = self.balances.get(key, ZERO) + amount
