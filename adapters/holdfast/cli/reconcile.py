"""``holdfast reconcile``: compare a running engine's books with its venue, now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from holdfast.cli.output import show, show_json, show_line
from holdfast.cli.running import directory_argument, path_of, who
from holdfast.console.client import ask
from holdfast.console.reconciliation import policies_of
from holdfast_domain.errors import InputError

POLL_S: Final = 0.1
_COLUMNS = ("subject", "name", "kind", "severity", "here", "there", "action", "why")


@click.command(epilog="Example: holdfast reconcile runs/sma --json")
@directory_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="[SEVERITY=]POLICY",
    help="From now on do so about differences; may be given again.",
)
@click.option("--consent", is_flag=True, help="sync_to_local may trade.")
@click.option("--any-size", is_flag=True, help="Adjust above the limit, this once.")
@click.option("--by", metavar="WHO", help="Who asks; else the name of the user.")
def reconcile(
    directory: str | None,
    as_json: bool,
    policies: tuple[str, ...],
    consent: bool,
    any_size: bool,
    by: str | None,
) -> int:
    """Compare the books of the engine on DIR with its venues; say what differed.

    SEVERITY is minor, moderate or critical, or all without it; POLICY is warn,
    sync_to_broker, sync_to_local or halt_and_alert. The exit status is 1 where it
    could not be told, or where trading was halted.
    """
    path = path_of(directory)
    asks = who(by)
    if policies:
        if by is None:
            raise InputError("--by", "who chooses the policy", "nobody", "say --by WHO")
        policies_of(policies, asks, consent=consent)
        request = {"command": "reconcile_policy", "policies": list(policies)}
        ask(path, {**request, "by": asks, "consent": consent})
    told = ask(path, {"command": "reconcile", "by": asks, "any_size": any_size})
    report = _finished(path, int(told["run"]))
    if as_json:
        show_json(report)
    venues = report["venues"].values()
    if not as_json:
        for last in venues:
            _show(last)
    return int(any(_is_bad(last) for last in venues))


def _is_bad(last: dict[str, Any]) -> bool:
    halted = any(each["action"] == "halted" for each in last["findings"])
    return halted or last["verdict"] == "inconclusive"


def _finished(path: Path, run: int) -> dict[str, Any]:
    """Wait for a reconciliation; return how it stands then."""
    while True:
        answer: dict[str, Any] = ask(path, {"command": "reconciliation"})
        report: dict[str, Any] = answer["reconciliation"]
        if report["runs"] >= run:
            return report
        time.sleep(POLL_S)


def _show(last: dict[str, Any]) -> None:
    show_line(
        f"{last['verdict']}: reconciliation {last['run']} of {last['venue']}, "
        f"{last['trigger']}, as of record {last['record']}"
    )
    if last["findings"]:
        table = Table(
            box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold"
        )
        for name in _COLUMNS:
            table.add_column(name)
        for each in last["findings"]:
            style = "bold red" if each["severity"] == "critical" else ""
            values = (each[name] or "nothing" for name in _COLUMNS)
            table.add_row(*(Text(value, style=style) for value in values))
        show(table)
    for text in last["unclear"]:
        show_line(f"unclear: {text}")
