"""Blocking calls on a thread of their own, each with a deadline."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, Unpack

from holdfast_runtime.errors import HostRefused
from holdfast_runtime.threads.hosts import Call, Host, Options, Thread

T = TypeVar("T")


class _Blocking(Call):
    """A call, and what is to be called."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self.call = call


class PykkaThreadHost(Host):
    """Runs blocking calls on a thread of its own, in order; the port `ThreadHost`.

    A call waits here until the one before it is done, so that a hung thread takes no
    other call with it. Make it inside a trio run, and `close` it there.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        """Start the thread; ``options`` are those of `Host`."""
        super().__init__(**options)
        self._waiting: deque[_Blocking] = deque()
        self._running: _Blocking | None = None
        self._thread = Thread.start()

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        """Return what ``call(*args)`` returns, or raise what it raises.

        Blocks at most ``deadline_s`` seconds. Cancelling it abandons the thread, for
        the call may never come back.

        Raises:
            TimeoutError: after ``deadline_s``; the call's outcome is not known.
            HostRefused: the host is closed or full, too many threads hang, or events
                were lost (`EventsLost`); nothing was called.
        """
        self._check(len(self._waiting) + (self._running is not None))
        mine = _Blocking(partial(call, *args))
        self._waiting.append(mine)
        self._next()
        try:
            in_time = await mine.wait(deadline_s)
        finally:
            if not mine.ended:
                self._give_up(mine)
        if not in_time:
            message = f"{self.name}: no answer from {call!r} within {deadline_s} s"
            raise TimeoutError(message)
        return mine.result()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let the thread end after the call that it has; does not wait; idempotent.

        Calls that have not begun are never made, and fail. Events end.
        """
        if self._closed:
            return
        self._closed = True
        self._close_events()
        refused = HostRefused(f"{self.name}: the host was closed before this call")
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            call.end(None, refused)
        self._thread.stop(block=False)

    def _next(self) -> None:
        """Give the thread its next call, if it has none."""
        if self._running is None and self._waiting:
            mine = self._running = self._waiting.popleft()
            self._thread.tell(partial(self._make, mine))

    def _make(self, mine: _Blocking) -> None:
        """Make a call; in the thread. Its error is its result, whatever it is."""
        try:
            value, error = mine.call(), None
        except BaseException as raised:  # noqa: BLE001 - the caller raises it
            value, error = None, raised
        self._bridge.offer(partial(self._done, mine, value, error))

    def _done(
        self,
        mine: _Blocking,
        value: Any,  # noqa: ANN401
        error: BaseException | None,
    ) -> None:
        if self._running is mine:
            self._running = None
            mine.end(value, error)
            self._next()
        else:
            self.hung.count -= 1
            self._tell("returned", f"{self.name}: {mine.call!r} came back after all")

    def _give_up(self, mine: _Blocking) -> None:
        """Forget a call that nobody waits for; abandon the thread if it has it."""
        if mine in self._waiting:
            self._waiting.remove(mine)
        elif self._running is mine:
            self._running = None
            self.hung.count += 1
            self._tell("abandoned", f"{self.name}: {mine.call!r} hangs")
            if not self._closed:
                self._thread.stop(block=False)
                self._thread = Thread.start()
                self._next()
