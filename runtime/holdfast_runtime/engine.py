"""What an engine adds to the kernel: how a cell is run, and how time passes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from holdfast_runtime.bells import Bell
    from holdfast_runtime.cell import Cell
    from holdfast_runtime.threads.hangs import HangWatch
    from holdfast_runtime.timers import Timer

T = TypeVar("T")


class Engine:
    """What the kernel asks of an engine; the live and the simulated one have it."""

    def now_s(self) -> float:
        """Return the engine's monotonic clock, in seconds."""
        raise NotImplementedError

    def new_bell(self) -> Bell:
        """Return a bell that can be waited on in this engine."""
        raise NotImplementedError

    async def within(self, delay_s: float, request: Coroutine[Any, Any, T]) -> T:
        """Return what ``request`` returns; cancel it after ``delay_s``.

        Raises:
            TimeoutError: it was cancelled.
        """
        raise NotImplementedError

    def wake(self, cell: Cell) -> None:
        """See to it that ``cell`` reads its mailbox."""
        raise NotImplementedError

    def resume(self, cell: Cell) -> None:
        """See to it that ``cell`` goes on after a stall, or ends as it was asked to."""
        raise NotImplementedError

    def start_cell(self, cell: Cell) -> None:
        """Run a new incarnation of ``cell``."""
        raise NotImplementedError

    def cut_cell(self, cell: Cell) -> None:
        """Cancel the incarnation of ``cell``."""
        raise NotImplementedError

    def kill(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, between two messages."""
        raise NotImplementedError

    def run_task(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine of the runtime itself beside the actors."""
        raise NotImplementedError

    async def breathe(self) -> None:
        """Let others run, in the midst of much that waits for nothing."""

    def watch_hangs(self, budget_s: float) -> HangWatch | None:
        """Return who sees a synchronous handler hang; None if none ever can."""
        del budget_s
        return None

    def timer_added(self, timer: Timer) -> None:
        """Notice a timer that may be due before all others."""
        raise NotImplementedError

    def root_ended(self) -> None:
        """Notice that the root of the tree stopped or gave up."""
