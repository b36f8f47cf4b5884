"""Hosts without threads: for the simulated engine, and for what does not block."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from holdfast_runtime.threads.hosts import EVENTS_MAX, Full

T = TypeVar("T")
E = TypeVar("E")


class InlineEvents(Generic[E]):
    """Gives each event at once to whom it is for."""

    dropped = 0

    def __init__(self, take: Callable[[E], None]) -> None:
        self._take = take
        self._closed = False

    def push(self, event: E) -> None:
        """Give ``event``."""
        if not self._closed:
            self._take(event)

    def close(self) -> None:
        """Give nothing any more; idempotent."""
        self._closed = True


class _Inline:
    """What both inline hosts have."""

    abandoned = 0

    def __init__(self) -> None:
        self._events: list[InlineEvents[Any]] = []

    def events(
        self,
        take: Callable[[E], None],
        *,
        capacity: int = EVENTS_MAX,
        full: Full = "fail",
    ) -> InlineEvents[E]:
        """Return where events are pushed; none waits, so none is lost."""
        del capacity, full
        opened = InlineEvents(take)
        self._events.append(opened)
        return opened

    def close(self) -> None:
        """End the events; idempotent."""
        for each in self._events:
            each.close()


class InlineHost(_Inline):
    """Runs calls where they are made; the port `ThreadHost`.

    For the simulated engine, and for stores in memory, where a thread would only cost.
    """

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        """Return what ``call(*args)`` returns; ``deadline_s`` cannot be kept."""
        del deadline_s
        return call(*args)


class InlineAsyncioHost(_Inline):
    """Awaits coroutines where they are called; the port `AsyncioHost`.

    For simulations of a library: its coroutines may await the engine's clock and
    bells, and nothing of asyncio, for there is no loop.
    """

    async def run(
        self, call: Callable[..., Awaitable[T]], *args: object, deadline_s: float
    ) -> T:
        """Return what ``await call(*args)`` returns; no deadline is kept.

        Raises:
            ActorError: it awaits something of asyncio, on the simulated engine.
        """
        del deadline_s
        return await call(*args)
