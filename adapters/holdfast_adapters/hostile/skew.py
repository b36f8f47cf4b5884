"""The clock of a hostile venue: how far it is wrong, and what then bears its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from holdfast_domain.ports import Executed, VenueEvent


class Skew:
    """By how much the venue's clock is wrong."""

    def __init__(self) -> None:
        self._by = timedelta(0)

    @property
    def us(self) -> int:
        """The error in microseconds."""
        return int(self._by.total_seconds() * 1_000_000)

    def run_wrong(self, size: int, limit_s: float) -> None:
        """Be wrong by ``size`` seconds, at most ``limit_s``: behind if it is odd."""
        sign = -1 if size % 2 else 1
        self._by = timedelta(seconds=sign * min(size, limit_s))

    def of(self, events: Sequence[VenueEvent]) -> list[VenueEvent]:
        """Return ``events`` at the times that the clock has."""
        if not self._by:
            return list(events)
        return [
            replace(each, filled_at=each.filled_at + self._by)
            if isinstance(each, Executed)
            else each
            for each in events
        ]
