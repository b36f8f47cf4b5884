"""A clock that goes when a face says so."""

from __future__ import annotations

from datetime import datetime


class Clock:
    """Begins at a moment; a pause only moves it."""

    def __init__(self, began: datetime) -> None:
        self.us = round(began.timestamp() * 1e6)

    def now(self) -> datetime:
        raise AssertionError

    def now_us(self) -> int:
        return self.us

    async def sleep(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)
