"""Coroutines of an asyncio library, on a loop of a thread of its own."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the one place that hosts a loop
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar, Unpack

import trio

from holdfast_runtime.bridge import Bridge
from holdfast_runtime.errors import LoopLost
from holdfast_runtime.threads.hosts import Call, Host, Options, Thread

T = TypeVar("T")

GRACE_S = 1.0
"""How long a loop may be silent after a deadline before it counts as hung."""


class _Coroutine(Call):
    """A coroutine, from its call to its end."""

    __slots__ = ("call", "given_up", "name", "task")

    def __init__(self, call: Callable[[], Awaitable[Any]], name: str) -> None:
        super().__init__()
        self.call = call
        self.name = name
        self.given_up = False
        self.task: asyncio.Task[Any] | None = None


class _Loop:
    """One loop on one thread. It is never used again once it was abandoned."""

    def __init__(self, bridge: Bridge, ended: Callable[[_Loop], None]) -> None:
        self._bridge = bridge
        self._ended = ended
        self.calls: set[_Coroutine] = set()
        """What runs, or is about to; trio's thread alone touches it."""

        self.abandoned = False
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = Thread.start()
        self._thread.tell(self._main)
        self._thread.stop(block=False)

    def stop(self) -> None:
        """Let the loop cancel what it runs, and end; does not wait."""
        self.send(self._over.set)

    def send(self, call: Callable[..., object], *args: object) -> None:
        """Make a call in the loop's thread soon; nothing once the loop has ended."""
        try:
            self._loop.call_soon_threadsafe(call, *args)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def _main(self) -> None:
        """Run the loop; in its thread."""
        try:
            # Libraries ask for the thread's loop before it runs.
            asyncio.set_event_loop(self._loop)
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._over.wait())
        finally:
            self._bridge.offer(partial(self._ended, self))

    def begin(self, mine: _Coroutine) -> None:
        """Start a coroutine; in the loop's thread."""
        if mine.given_up:
            self._finish(mine, None, None)
            return
        try:
            mine.task = self._loop.create_task(_awaited(mine.call))
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            self._finish(mine, None, error)
        else:
            mine.task.add_done_callback(partial(self._done, mine))

    @staticmethod
    def cancel(mine: _Coroutine) -> None:
        """Cancel a coroutine; in the loop's thread."""
        mine.given_up = True
        if mine.task is not None:
            mine.task.cancel()

    def _done(self, mine: _Coroutine, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._finish(mine, None, asyncio.CancelledError("cancelled in its loop"))
        elif (error := task.exception()) is not None:
            self._finish(mine, None, error)
        else:
            value, error = task.result()
            self._finish(mine, value, error)

    def _finish(
        self,
        mine: _Coroutine,
        value: Any,  # noqa: ANN401
        error: BaseException | None,
    ) -> None:
        self._bridge.offer(partial(self._over_with, mine, value, error))

    def _over_with(
        self,
        mine: _Coroutine,
        value: Any,  # noqa: ANN401
        error: BaseException | None,
    ) -> None:
        self.calls.discard(mine)
        mine.end(value, error)


class PykkaAsyncioHost(Host):
    """Runs coroutines on an asyncio loop of its own thread; the port `AsyncioHost`.

    Objects of the library live in that thread: make them, use them and end them by
    `run`, and let their callbacks `push` into `events`. Make the host inside a trio
    run, and `close` it there.
    """

    def __init__(self, *, grace_s: float = GRACE_S, **options: Unpack[Options]) -> None:
        """Start the loop; ``options`` are those of `Host`."""
        super().__init__(**options)
        self._grace_s = grace_s
        self._loop = _Loop(self._bridge, self._ended)

    async def run(
        self, call: Callable[..., Awaitable[T]], *args: object, deadline_s: float
    ) -> T:
        """Return what ``await call(*args)`` returns in the loop, or raise its error.

        ``call`` itself is called in the loop's thread too. Blocks at most
        ``deadline_s`` seconds, and the host's ``grace_s`` if the loop hangs. At the
        deadline, or if it is cancelled here, the coroutine is cancelled in its loop.

        Raises:
            TimeoutError: after ``deadline_s``; the call's outcome is not known.
            LoopLost: a `TimeoutError` too; the loop hung, and all objects that live
                in it are lost. The next call finds a new loop.
            HostRefused: the host is closed or full, too many threads hang, or events
                were lost (`EventsLost`); nothing was called.
        """
        loop = self._loop
        self._check(len(loop.calls))
        mine = _Coroutine(partial(call, *args), repr(call))
        loop.calls.add(mine)
        loop.send(loop.begin, mine)
        try:
            in_time = await mine.wait(deadline_s)
        finally:
            if not mine.ended:
                await self._cancel(loop, mine)
        if isinstance(mine.error, LoopLost):
            raise mine.error
        if not in_time:
            message = f"{self.name}: no answer from {mine.name} within {deadline_s} s"
            raise TimeoutError(message)
        return _result(mine)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Cancel what runs and let the loop end; does not wait; idempotent.

        Calls under way fail; their outcome is not known. Events end.
        """
        if self._closed:
            return
        self._closed = True
        self._close_events()
        self._loop.stop()
        self._lose(self._loop, f"{self.name}: the host was closed during this call")

    async def _cancel(self, loop: _Loop, mine: _Coroutine) -> None:
        """Cancel in the loop, and see whether it is alive; else abandon it."""
        loop.send(loop.cancel, mine)
        heard = Call()
        loop.send(lambda: self._bridge.offer(partial(heard.end, None, None)))
        with trio.CancelScope(shield=True):
            alive = await heard.wait(self._grace_s)
        if not alive and not loop.abandoned and not self._closed:
            self._abandon(loop, mine)

    def _abandon(self, loop: _Loop, mine: _Coroutine) -> None:
        loop.abandoned = True
        self.hung.count += 1
        text = f"{self.name}: the loop hangs, with {mine.name} under way"
        loop.stop()
        self._close_events()
        self._lose(loop, f"{text}; all that lived in it is lost")
        self._tell("abandoned", text)
        self._loop = _Loop(self._bridge, self._ended)

    @staticmethod
    def _lose(loop: _Loop, why: str) -> None:
        calls, loop.calls = loop.calls, set()
        for call in calls:
            call.end(None, LoopLost(why))

    def _ended(self, loop: _Loop) -> None:
        if loop.abandoned:
            self.hung.count -= 1
            self._tell("returned", f"{self.name}: the loop came back after all")


async def _awaited(call: Callable[[], Awaitable[Any]]) -> tuple[Any, Any]:
    """Return the result and the error of a call.

    A `SystemExit` would end the loop: it travels to the caller as any other error.
    """
    try:
        return await call(), None
    except (SystemExit, KeyboardInterrupt) as error:
        return None, error


def _result(mine: _Coroutine) -> Any:  # noqa: ANN401 - whatever was called
    if isinstance(mine.error, asyncio.CancelledError):
        # Nobody here is cancelled: the library has cancelled its own task.
        message = f"{mine.name} was cancelled in its loop; its outcome is not known"
        raise TimeoutError(message) from mine.error
    return mine.result()
