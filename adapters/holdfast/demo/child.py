"""The engine's process as its parent sees it: started, asked, told, killed."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.console.client import Refused, ask
from holdfast.demo.engine import Show
from holdfast_domain.errors import InputError

END_S = 10.0


class EngineProcess:
    """One engine at a time, on one state directory; ends only what it has started."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._folder = Path(show.state)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = self._folder / "engine.log"

    @property
    def pid(self) -> int:
        """The process that was started last; 0 before."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Start a process on the state, which resumes what it finds there."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._show.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def status_code(self) -> int | None:
        """Return how the process ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def close(self) -> None:
        """End the process if it still runs, asking first."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def status(self) -> dict[str, Any] | None:
        """Return the engine's status; None while it cannot answer."""
        answer = self._ask({"command": "status"})
        return None if answer is None else answer["status"]

    def crash(self, path: str, reason: str) -> bool:
        """Crash one actor of the tree; whether the engine took the command."""
        request = {"command": "kill", "path": path, "reason": reason}
        return self._ask(request) is not None

    def _ask(self, request: Mapping[str, object]) -> dict[str, Any] | None:
        """Return the answer of the engine; None if there is none now."""
        with contextlib.suppress(InputError, Refused):
            return ask(self._folder, request)
        return None

    def check_alive(self) -> None:
        """Refuse to go on when the process ended by itself with an error.

        Raises:
            InputError: with the last line that it wrote.
        """
        code = self.status_code()
        if code:
            lines = self.log.read_text(errors="replace").strip().splitlines()
            raise InputError(
                f"demo: the engine {self.pid}",
                "an engine that runs to the end of its data",
                f"status {code}: {lines[-1] if lines else 'nothing said'}",
                f"see {self.log}",
            )
