"""Keeping an order book whole: updates are held back until a snapshot fits them."""

from __future__ import annotations

from collections import deque

import attrs

from holdfast_domain.book import BookSnapshot, BookUpdate, OrderBook

HELD_MAX = 10_000
"""How many updates are held; a snapshot that takes longer is asked for again."""


@attrs.define
class BookKeeper:
    """Feeds a book with updates and snapshots in whatever order they come.

    It starts as a venue's instructions have it (Binance, "How to manage a local order
    book correctly"): hold updates, take a snapshot, pass over what it holds already,
    apply the rest if the first of them follows. Whenever the book is invalid,
    `wants_snapshot` is True until one fits; whoever owns the keeper asks for it.
    """

    book: OrderBook
    rebuilt: int = attrs.field(default=0, init=False)
    """How often a snapshot made the book whole."""
    _held: deque[tuple[BookUpdate, float]] = attrs.field(factory=deque, init=False)

    @property
    def wants_snapshot(self) -> bool:
        """Whether a snapshot is needed, which is newer than what is held."""
        return self.book.why_invalid is not None

    def update(self, update: BookUpdate, received_s: float) -> None:
        """Take an update from the stream."""
        self.book.update(update, received_s)
        if self.wants_snapshot:
            self._held.append((update, received_s))
            if len(self._held) > HELD_MAX:
                self._held.popleft()

    def snapshot(self, snapshot: BookSnapshot, received_s: float) -> None:
        """Take a snapshot; one that is older than what is held does not help."""
        self.book.reset(snapshot, received_s)
        held, self._held = self._held, deque()
        for update, at_s in held:
            self.book.update(update, at_s)
            if self.wants_snapshot:
                self._held.append((update, at_s))
        self.rebuilt += not self.wants_snapshot

    def broken(self, why: str) -> None:
        """Take it that updates are missing: a gap, a drop, a lost connection."""
        self.book.invalidate(why)
        self._held.clear()
