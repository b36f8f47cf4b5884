"""The demo's engine: a paper run as a process of its own, which may be killed.

Called as ``python -m holdfast.demo.engine OPTIONS``; the options are `Show` as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import attrs
import trio

from holdfast.logs import Logs
from holdfast.options import RunOptions, read_options
from holdfast.paper import run_paper
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_runtime import Backoff


@attrs.frozen(kw_only=True)
class Show:
    """What is run, and how fast."""

    files: tuple[str, ...]
    data: str
    state: str
    capital: str
    commission: str
    speed: float
    """Times faster than it happened."""

    backoff_s: float
    """The wait before the first restart of an actor."""

    logs: Logs
    """How it is logged, on standard error."""

    def options(self) -> RunOptions:
        """Load the strategies and the data.

        Raises:
            InputError: one of them cannot be used.
        """
        return read_options(
            self.files,
            data=self.data,
            capital=self.capital,
            commission=self.commission,
        )

    @classmethod
    def of(cls, text: str) -> Show:
        """Return the show that ``text`` tells."""
        told = json.loads(text)
        return cls(**told | {"logs": Logs(**told["logs"])})

    def arguments(self) -> list[str]:
        """Return the command line that runs it."""
        return [sys.executable, "-m", __name__, json.dumps(attrs.asdict(self))]


def run_show(show: Show) -> int:
    """Run to the end of the data; return the status of the process."""
    backoff = Backoff(first_s=show.backoff_s)
    try:
        options = show.options()
        with StateDir.open(Path(show.state), os.getpid()) as directory:
            run = trio.run(
                run_paper,
                options,
                directory,
                show.speed,
                None,
                None,
                backoff,
                show.logs,
            )
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if run.finished and not run.parked else 1


if __name__ == "__main__":
    sys.exit(run_show(Show.of(sys.argv[1])))
