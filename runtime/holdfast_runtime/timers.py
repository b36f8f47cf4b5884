"""Timers: calls that are due at a time of the engine's clock."""

from __future__ import annotations

from collections.abc import Callable


class Timer:
    """A call that is due at a time; `cancel` takes it back."""

    __slots__ = ("at_s", "call")

    def __init__(self, at_s: float, call: Callable[[], None]) -> None:
        self.at_s = at_s
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Take the call back; idempotent."""
        self.call = None
