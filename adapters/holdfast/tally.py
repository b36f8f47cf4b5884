"""What a twin has done, by its journal; what marks that it has ended; how many stay."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from holdfast.keeping import worth
from holdfast_actors.books import Books
from holdfast_actors.parts import Parts
from holdfast_adapters.files import written_whole
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import OrderFilled, OrderIntended
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO

KEPT = 5
"""Twins of a venue whose files stay, as many as there are backups of a state."""

ENDED = "ended.json"


class Tally:
    """Counts what a journal has; each look reads only what came since the last."""

    def __init__(
        self, instruments: Mapping[str, Instrument], venue: str, journal: Path
    ) -> None:
        """``venue`` is where instruments trade that name none."""
        self._journal = journal
        self._books = Books(instruments, venue)
        self._read = 0
        self.orders = 0
        """Those that passed the twin's guard, and were not there at the fork."""

        self.fills = 0

    def catch_up(self) -> None:
        """Take what is durable now; blocks."""
        if not self._journal.exists():
            return
        store = SqliteJournal(self._journal, 0, read_only=True)
        with contextlib.closing(store):
            for entry in store.read(self._read):
                event = entry.event
                self._books.apply(event)
                self.orders += isinstance(event, OrderIntended) and event.decision > 0
                self.fills += isinstance(event, OrderFilled)
                self._read = entry.sequence

    def profit(self, parts: Parts) -> tuple[Decimal, str]:
        """Return what was won since the fork, by the last prices, and its currency."""
        ledgers, capital = self._books.sub_ledgers(), self._books.capital()
        won = worth(ledgers, parts) - sum(capital.values(), ZERO)
        return won, next(iter(capital), "")

    def told(self, parts: Parts) -> dict[str, Any]:
        """Return it as JSON-able values; decimals as texts."""
        won, unit = self.profit(parts)
        return {
            "orders": self.orders,
            "fills": self.fills,
            "profit_and_loss": str(won),
            "currency": unit,
        }

    def words(self, parts: Parts) -> str:
        """Return it for people."""
        won, unit = self.profit(parts)
        orders = "1 order" if self.orders == 1 else f"{self.orders} orders"
        fills = "1 fill" if self.fills == 1 else f"{self.fills} fills"
        return f"{orders}, {fills}, profit {won:.2f} {unit}".rstrip()


def ended_at(path: Path) -> bool:
    """Tell whether the twin in that directory has ended for good."""
    return (path / ENDED).exists()


def mark_ended(path: Path, told: Mapping[str, Any]) -> None:
    """Write that the twin has ended, and what it did: no start goes on with it."""
    with written_whole(path / ENDED) as file:
        json.dump(dict(told), file, indent=1)


def forget_old(folder: Path, venue: str) -> None:
    """Remove the oldest twins of a venue, but for those that are kept."""
    found = [
        (int(number), each)
        for each in folder.glob(f"{venue}-*")
        if (number := each.name.removeprefix(f"{venue}-")).isdecimal()
    ]
    for _, each in sorted(found)[:-KEPT]:
        with contextlib.suppress(OSError):
            shutil.rmtree(each)
