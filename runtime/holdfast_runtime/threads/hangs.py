"""Hangs: a thread that sees a synchronous handler hold the engine's own.

A handler that hangs lets nothing else run on its thread, timers included. A signal
would do without a thread, but only in the main one, and there is one alarm for the
whole process, which may be somebody else's.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import PurePath

import attrs

POLL_MIN_S = 0.005
POLL_MAX_S = 0.25
"""How often a `HangWatch` looks: four times in the smallest budget, within these."""

CALLS = 4
"""How many calls are told of where a handler stands."""

_LOG = logging.getLogger("holdfast_runtime")


@attrs.frozen(kw_only=True)
class Hang:
    """A synchronous handler that is over its budget and has not returned."""

    path: str
    """The actor's place in the tree."""

    held_s: float
    """How long it holds the engine's thread."""

    where: str
    """Where it stands: ``file:line in function``, and who called that, and so on."""


class HangWatch:
    """Sees from a thread of its own that a handler holds the engine's thread."""

    def __init__(self, listeners: list[Callable[[Hang], None]]) -> None:
        """Tell ``listeners``, on the new thread; make it on the engine's thread."""
        self._listeners = listeners
        self._watched = threading.get_ident()
        self._entered: tuple[str, float, float] | None = None
        self._poll_s = POLL_MAX_S
        self._closed = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="holdfast-hang-watch", daemon=True
        )
        self._thread.start()

    def look_for(self, budget_s: float) -> None:
        """Look often enough to see that ``budget_s`` is overrun."""
        self._poll_s = max(POLL_MIN_S, min(self._poll_s, budget_s / 4))

    def enter(self, path: str, budget_s: float) -> None:
        """Say that a handler begins."""
        self._entered = (path, budget_s, time.perf_counter())

    def leave(self) -> None:
        """Say that it has returned."""
        self._entered = None

    def close(self) -> None:
        """Let the thread end; waits for it, unless it is the one that calls."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(POLL_MAX_S)

    def _run(self) -> None:
        told = None
        while not self._closed.wait(self._poll_s):
            entered = self._entered
            if entered is None or entered is told:
                continue
            path, budget_s, began_s = entered
            held_s = time.perf_counter() - began_s
            if held_s > budget_s:
                told = entered
                self._tell(Hang(path=path, held_s=held_s, where=self._where()))

    def _where(self) -> str:
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - documented
        calls: list[str] = []
        while frame is not None and len(calls) < CALLS:
            code = frame.f_code
            name = PurePath(code.co_filename).name
            calls.append(f"{name}:{frame.f_lineno} in {code.co_qualname}")
            frame = frame.f_back
        return ", by ".join(calls)

    def _tell(self, hang: Hang) -> None:
        for listener in self._listeners:
            listener(hang)
        if not self._listeners:
            _LOG.warning(
                "%s holds the engine for %.3g s, at %s",
                hang.path,
                hang.held_s,
                hang.where,
            )
