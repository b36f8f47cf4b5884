"""Bells: the one thing that the runtime waits on, on either engine."""

from __future__ import annotations

from typing import Protocol


class Bell(Protocol):
    """One waiter, one ring; a ring before the wait is not lost."""

    def ring(self) -> None:
        """Wake the waiter, or the next one that comes."""

    def hush(self) -> None:
        """Forget a ring: the waiter looks at everything anyway, just now."""

    async def wait(self, until_s: float | None = None) -> bool:
        """Return True once rung, or False when the engine's clock is at ``until_s``."""
