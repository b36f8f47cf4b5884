"""The director: follows the engine's market time and does what the plot says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from holdfast.demo.child import EngineProcess
from holdfast.demo.plot import Act, Deed
from holdfast_domain.errors import InputError

POLL_S = 0.1
HUNT_POLL_S = 0.005
HUNT_S = 1.5
"""How long a kill waits for a moment at which orders are at work."""

Told = Callable[[str], None]
Shown = Callable[[dict[str, Any] | None], None]


class Director:
    """Runs the demo's engine from its start to the end of its data."""

    def __init__(
        self, engine: EngineProcess, acts: Sequence[Act], told: Told, shown: Shown
    ) -> None:
        """``told`` takes a line for the log, ``shown`` each status, or None."""
        self._engine = engine
        self._acts = list(acts)
        self._told = told
        self._shown = shown
        self._down_since_s: float | None = None

    def run(self, limit_s: float) -> None:
        """Return when the engine has come to the end of its data.

        Raises:
            InputError: it ended with an error, or takes longer than ``limit_s``.
        """
        self._start("started the engine")
        until_s = time.perf_counter() + limit_s
        while self._engine.status_code() is None:
            if time.perf_counter() > until_s:
                raise InputError(
                    "demo", f"an end within {limit_s:.0f} s", "none", "raise --speed"
                )
            self._look()
            time.sleep(POLL_S)
        self._engine.check_alive()
        if self._acts:
            raise InputError(
                "demo",
                "time for all that is done to the engine",
                f"{len(self._acts)} deeds left at the end of the data",
                "lower --speed",
            )
        self._told("the data is at its end; the engine has stopped")

    def _look(self) -> None:
        status = self._engine.status()
        self._shown(status)
        if status is None:
            return
        if self._down_since_s is not None:
            down_s = time.perf_counter() - self._down_since_s
            self._told(
                f"pid {self._engine.pid} has replayed the journal and trades on "
                f"at {status['market_time'][:10]}, {down_s:.1f} s later"
            )
            self._down_since_s = None
        if self._acts and status["market_time"]:
            now = datetime.fromisoformat(status["market_time"])
            if now >= self._acts[0].at:
                self._do(self._acts.pop(0), status)

    def _do(self, act: Act, status: dict[str, Any]) -> None:
        if act.deed is Deed.KILL:
            self._kill(status)
            return
        done = self._engine.crash(act.path, f"the demo crashes {act.what}")
        self._told(f"crashing {act.what}: {act.path}{'' if done else ': no answer'}")

    def _kill(self, status: dict[str, Any]) -> None:
        """Kill the process when orders are at work, and start it again."""
        until_s = time.perf_counter() + HUNT_S
        while not status["orders"] and time.perf_counter() < until_s:
            time.sleep(HUNT_POLL_S)
            status = self._engine.status() or status
        self._told(
            f"SIGKILL to the engine (pid {self._engine.pid}) at "
            f"{status['market_time'][:10]}, with {len(status['orders'])} orders at work"
        )
        self._engine.kill()
        self._down_since_s = time.perf_counter()
        self._shown(None)
        self._start("started it again on the same state")

    def _start(self, said: str) -> None:
        self._engine.start()
        self._told(f"{said}: pid {self._engine.pid}")
