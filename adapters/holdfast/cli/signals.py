"""Signals to a running engine: stop in order, cut, halt."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any, Self

import attrs
import trio

from holdfast.cli.failing import BY_SIGNAL, say_at_once
from holdfast_actors.messages import Halt
from holdfast_actors.tree import GUARD
from holdfast_runtime import LiveEngine, Ref

_ENDING = (signal.SIGINT, signal.SIGTERM)


@attrs.define(eq=False)
class Stopping:
    """SIGINT and SIGTERM: the first one stops the engine in order, the second cuts.

    The handlers are plain ones: a strategy that never returns keeps trio from its
    tasks, and must not keep its user from ending the process.
    """

    how_to_resume: str
    _came: list[int] = attrs.field(factory=list)
    _stop: trio.Event | None = None
    _token: trio.lowlevel.TrioToken | None = None
    _before: dict[int, Any] = attrs.field(factory=dict)

    def __enter__(self) -> Self:
        for each in _ENDING:
            self._before[each] = signal.signal(each, self._received)
        return self

    def __exit__(self, *raised: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    @property
    def number(self) -> int | None:
        """The first signal that came."""
        return self._came[0] if self._came else None

    def event(self) -> trio.Event:
        """Return what is set by the first signal; to be called inside trio."""
        self._stop = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        if self.number is not None:
            self._stop.set()
        return self._stop

    def _received(self, number: int, frame: FrameType | None) -> None:
        del frame
        # A second signal may interrupt this very line: one of the two sees both.
        self._came.append(number)
        if len(self._came) > 1:
            # What was committed is safe; what was not is as after a power cut.
            say_at_once("cut")
            os._exit(BY_SIGNAL + number)
        say_at_once(f"stopping in order; go on with: {self.how_to_resume}")
        if self._token is not None and self._stop is not None:
            self._token.run_sync_soon(self._stop.set)


@attrs.define(eq=False)
class Halting:
    """SIGUSR1: halts the engine, as soon as there is one."""

    _guard: Ref[Any] | None = None
    _is_wanted: bool = False

    def attach(self, engine: LiveEngine) -> None:
        """Say whose guard is told."""
        self._guard = engine.ref(GUARD)
        self._tell()

    async def listen(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Take the signals until cancelled."""
        with trio.open_signal_receiver(signal.SIGUSR1) as signals:
            task_status.started()
            async for _ in signals:
                self._is_wanted = True
                self._tell()

    def _tell(self) -> None:
        if self._is_wanted and self._guard is not None:
            self._is_wanted = False
            self._guard.tell(Halt("SIGUSR1", "signal"))
