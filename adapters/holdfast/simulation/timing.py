"""The engine's virtual time, for a venue and for a disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_runtime.testing import FaultyEngine
from holdfast_runtime.threads import InlineHost


class VirtualTime:
    """The engine's virtual time, for a venue and for a disk."""

    def __init__(self, engine: FaultyEngine, commit_s: float = 0.0) -> None:
        self._engine = engine
        self._commit_s = commit_s

    def now_s(self) -> float:
        """Return virtual time."""
        return self._engine.now_s()

    async def sleep(self, for_s: float | None) -> None:
        """Return after ``for_s`` seconds, or never."""
        until_s = None if for_s is None else self.now_s() + for_s
        await self._engine.new_bell().wait(until_s)

    async def run(
        self,
        call: Callable[..., Any],
        *args: object,
        deadline_s: float,
    ) -> Any:  # noqa: ANN401 - whatever the call returns
        """Call after a while, as the thread of a disk does."""
        del deadline_s
        await self.sleep(self._commit_s)
        return call(*args)


class LateHost(InlineHost):
    """A host that waits in the time of an engine that is made later."""

    time: VirtualTime | None = None

    async def run(
        self,
        call: Callable[..., Any],
        *args: object,
        deadline_s: float,
    ) -> Any:  # noqa: ANN401 - whatever the call returns
        """Call after a while."""
        assert self.time is not None
        return await self.time.run(call, *args, deadline_s=deadline_s)
