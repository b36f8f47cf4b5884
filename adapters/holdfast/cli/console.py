"""``holdfast status``, ``halt`` and ``resume``: a running engine, from outside."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.live import Live

from holdfast.cli.output import printer, show, show_json, show_line
from holdfast.cli.render import render_status
from holdfast.cli.running import check_text, directory_argument, path_of, who
from holdfast.console.client import NotRunning, ask, not_running
from holdfast_adapters.files import sync_directory, sync_file
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError

REFRESH_S = 1.0

_reason = click.option(
    "--reason", required=True, metavar="TEXT", help="For the record."
)


@click.command(epilog="Example: holdfast status runs/sma --watch")
@directory_argument
@click.option("--watch", is_flag=True, help="Show it anew each second.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(directory: str | None, watch: bool, as_json: bool) -> int:
    """Show the engine that runs on the state directory DIR.

    Without DIR: the only one that runs.
    """
    if watch and as_json:
        message = "expected --watch or --json, got both"
        raise click.UsageError(message, click.get_current_context())
    path = path_of(directory)
    if as_json:
        show_json(_status(path))
    elif watch:
        _watch(path)
    else:
        show(render_status(_status(path)))
    return 0


@click.command(epilog='Example: holdfast halt runs/sma --reason "lunch"')
@directory_argument
@_reason
@click.option("--by", metavar="WHO", help="Who asks; else the name of the user.")
def halt(directory: str | None, reason: str, by: str | None) -> int:
    """Stop the orders of the engine on DIR; the engine itself goes on.

    A halt lasts until 'holdfast resume', over restarts too. If no engine runs on DIR,
    its next start is halted.
    """
    path = path_of(directory)
    check_text("--reason", reason)
    try:
        ask(path, {"command": "halt", "reason": reason, "by": who(by)})
    except NotRunning:
        _halt_next_start(StateDir.at(path), reason, who(by))
        return 0
    show_line(f"halted: {path}; lift it with 'holdfast resume {path}'")
    return 0


@click.command(epilog='Example: holdfast resume runs/sma --reason "back" --by ann')
@directory_argument
@_reason
@click.option("--by", required=True, metavar="WHO", help="Who takes it on.")
@click.option("--venue", metavar="NAME", help="Only that of a venue that is degraded.")
def resume(directory: str | None, reason: str, by: str, venue: str | None) -> int:
    """Lift a halt of the engine on DIR: orders go out again."""
    path = path_of(directory)
    check_text("--reason", reason)
    check_text("--by", by)
    request = {"command": "resume", "reason": reason, "by": by}
    ask(path, request if venue is None else {**request, "venue": venue})
    show_line(f"resumed: {path if venue is None else f'{venue} of {path}'}")
    return 0


def _status(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = ask(path, {"command": "status"})["status"]
    return found


def _watch(path: Path) -> None:
    shown = _status(path)
    with Live(render_status(shown), console=printer(), auto_refresh=False) as live:
        while True:
            live.update(render_status(shown), refresh=True)
            time.sleep(REFRESH_S)
            try:
                shown = _status(path)
            except NotRunning:
                return


def _halt_next_start(state: StateDir, reason: str, by: str) -> None:
    if not (state.version.exists() or state.journal.exists()):
        raise not_running(state.path)
    try:
        state.halt.write_text(f"{reason} ({by})\n", encoding="utf-8")
        sync_file(state.halt)
        sync_directory(state.path)
    except OSError as error:
        came = error.strerror or str(error)
        raise InputError(
            str(state.halt), "a file that can be written", came, "check permissions"
        ) from error
    show_line(
        f"no engine runs on {state.path}: wrote {state.halt}, its next start is "
        "halted; to go on, remove the file and then 'holdfast resume'"
    )
