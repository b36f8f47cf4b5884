"""Threads: the one module that starts them. pykka hosts what blocks; nothing of ours.

A call goes to a pykka actor with its deadline; its result comes back over a deque and
one pending wake. A call that does not come back in time is *abandoned*: its thread is
counted and replaced, never waited for.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import pykka
import trio

T = TypeVar("T")

SWITCH_INTERVAL_S = 0.0005
"""How soon a busy thread gives the interpreter to one that was woken."""


@attrs.frozen
class _Call:
    function: Callable[..., Any]
    arguments: tuple[object, ...]
    done: Callable[[Any, BaseException | None], None]


class _Worker(pykka.ThreadingActor):
    """Runs one call after the other, away from trio's thread."""

    use_daemon_thread = True

    def on_receive(self, message: _Call) -> None:
        """Run one call; its error is its result."""
        try:
            value = message.function(*message.arguments)
        except Exception as error:  # noqa: BLE001 - the caller raises it
            message.done(None, error)
        else:
            message.done(value, None)


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


class PykkaThreadHost:
    """Runs blocking calls on a thread of its own, in order; the port `ThreadHost`.

    Make it inside a trio run, and `close` it there.
    """

    def __init__(self, *, abandoned_max: int = 4) -> None:
        """Allow at most ``abandoned_max`` hung threads before `run` refuses."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._bridge = _Bridge()
        self._abandoned_max = abandoned_max
        self.abandoned = 0
        self._worker = _Worker.start()

    async def run(
        self, call: Callable[..., T], *args: object, deadline_s: float
    ) -> T:
        """Return what ``call(*args)`` returns, or raise what it raises.

        Cancelling it abandons the thread, for the call may never come back.

        Raises:
            TimeoutError: after ``deadline_s``; the call's outcome is not known.
        """
        if self.abandoned > self._abandoned_max:
            message = f"{self.abandoned} threads hang; no more are started"
            raise TimeoutError(message)
        event = trio.Event()
        box: list[tuple[Any, BaseException | None]] = []
        bridge = self._bridge

        def done(value: Any, error: BaseException | None) -> None:  # noqa: ANN401
            box.append((value, error))
            bridge.send(event.set)

        self._worker.tell(_Call(call, args, done))
        try:
            with trio.fail_after(deadline_s):
                await event.wait()
        except trio.TooSlowError:
            self._abandon()
            message = f"no answer from {call!r} within {deadline_s} s"
            raise TimeoutError(message) from None
        except trio.Cancelled:
            self._abandon()
            raise
        value, error = box[0]
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let the thread end after the calls that it has; does not wait."""
        self._worker.stop(block=False)

    def _abandon(self) -> None:
        self.abandoned += 1
        self._worker.stop(block=False)
        self._worker = _Worker.start()


class InlineHost:
    """Runs calls where they are made: for the simulated engine, and for stores in
    memory, where a thread would only cost.
    """

    async def run(
        self, call: Callable[..., T], *args: object, deadline_s: float
    ) -> T:
        """Return what ``call(*args)`` returns; ``deadline_s`` cannot be kept."""
        del deadline_s
        return call(*args)
