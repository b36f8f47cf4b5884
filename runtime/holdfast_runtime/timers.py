"""Timers: calls that are due at a time of the engine's clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable

_SWEPT_MIN = 64


class Timer:
    """A call that is due at a time; `cancel` takes it back."""

    __slots__ = ("_timers", "at_s", "call")

    def __init__(self, timers: Timers, at_s: float, call: Callable[[], None]) -> None:
        self._timers = timers
        self.at_s = at_s
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Take the call back; idempotent, also after it was made."""
        if self.call is not None:
            self.call = None
            self._timers.forget()


class Timers:
    """All timers of an engine, the soonest first; equal ones in their order.

    A deadline that was kept leaves a cancelled timer. They are swept out when they
    are more than half, so that a million answered questions cost no memory.
    """

    __slots__ = ("_cancelled", "_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._cancelled = 0
        self._number = 0

    def add(self, at_s: float, call: Callable[[], None]) -> Timer:
        """Add a call that is due at ``at_s``."""
        timer = Timer(self, at_s, call)
        self._number += 1
        heapq.heappush(self._heap, (at_s, self._number, timer))
        return timer

    def first_s(self) -> float | None:
        """Return when the first call is due; None when there is none."""
        heap = self._heap
        while heap and heap[0][2].call is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else None

    def pop(self) -> Callable[[], None]:
        """Take the first call; `first_s` has said that there is one."""
        timer = heapq.heappop(self._heap)[2]
        call, timer.call = timer.call, None
        assert call is not None
        return call

    def forget(self) -> None:
        """Count a timer that was cancelled."""
        self._cancelled += 1
        if self._cancelled > max(_SWEPT_MIN, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled


def overdue(delay_s: float) -> TimeoutError:
    """Return the error for what did not end within ``delay_s``."""
    return TimeoutError(f"expected an end within {delay_s:g} s, was none")
