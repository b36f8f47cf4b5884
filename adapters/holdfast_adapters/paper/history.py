"""What the rows of a paper venue tell of its orders, executions and advances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from holdfast_adapters.paper.records import (
    Advanced,
    CancelRequested,
    ReplaceRequested,
    Row,
    Submitted,
)
from holdfast_domain.ports import (
    Acked,
    Ended,
    Executed,
    Replaced,
    VenueEvent,
    VenueOrder,
)

_TOLD: Final = (Acked, Executed, Ended, Replaced)
"""What is said of an order; the rest is the engine's own, and nobody is told."""


class Placed(Struct, eq=False):
    """An order of the venue and all that was said of it, with the cursors."""

    order: VenueOrder
    cursor: int
    said: list[tuple[int, VenueEvent]] = []


class History:
    """Finds in rows what was said of whom.

    Rows are only ever added, and of most orders nobody asks again: so a row is read
    when somebody asks for anything, and not on the way of an order.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        """Read ``rows``, to which more may be added at any time."""
        self._rows = rows
        self._read = 0
        self._orders: dict[str, Placed] = {}
        self._executions: list[tuple[int, Executed]] = []
        self._advances: dict[int, list[VenueEvent]] = {}
        self._advance: list[VenueEvent] | None = None

    @property
    def orders(self) -> Mapping[str, Placed]:
        """All orders by id, in the order in which they came."""
        self._read_on()
        return self._orders

    @property
    def executions(self) -> Sequence[tuple[int, Executed]]:
        """All executions, in order, with the cursors."""
        self._read_on()
        return self._executions

    @property
    def advances(self) -> Mapping[int, Sequence[VenueEvent]]:
        """What each advance said that brought anything about, by its cursor."""
        self._read_on()
        return self._advances

    def _read_on(self) -> None:
        for at in range(self._read, len(self._rows)):
            self._take(self._rows[at])
        self._read = len(self._rows)

    def _take(self, row: Row) -> None:
        cursor, record = row
        if isinstance(record, _TOLD):
            self._orders[record.order_id].said.append((cursor, record))
            if isinstance(record, Executed):
                self._executions.append((cursor, record))
            if self._advance is not None:
                self._advance.append(record)
        elif isinstance(record, Advanced):
            self._advance = self._advances.setdefault(cursor, [])
        elif isinstance(record, Submitted | CancelRequested | ReplaceRequested):
            self._advance = None
            if isinstance(record, Submitted):
                self._orders[record.order.order_id] = Placed(record.order, cursor)
