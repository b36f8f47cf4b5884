"""Signals to a running engine: stop in order, cut, halt."""

from __future__ import annotations

import signal
from typing import Any

import attrs
import trio

from holdfast.cli.failing import say_at_once
from holdfast_actors.messages import Halt
from holdfast_actors.tree import GUARD
from holdfast_runtime import LiveEngine, Ref, Signals


def stopping(how_to_resume: str) -> Signals:
    """Return signals that say what they do; the first one says how to go on."""

    def said(count: int) -> None:
        if count == 1:
            say_at_once(f"stopping in order; go on with: {how_to_resume}")
        else:
            say_at_once("cut")

    return Signals(said)


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
