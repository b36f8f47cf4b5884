"""Which executions are booked, and from where the venue is asked for more: pure.

A fill is booked once, whichever of its sources brings it, and however late: the ids
are kept for ever. The fills themselves are kept for as long as a venue may correct
them.
"""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from holdfast_domain.fills import Fill
from holdfast_domain.order_events import FillBusted

CORRECTABLE = 4_096
"""The newest fills, at least so many, can be corrected; an older one by a person."""


@attrs.frozen(kw_only=True)
class SavedExecutions:
    """What must outlive a compaction of the journal, so that no fill is booked twice.

    A snapshot keeps it; `Executions.saved` gives it, and `Executions` begins with it.
    """

    ids: tuple[str, ...] = ()
    """The venue's ids of all that was booked, corrections and busts too; in order."""

    fills: tuple[Fill, ...] = ()
    """The newest, as they are booked now; the oldest first."""

    watermark: str = ""


class Executions:
    """The venue's ids of what was booked."""

    __slots__ = ("_fills", "_older", "bookings", "ids", "watermark")

    def __init__(self, saved: SavedExecutions | None = None, bookings: int = 0) -> None:
        saved = saved or SavedExecutions()
        self.ids = dict.fromkeys(saved.ids)
        """Of executions, corrections and busts; in their order, so no set."""

        self._fills = {fill.execution_id: fill for fill in saved.fills}
        self._older: dict[str, Fill] = {}
        self.watermark = saved.watermark
        """From where the venue is asked for more."""

        self.bookings = bookings
        """How many records of fills were taken; the books count the same."""

    def add(self, fill: Fill) -> None:
        """Count ``fill`` as booked."""
        name = fill.execution_id
        self.ids[name] = None
        self._fills[name] = fill
        self.bookings += 1
        if len(self._fills) > CORRECTABLE:
            self._older, self._fills = self._fills, {}

    def fill_of(self, execution_id: str) -> Fill | None:
        """Return a fill as it is booked now; None if it is not, or too old."""
        return self._fills.get(execution_id) or self._older.get(execution_id)

    def correct(self, correction_id: str, was: Fill, now: Fill) -> None:
        """Count a correction as booked, or as known where it changes nothing."""
        self.ids[correction_id] = None
        self._older.pop(now.execution_id, None)
        self._fills[now.execution_id] = now
        self.bookings += was != now

    def bust(self, event: FillBusted) -> None:
        """Count a bust as booked; what it takes back is never booked (again)."""
        execution_id = event.execution_id
        self.ids[event.correction_id] = self.ids[execution_id] = None
        self._older.pop(execution_id, None)
        self._fills.pop(execution_id, None)
        self.bookings += event.was is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Executions) and self.saved() == other.saved()

    __hash__ = None  # type: ignore[assignment]

    def saved(self) -> SavedExecutions:
        """Return what a snapshot must keep."""
        return SavedExecutions(
            ids=tuple(self.ids),
            fills=(*self._older.values(), *self._fills.values()),
            watermark=self.watermark,
        )

    def plain(self) -> dict[str, Any]:
        """Return `saved` as plain values, fill by fill.

        Thousands in one call of C would keep the engine's thread from running
        meanwhile.
        """
        saved = self.saved()
        return {
            "ids": list(saved.ids),
            "fills": [msgspec.to_builtins(fill) for fill in saved.fills],
            "watermark": saved.watermark,
        }
