"""The ledger: every balance, as a projection of the committed fills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import assert_never

from holdfast_actors.books import Books, SubLedger, books_as_of
from holdfast_actors.messages import Committed, Report
from holdfast_actors.reconciliation.messages import AskBooks, BooksView
from holdfast_actors.replaying import replay
from holdfast_domain.events import Entry
from holdfast_domain.instruments import Instrument


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
        read: Callable[[], Iterable[Entry]] = tuple,
    ) -> None:
        """Replay ``history``; ``path`` is the ledger's place in the tree.

        ``read`` gives the whole journal, for `as_of`.
        """
        self._instruments = instruments
        self._venue = venue
        self._read = read
        self._books = Books(instruments, venue)
        self._applied = replay(history, self._apply, path, self._books.load)

    @property
    def balances(self) -> dict[tuple[str, str], Decimal]:
        """Every balance by account and unit."""
        return self._books.balances

    def handle(self, message: Committed | Report | AskBooks) -> object:
        """Dispatch one message; every kind is named here."""
        match message:
            case Committed(entry):
                if entry.sequence > self._applied:
                    self._apply(entry)
                    self._applied = entry.sequence
            case Report():
                return self.sub_ledgers()
            case AskBooks():
                message.to.tell(self._view(message))
            case _:
                assert_never(message)
        return None

    def sub_ledgers(self) -> dict[str, SubLedger]:
        """Return each strategy's part; together they are the account."""
        return self._books.sub_ledgers()

    def as_of(self, sequence: int) -> Books:
        """Return the books as they were after the record ``sequence``.

        Reads the journal from its beginning, so it takes some seconds for a million
        records: it is for a person's question, and for tests.
        """
        return books_as_of(self._read(), sequence, self._instruments, self._venue)

    def _view(self, message: AskBooks) -> BooksView:
        """Return what lies at a venue, as of the last record that was applied."""
        books = self._books
        positions, cash = books.held_at(message.venue)
        return BooksView(
            message.number,
            self._applied,
            books.bookings.get(message.venue, 0),
            positions,
            cash,
            books.capital(),
            dict(books.adjusted),
        )

    def _apply(self, entry: Entry) -> None:
        self._books.apply(entry.event)


__all__ = ["Ledger", "SubLedger"]
