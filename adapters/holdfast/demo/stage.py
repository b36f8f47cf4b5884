"""The stage: composes the demo from its parts, and clears up after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
from rich.console import Console

from holdfast.compose import VENUE
from holdfast.demo.child import EngineProcess
from holdfast.demo.director import Director
from holdfast.demo.ending import read_ending, write_ending
from holdfast.demo.engine import Show
from holdfast.demo.plot import acts_of
from holdfast.demo.samples import sample_path
from holdfast.demo.screen import LiveScreen, PlainScreen, Screen
from holdfast.logs import Logs
from holdfast.results import data_directory
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError

STRATEGIES = ("sma_cross.py", "rebalance.py")


def perform(
    *,
    state: Path | None,
    speed: float,
    report: Path | None,
    plain: bool,
    backoff_s: float,
    limit_s: float,
    logs: Logs,
) -> int:
    """Run the demo; return the exit status.

    Raises:
        InputError: a wrong place for the state or report, or an engine that failed.
    """
    folder = _fresh(state)
    show = Show(
        files=tuple(str(sample_path("strategies") / name) for name in STRATEGIES),
        data=str(sample_path("data")),
        state=str(folder),
        capital="100000",
        commission="0.001",
        speed=speed,
        backoff_s=backoff_s,
        logs=logs,
    )
    options = show.options()
    acts = acts_of(options.data, VENUE, options.names[0])
    console = Console()
    screen: Screen = LiveScreen(console)
    if plain or not console.is_terminal:
        screen = PlainScreen(click.echo)
    engine = EngineProcess(show)
    try:
        with screen:
            Director(engine, acts, screen.told, screen.shown).run(limit_s)
    finally:
        engine.close()
    ending = read_ending(options, StateDir.at(folder))
    write_ending(ending, options, report or folder, console, click.echo)
    return 0 if ending.ok else 1


def _fresh(state: Path | None) -> Path:
    """Return a directory for the state in which no run has begun."""
    if state is None:
        parent = data_directory(os.environ) / "demo"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    if (state / "journal.sqlite").exists():
        raise InputError(
            str(state), "a new state directory", "one with a journal", "name another"
        )
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return state
