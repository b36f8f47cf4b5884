"""Watchdogs: of a handler over its budget, and of an actor that has gone quiet.

Only an actor whose spec declares ``budget_s`` or ``silent_s`` has one, and pays for it.
It reports by a `Lifecycle` and ends nobody: that is for whoever hears of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.driving import is_coroutine

if TYPE_CHECKING:
    from holdfast_runtime.timers import Timer


class Watchdog:
    """Watches one incarnation."""

    def __init__(self, cell: Cell) -> None:
        """Watch the actor of ``cell``, which was just built."""
        self._cell = cell
        self._life = cell.life
        self._budget_s = cell.spec.budget_s
        self._silent_s = cell.spec.silent_s
        self._hangs = None
        if self._budget_s is not None and not cell.is_async:
            self._hangs = cell.kernel.watch_hangs(self._budget_s)
        self._reported = False
        """Whether its silence was told."""

        self._last_s = cell.kernel.now_s()
        wrap = self._watched_async if cell.is_async else self._watched
        if cell.handler is not None:
            cell.handler = wrap(cell.handler)
        if cell.batch_handler is not None:
            cell.batch_handler = self._watched_async(cell.batch_handler)
        if self._silent_s is not None:
            self._look_again()

    def beat(self) -> None:
        """Take it that the actor is not silent now."""
        self._last_s = self._cell.kernel.now_s()
        if self._reported:
            self._reported = False
            self._look_again()

    # --- budget --------------------------------------------------------------

    def _watched(self, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
        hangs, budget_s = self._hangs, self._budget_s
        if budget_s is None:
            return self._beating(plain)
        now_s = self._cell.kernel.now_s

        def watched(message: Any) -> Any:  # noqa: ANN401 - any handler's
            began_s = now_s()
            if hangs is not None:
                hangs.enter(self._cell.path, budget_s)
            try:
                return plain(message)
            finally:
                if hangs is not None:
                    hangs.leave()
                self.beat()
                if now_s() - began_s > budget_s:
                    self._overran(message, f"took {now_s() - began_s:.3g} s")

        return watched

    def _beating(self, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def watched(message: Any) -> Any:  # noqa: ANN401 - any handler's
            self.beat()
            return plain(message)

        return watched

    def _watched_async(
        self, plain: Callable[[Any], Any]
    ) -> Callable[[Any], Awaitable[Any]]:
        async def watched(message: Any) -> Any:  # noqa: ANN401 - any handler's
            self.beat()
            with self._timed(message):
                value = plain(message)
                if is_coroutine(value):
                    value = await value
            self.beat()
            return value

        return watched

    @contextmanager
    def _timed(self, message: Any) -> Iterator[None]:  # noqa: ANN401 - or a batch
        """Report during the handling, by a timer: the engine goes on meanwhile."""
        timer: Timer | None = None
        if self._budget_s is not None:
            timer = self._cell.kernel.call_later(
                self._budget_s, lambda: self._overran(message, "is not back yet")
            )
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()

    def _overran(self, message: Any, came: str) -> None:  # noqa: ANN401
        cell = self._cell
        first = message[0] if isinstance(message, list) else message
        cell.overruns += 1
        text = f"expected a handler within {self._budget_s:g} s, "
        text += f"{came} from {type(first).__name__}"
        self._tell("overran", text, (first,))

    # --- silence -------------------------------------------------------------

    def _look_again(self) -> None:
        assert self._silent_s is not None
        kernel = self._cell.kernel
        kernel.call_later(self._last_s + self._silent_s - kernel.now_s(), self._look)

    def _look(self) -> None:
        """Report a silence once; the next message, or beat, ends it."""
        cell = self._cell
        if cell.life != self._life or cell.state not in (State.STARTING, State.RUNNING):
            return
        assert self._silent_s is not None
        due_s = self._last_s + self._silent_s
        # The timer's time is a sum of its own: it may differ in the last bit.
        if cell.kernel.now_s() < due_s - 1e-9 * self._silent_s:
            self._look_again()
            return
        self._reported = True
        text = f"expected a message or a beat within {self._silent_s:g} s, was none"
        self._tell("silent", text)

    def _tell(self, what: str, text: str, messages: tuple[Any, ...] = ()) -> None:
        cell = self._cell
        cell.kernel.tell_lifecycle(cell.path, what, cell.incarnation, text, messages)
