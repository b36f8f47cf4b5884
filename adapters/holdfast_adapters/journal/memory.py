"""A journal in memory, for backtests and tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from holdfast_domain.errors import JournalError
from holdfast_domain.events import Entry


class MemoryJournal:
    """A `JournalStore` that keeps the entries themselves.

    What it holds outlives `close`, so that a second engine can start on it.
    """

    def __init__(self, engine: int = 0) -> None:
        """Start empty; ``engine`` is the identity that a file would hold."""
        self.engine = engine
        self.epoch_floor = 0
        self._entries: list[Entry] = []

    @property
    def last_sequence(self) -> int:
        """The sequence of the last record; 0 when there is none."""
        return len(self._entries)

    def append(self, batch: Sequence[Entry]) -> None:
        """Keep ``batch``, all or nothing.

        Raises:
            JournalError: if the sequences do not follow the last one.
        """
        check_follows(batch, len(self._entries))
        self._entries.extend(batch)

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Yield the entries with a sequence above ``after``, in order."""
        return islice(self._entries, after, None)

    def hash_of(self, sequence: int) -> str:
        """Return what stands for a record's hash; empty if it is not there."""
        return f"{sequence:x}" if 0 <= sequence <= len(self._entries) else ""

    def close(self) -> None:
        """Do nothing; the entries stay."""


def check_follows(batch: Sequence[Entry], last: int) -> None:
    """Return if the sequences of ``batch`` go on from ``last`` without a gap.

    Raises:
        JournalError: if they do not; the caller has miscounted.
    """
    for entry in batch:
        last += 1
        if entry.sequence != last:
            message = f"expected sequence {last}, got {entry.sequence}"
            raise JournalError(message)
