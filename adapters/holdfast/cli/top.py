"""``holdfast top``: the actors of a running engine, as they work, from outside."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.live import Live

from holdfast.cli.actors import ORDERS, TREE, render_actors
from holdfast.cli.output import printer, show, show_json
from holdfast.cli.running import directory_argument, path_of
from holdfast.console.client import NotRunning, ask

REFRESH_S = 1.0


@click.command(epilog="Example: holdfast top runs/sma --sort waiting")
@directory_argument
@click.option("--once", is_flag=True, help="Show it once, not anew each second.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option(
    "--sort",
    type=click.Choice([TREE, *ORDERS]),
    default=TREE,
    show_default=True,
    help="Actors alone, the highest first; or the whole tree.",
)
def top(directory: str | None, once: bool, as_json: bool, sort: str) -> int:
    """Watch the actors of the engine that runs on the state directory DIR.

    Without DIR: the only one that runs. Where the output is no terminal it is shown
    once. Ends when the engine does.
    """
    path = path_of(directory)
    if once or not (as_json or sys.stdout.isatty()):
        shown = _tree(path)
        if as_json:
            show_json(shown)
        else:
            show(render_actors(shown, sort))
    elif as_json:
        _follow(path)
    else:
        _watch(path, sort)
    return 0


def _tree(path: Path) -> dict[str, Any]:
    return ask(path, {"command": "tree"})


def _follow(path: Path) -> None:
    shown = _tree(path)
    while True:
        show_json(shown)
        sys.stdout.flush()
        time.sleep(REFRESH_S)
        try:
            shown = _tree(path)
        except NotRunning:
            return


def _watch(path: Path, sort: str) -> None:
    shown = _tree(path)
    with Live(console=printer(), auto_refresh=False, screen=True) as live:
        while True:
            live.update(render_actors(shown, sort), refresh=True)
            time.sleep(REFRESH_S)
            try:
                shown = _tree(path)
            except NotRunning:
                break
    # The screen that was there before is back: the last picture stays below it.
    show(render_actors(shown, sort))
