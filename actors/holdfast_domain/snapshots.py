"""Snapshots: all state as of one record, as plain values with a time stamp."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import attrs

from holdfast_domain.events import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Snapshot:
    """What every owner of state held when the record ``sequence`` had been applied."""

    engine: int
    """The identity of the engine whose journal it was made from."""

    sequence: int
    hash: str
    """Hex; of the record ``sequence``: a snapshot of another journal has another."""

    epoch: int
    cursor: int
    market_time_us: int
    wall_time_us: int
    """When it was made, by the host's clock."""

    why: str
    """``timer``, ``shutdown``, or what made it due."""

    sections: dict[str, Any]
    """Each owner's part, as JSON-able values."""

    @property
    def made_at(self) -> datetime:
        """When it was made, UTC."""
        return _EPOCH + timedelta(microseconds=self.wall_time_us)


class SnapshotStore(Protocol):
    """Where snapshots are kept, a few at a time."""

    def save(self, snapshot: Snapshot) -> int:
        """Keep ``snapshot``, durably; return the oldest kept snapshot's sequence.

        Blocks, and drops the oldest ones beyond the number that is kept.

        Raises:
            SnapshotFailed: it was not kept; those before it are as they were.
        """

    def newest_first(self) -> Iterator[Snapshot]:
        """Yield those that can be read and are whole; others are passed over."""


class EventCodec(Protocol):
    """How events become text that is kept."""

    def encode(self, event: Event) -> tuple[str, str]:
        """Return the kind of ``event`` and its body, a JSON object."""

    def decode(self, kind: str, body: str | bytes) -> Event:
        """Return the event that `encode` wrote."""
