"""Runs on paper for the proofs: in this process, or as one that can be killed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import trio

from holdfast.options import RunOptions
from holdfast.paper import Observer, RunEnd, paper_result, run_paper
from holdfast.results.measure import RunResult
from holdfast_adapters.statedir import StateDir
from holdfast_runtime import Backoff

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
DATA = EXAMPLES / "data"
RESTLESS = Path(__file__).parent / "strategies" / "restless.py"
BOUND = RESTLESS.with_name("bound.py")
SHORT = Backoff(first_s=0.01, limit_s=0.05)
"""Restarts without the pauses that a real fault would need."""

DEADLINE_S = 600.0


def run_on_paper(
    options: RunOptions,
    state: Path,
    *,
    speed: float | None = None,
    observe: Observer | None = None,
) -> RunResult:
    """Run to the end of the data on the live engine, in this process."""
    with StateDir.open(state, os.getpid()) as directory:
        run: RunEnd = trio.run(
            run_paper, options, directory, speed, observe, None, SHORT
        )
        assert run.finished
        assert run.parked == {}
        return paper_result(options, directory, run)


def start_process(state: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start ``holdfast paper`` as a process of its own, on ``state``."""
    command = [sys.executable, "-m", "holdfast", "paper", *arguments, "--json"]
    return subprocess.Popen(
        [*command, "--state", str(state)],
        env=os.environ | {"HOLDFAST_DATA_DIR": str(state.parent / "user")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(
    process: subprocess.Popen[str],
    happened: Callable[[], bool],
    *,
    limit_s: float = DEADLINE_S,
    every_s: float = 0.001,
) -> None:
    """Return when it has happened, the process has ended, or the time is over.

    It is looked for ``every_s``.
    """
    until_s = time.perf_counter() + limit_s
    while not happened() and time.perf_counter() < until_s:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(every_s)
            return


def records_of(state: Path) -> int:
    """Return how many records the journal has now, whoever writes it."""
    uri = f"{(state / 'journal.sqlite').as_uri()}?mode=ro"
    question = "SELECT ifnull(max(sequence), 0) FROM records"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as file:
            return int(file.execute(question).fetchone()[0])
    except sqlite3.OperationalError:  # not there, or not made yet
        return 0
