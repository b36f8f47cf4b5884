"""``holdfast audit``: the auditor over a state directory."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from holdfast.cli.failing import FAILED
from holdfast.cli.output import show, show_json
from holdfast.cli.recording import multipliers_of
from holdfast.compose import VENUE
from holdfast_adapters.auditor import AuditReport, audit as audited
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError


@click.command(epilog="Example: holdfast audit runs/sma")
@click.argument("directory", metavar="DIR")
@click.option(
    "--instruments", metavar="FILE.yaml", help="That of the run, if it had one."
)
@click.option(
    "--record",
    "records",
    multiple=True,
    metavar="VENUE=FILE",
    help="Where a venue keeps its record, if not in DIR; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def audit(
    directory: str,
    instruments: str | None,
    records: tuple[str, ...],
    as_json: bool,
) -> int:
    """Compare the journal in DIR with its venue's own record.

    Looks for fills that were lost or booked twice, orders sent twice, money that does
    not add up, and breaks of the journal. The exit status is 1 if it finds anything.
    """
    state = StateDir.at(Path(directory))
    report = _report(state, instruments, dict(map(_record, records)))
    if as_json:
        show_json(
            {
                "ok": report.ok,
                "violations": report.violations,
                "checks": {check.name: check.findings for check in report.checks},
            }
        )
    else:
        show(_table(report))
    return 0 if report.ok else FAILED


def _report(
    state: StateDir, instruments: str | None, records: dict[str, Path]
) -> AuditReport:
    multipliers = multipliers_of(instruments)
    owner = StateDir.owner(state.path)
    if owner is not None:
        raise InputError(
            str(state.path),
            "a run that is over or stopped",
            f"one that process {owner} goes on with",
            "stop it first",
        )
    venues = {**state.venues(), **records} or {VENUE: state.venue(VENUE)}
    for path in (state.journal, *venues.values()):
        if not path.is_file():
            raise InputError(str(path), "a record", "no such file", "check DIR")
    try:
        return audited(state.journal, venues, multipliers=multipliers)
    except sqlite3.Error as error:
        raise InputError(
            str(state.path),
            "a journal and a venue's record",
            f"one that cannot be read ({error})",
            "see which with 'holdfast journal verify DIR'",
        ) from error


def _record(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not name:
        todo = "such as binance=venue.sqlite"
        raise InputError("--record", "VENUE=FILE", repr(text), todo)
    return name, Path(path)


def _table(report: AuditReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for check in report.checks:
        bad = "bold red" if check.findings else "green"
        table.add_row(Text(check.name), Text(str(len(check.findings)), style=bad))
        for finding in check.findings:
            table.add_row(Text(f"  {finding}", style="red"), Text())
    verdict = "nothing found" if report.ok else f"{report.violations} findings"
    table.add_row(Text(verdict, style="green" if report.ok else "bold red"), Text())
    return table
