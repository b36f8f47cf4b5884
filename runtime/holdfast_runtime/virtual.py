"""Coroutines in virtual time: what the simulated engine's loop drives, and its bell."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from inspect import CORO_CREATED, getcoroutinestate
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from holdfast_runtime.errors import ActorError
from holdfast_runtime.timers import overdue

if TYPE_CHECKING:
    from holdfast_runtime.simulated import SimulatedEngine
    from holdfast_runtime.timers import Timer

T = TypeVar("T")
Ended: TypeAlias = Callable[["Exception | None"], None]
"""Told how a task ended."""


class Trap:
    """What a coroutine yields to the loop: it waits for a bell, or for a time."""

    __slots__ = ("bell", "until_s")

    def __init__(self, bell: SimulatedBell, until_s: float | None) -> None:
        self.bell = bell
        self.until_s = until_s

    def __await__(self) -> Generator[Trap, None, None]:
        yield self


class SimulatedBell:
    """A bell of the simulated engine."""

    __slots__ = ("_engine", "_rung", "_task", "_timer")

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self._rung = False
        self._task: Task | None = None
        self._timer: Timer | None = None

    def ring(self) -> None:
        """Wake the waiter, or the next one that comes."""
        self._rung = True
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def hush(self) -> None:
        """Forget a ring."""
        self._rung = False

    async def wait(self, until_s: float | None = None) -> bool:
        """Return True once rung, or False when virtual time is at ``until_s``."""
        if not self._rung:
            try:
                await Trap(self, until_s)
            finally:
                # The task stays: where an engine is thrown away that was not stopped,
                # letting go of it here would end the waiter in the midst of its end.
                if self._timer is not None:
                    self._timer.cancel()
        rung, self._rung = self._rung, False
        return rung

    def park(self, task: Task, until_s: float | None) -> None:
        """Let ``task`` wait here."""
        self._task = task
        self._timer = None
        if until_s is not None:
            delay_s = until_s - self._engine.now_s()
            self._timer = self._engine.call_later(delay_s, self._wake)

    def _wake(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            self._engine.ready.append((None, task))


async def within(
    engine: SimulatedEngine, delay_s: float, request: Coroutine[Any, Any, T]
) -> T:
    """Return what ``request`` returns, or end it after ``delay_s``; see `Context`."""
    # Most requests never wait in simulation, and then need no task.
    try:
        trap = request.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    bell = engine.new_bell()
    errors: list[Exception | None] = []

    def ended(error: Exception | None) -> None:
        errors.append(error)
        bell.ring()

    task = Task(request, ended)
    try:
        task.park(trap)
        if not errors:
            await bell.wait(engine.now_s() + delay_s)
    finally:
        task.close()
    if not errors:
        raise overdue(delay_s)
    if errors[0] is not None:
        raise errors[0]
    return task.value  # type: ignore[no-any-return]


class Task:
    """A coroutine that the loop drives."""

    __slots__ = ("_coroutine", "_ended", "value")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], ended: Ended | None = None
    ) -> None:
        """Tell ``ended`` the error or None; without it, errors reach the loop."""
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self._ended = ended
        self.value: Any = None
        """What the coroutine has returned."""

    def step(self) -> None:
        """Run it until it waits or ends; nothing if it was closed."""
        coroutine = self._coroutine
        if coroutine is None:
            return
        try:
            trap = coroutine.send(None)
            while type(trap) is not Trap:
                trap = coroutine.throw(_foreign(trap))
        except StopIteration as stop:
            self.value = stop.value
            self._end(None)
        except Exception as error:
            if self._ended is None:
                raise
            self._end(error)
        else:
            trap.bell.park(self, trap.until_s)

    def park(self, trap: object) -> None:
        """Wait at a trap that its coroutine has met before this task was made."""
        if type(trap) is Trap:
            trap.bell.park(self, trap.until_s)
        elif self._coroutine is not None:
            coroutine, self._coroutine = self._coroutine, None
            coroutine.close()
            self._end(_foreign(trap))

    def close(self) -> None:
        """End it where it stands; nobody is told.

        What it raises on its way out is lost: it ends by what cut it.
        """
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is not None:
            with suppress(Exception):
                coroutine.close()

    def discard(self) -> None:
        """Close it if it has not begun, so that none of its code runs."""
        coroutine = self._coroutine
        if coroutine is not None and getcoroutinestate(coroutine) == CORO_CREATED:
            self._coroutine = None
            coroutine.close()

    def _end(self, error: Exception | None) -> None:
        self._coroutine = None
        if self._ended is not None:
            self._ended(error)


def _foreign(trap: object) -> ActorError:
    return ActorError(
        "expected to await ports and the engine's clock only in virtual time, "
        f"was something that yields {trap!r}"
    )
