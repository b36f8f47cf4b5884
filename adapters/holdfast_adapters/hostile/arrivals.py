"""The time of a hostile venue, and the requests that are still on their way to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs


class VenueClock(Protocol):
    """The time in which the venue lives: the engine's, virtual."""

    def now_s(self) -> float:
        """Return the time, in seconds from any origin."""

    async def sleep(self, for_s: float | None) -> None:
        """Return after ``for_s`` seconds, or never."""


@attrs.define
class Arrival:
    """A request that left the engine, and arrives later."""

    at_s: float
    order_ids: tuple[str, ...]
    arrive: Callable[[], object]


class Arrivals:
    """Requests on their way, in the order in which they left."""

    def __init__(self) -> None:
        self._waiting: list[Arrival] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, arrival: Arrival) -> None:
        """Let a request be on its way."""
        self._waiting.append(arrival)

    def about(self, order_id: str) -> bool:
        """Tell whether one of them is about an order."""
        return any(order_id in each.order_ids for each in self._waiting)

    def take(self, now_s: float) -> list[Arrival]:
        """Take those that have arrived by now."""
        if not self._waiting:
            return []
        due = [each for each in self._waiting if each.at_s <= now_s]
        self._waiting = [each for each in self._waiting if each.at_s > now_s]
        return due

    def hasten(self) -> None:
        """Let all arrive at the next look."""
        for each in self._waiting:
            each.at_s = 0.0
