"""The host's clock: the one place of the engine that reads it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The host's wall clock, UTC; for records that people read."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)  # noqa: TID251 - the clock that all others are given

    def now_us(self) -> int:
        """Return the time in microseconds UTC."""
        return time.time_ns() // 1_000


class FixedClock:
    """A wall clock that stands still: for simulations, where it must not differ."""

    def __init__(self, at: datetime = datetime(2000, 1, 1, tzinfo=UTC)) -> None:
        self._at = at
        self._us = int(at.timestamp()) * 1_000_000

    def now(self) -> datetime:
        """Return the same time, always."""
        return self._at

    def now_us(self) -> int:
        """Return the same time in microseconds UTC."""
        return self._us
