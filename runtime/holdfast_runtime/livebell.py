"""What waits on the live engine: a bell over trio's scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from holdfast_runtime.live import LiveEngine


class LiveBell:
    """A bell of the live engine; cheaper than an event with a cancel scope."""

    __slots__ = ("_engine", "_rung", "_task")

    def __init__(self, engine: LiveEngine) -> None:
        self._engine = engine
        self._rung = False
        self._task: trio.lowlevel.Task | None = None

    def ring(self) -> None:
        """Wake the waiter, or the next one that comes."""
        self._rung = True
        self._wake()

    def hush(self) -> None:
        """Forget a ring."""
        self._rung = False

    async def wait(self, until_s: float | None = None) -> bool:
        """Return True once rung, or False when the engine's clock is at ``until_s``."""
        if self._rung:
            self._rung = False
            await trio.lowlevel.checkpoint_if_cancelled()
            return True
        timer = None
        if until_s is not None:
            timer = self._engine.call_later(until_s - self._engine.now_s(), self._wake)
        self._task = trio.lowlevel.current_task()

        def abort(_: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        try:
            await trio.lowlevel.wait_task_rescheduled(abort)
        finally:
            if timer is not None:
                timer.cancel()
        rung, self._rung = self._rung, False
        return rung

    def _wake(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)
