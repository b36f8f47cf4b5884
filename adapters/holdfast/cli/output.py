"""What is printed where: results on standard output, progress on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import NoReturn, Self

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

PLAIN_WIDTH = 120
"""Columns where there is no terminal to ask."""


class _Printer(Console):
    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def printer() -> Console:
    """Return the console of standard output; as wide as the terminal, if it is one."""
    wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    return _Printer(width=None if wide else PLAIN_WIDTH, highlight=False)


def show(what: RenderableType) -> None:
    """Print something of rich on standard output."""
    printer().print(what)


def show_line(text: str) -> None:
    """Print one line on standard output, as it is and never wrapped."""
    sys.stdout.write(f"{text}\n")


def show_json(value: object) -> None:
    """Print one JSON object on one line of standard output."""
    show_line(json.dumps(value, allow_nan=False))


def duration(seconds: float) -> str:
    """Return a duration as people say it: in seconds, minutes, hours or days."""
    for unit, length_s, least in (("d", 86_400, 2), ("h", 3_600, 2), ("min", 60, 2)):
        if seconds >= least * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"


@contextlib.contextmanager
def kept_for_json(wanted: bool) -> Iterator[None]:
    """Send what a strategy prints to standard error if standard output is for JSON."""
    with contextlib.ExitStack() as stack:
        if wanted:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


class Meter:
    """A progress bar on standard error; silent where that is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it."""
        return not self._progress.disable

    def at(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps are done."""
        if self._task is None:
            self._task = self._progress.add_task(self._what, total=total)
        self._progress.update(self._task, completed=done, total=total)
