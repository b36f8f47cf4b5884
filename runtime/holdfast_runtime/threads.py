"""Threads: the one module that starts them. pykka hosts what blocks; nothing of ours.

A call goes to a pykka actor with its deadline; its result comes back over a deque and
one pending wake. A call that does not come back in time is *abandoned*: its thread is
counted and replaced, never waited for.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

import pykka
import trio

from holdfast_runtime.errors import ActorError

T = TypeVar("T")

SWITCH_INTERVAL_S = 0.0005
"""How soon a busy thread gives the interpreter to one that was woken."""


Done: TypeAlias = Callable[[Any, "BaseException | None"], None]


class _Worker(pykka.ThreadingActor):
    """Runs one call after the other, away from trio's thread."""

    use_daemon_thread = True

    def on_receive(self, message: tuple[Callable[[], Any], Done]) -> None:
        """Run one call; its error is its result.

        Whatever it raises: pykka would stop all its actors on a `SystemExit`.
        """
        call, done = message
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            done(None, error)
        else:
            done(value, None)


class _Bridge:
    """Brings results from threads to trio: a deque, and one pending wake."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._queue: deque[Callable[[], None]] = deque()

    def send(self, call: Callable[[], None]) -> None:
        """Run ``call`` on trio's thread soon; from any thread."""
        self._queue.append(call)
        try:
            self._token.run_sync_soon(self._drain, idempotent=True)
        except trio.RunFinishedError:
            self._queue.clear()

    def _drain(self) -> None:
        while self._queue:
            self._queue.popleft()()


class _Call:
    """One call, until somebody knows how it ended."""

    __slots__ = ("call", "error", "event", "value")

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call
        self.event = trio.Event()
        self.value: Any = None
        self.error: BaseException | None = None


class PykkaThreadHost:
    """Runs blocking calls on a thread of its own, in order; the port `ThreadHost`.

    A call waits here until the one before it is done, so that a hung thread takes no
    other call with it. Make it inside a trio run, and `close` it there.
    """

    def __init__(self, *, abandoned_max: int = 4) -> None:
        """Allow at most ``abandoned_max`` hung threads before `run` refuses."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._bridge = _Bridge()
        self._abandoned_max = abandoned_max
        self._waiting: deque[_Call] = deque()
        self._running: _Call | None = None
        self._closed = False
        self.abandoned = 0
        """How many threads hang now: they were given up and have not come back."""

        self._worker = _Worker.start()

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        """Return what ``call(*args)`` returns, or raise what it raises.

        Cancelling it abandons the thread, for the call may never come back.

        Raises:
            TimeoutError: after ``deadline_s``; the call's outcome is not known.
            ActorError: the host is closed; nothing was called.
        """
        if self._closed:
            message = "the thread host is closed"
            raise ActorError(message)
        if self.abandoned >= self._abandoned_max:
            message = f"{self.abandoned} threads hang; no more are started"
            raise TimeoutError(message)
        mine = _Call(partial(call, *args))
        self._waiting.append(mine)
        self._next()
        try:
            with trio.fail_after(deadline_s):
                await mine.event.wait()
        except trio.TooSlowError:
            message = f"no answer from {call!r} within {deadline_s} s"
            raise TimeoutError(message) from None
        finally:
            self._give_up(mine)
        if mine.error is not None:
            raise mine.error
        return mine.value  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let the thread end after the call that it has; does not wait.

        Calls that have not begun are never made, and fail.
        """
        if self._closed:
            return
        self._closed = True
        for call in self._waiting:
            call.error = ActorError("the thread host was closed before this call")
            call.event.set()
        self._waiting.clear()
        self._worker.stop(block=False)

    def _next(self) -> None:
        """Give the thread its next call, if it has none."""
        if self._running is not None or not self._waiting:
            return
        mine = self._running = self._waiting.popleft()

        def done(value: Any, error: BaseException | None) -> None:  # noqa: ANN401
            self._bridge.send(partial(self._done, mine, value, error))

        self._worker.tell((mine.call, done))

    def _done(self, mine: _Call, value: Any, error: BaseException | None) -> None:  # noqa: ANN401
        mine.value, mine.error = value, error
        if self._running is mine:
            self._running = None
            mine.event.set()
            self._next()
        else:
            self.abandoned -= 1

    def _give_up(self, mine: _Call) -> None:
        """Forget a call that nobody waits for; abandon the thread if it has it."""
        if mine in self._waiting:
            self._waiting.remove(mine)
        elif self._running is mine:
            self._running = None
            self.abandoned += 1
            if not self._closed:
                self._worker.stop(block=False)
                self._worker = _Worker.start()
                self._next()


class InlineHost:
    """Runs calls where they are made.

    For the simulated engine, and for stores in memory, where a thread would only cost.
    """

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        """Return what ``call(*args)`` returns; ``deadline_s`` cannot be kept."""
        del deadline_s
        return call(*args)
