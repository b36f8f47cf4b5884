"""``holdfast state``: the snapshots of a run, for people."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import attrs
import click

from holdfast.cli.output import duration, show_json, show_line
from holdfast.clocks import SystemClock
from holdfast.keeping import STALE_AFTER_S
from holdfast_actors.recovery import fits
from holdfast_adapters.journal.snapshots import (
    NotASnapshot,
    SnapshotFiles,
    export_to,
    read_snapshot,
)
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_domain.orders import TERMINAL, OrderState
from holdfast_domain.snapshots import Snapshot

_directory = click.argument("directory", metavar="DIR")


@click.group(no_args_is_help=False, epilog="Example: holdfast state show runs/sma")
def state() -> None:
    """Look at the snapshots in a state directory, and carry them elsewhere."""


@state.command(epilog="Example: holdfast state show runs/sma --json")
@_directory
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(directory: str, as_json: bool) -> int:
    """Show the newest good snapshot in DIR; an engine may be running on it."""
    found, files = _newest(Path(directory))
    if as_json:
        show_json(attrs.asdict(found, recurse=False))
        return 0
    age_s = (SystemClock().now() - found.made_at).total_seconds()
    stale = ", stale" if age_s > STALE_AFTER_S else ""
    show_line(f"record    {found.sequence} of epoch {found.epoch}")
    made = f"{found.made_at.isoformat()} ({duration(age_s)} ago{stale})"
    show_line(f"made      {made}: {found.why}")
    show_line(f"halted    {'yes' if found.sections['run']['halted'] else 'no'}")
    for line in (*_held(found.sections["ledger"]), *_orders(found.sections["orders"])):
        show_line(line)
    for path, why in files.passed_over.items():
        show_line(f"not used  {path.name}: {why}")
    return 0


@state.command(epilog="Example: holdfast state export runs/sma --out sma.json")
@_directory
@click.option("--out", required=True, metavar="FILE", help="Written whole or not.")
def export(directory: str, out: str) -> int:
    """Write the newest good snapshot in DIR to a file."""
    found, _ = _newest(Path(directory))
    export_to(found, Path(out))
    show_line(f"the state as of record {found.sequence} is in {out}")
    return 0


@state.command("import", epilog="Example: holdfast state import runs/sma sma.json")
@_directory
@click.argument("file", metavar="FILE")
def import_(directory: str, file: str) -> int:
    """Take a snapshot into DIR that was exported from it.

    It is taken only if it was made from the journal in DIR, record by record; the next
    start reads it, and the records after it.
    """
    StateDir.at(Path(directory))
    snapshot = _read(Path(file))
    with StateDir.open(Path(directory), os.getpid()) as taken:
        store = _journal(taken)
        with contextlib.closing(store):
            if snapshot.engine != store.engine or not fits(snapshot, store):
                raise InputError(
                    file,
                    f"a snapshot of the journal in {directory}",
                    "one of another journal, or of records that it does not have",
                    "import it where it was exported",
                )
        SnapshotFiles(taken.snapshots).save(snapshot)
    show_line(f"the next start on {directory} goes on from record {snapshot.sequence}")
    return 0


def _newest(path: Path) -> tuple[Snapshot, SnapshotFiles]:
    taken = StateDir.at(path)
    files = SnapshotFiles(taken.snapshots)
    with contextlib.closing(_journal(taken)) as store:
        for snapshot in files.newest_first():
            if fits(snapshot, store):
                return snapshot, files
    raise InputError(
        str(taken.snapshots),
        "a good snapshot",
        "; ".join(files.passed_over.values()) or "none",
        "a start replays the whole journal; see it with 'holdfast ledger DIR'",
    )


def _journal(taken: StateDir) -> SqliteJournal:
    return SqliteJournal(taken.journal, 0, read_only=True)


def _read(path: Path) -> Snapshot:
    try:
        return read_snapshot(path.read_bytes())
    except (OSError, NotASnapshot) as error:
        came = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), "an exported snapshot", came) from error


def _held(ledger: dict[str, Any]) -> list[str]:
    lines = []
    for name, book in ledger["strategies"].items():
        cash = ", ".join(f"{amount} {unit}" for unit, amount in book["cash"].items())
        lines.append(f"strategy  {name}: cash {cash or 'none'}")
        lines += [
            f"          {symbol} {held['amount']} at {held['cost_basis']}"
            for symbol, held in book["positions"].items()
            if held["amount"] != "0"
        ]
    return lines


def _orders(orders: dict[str, Any]) -> list[str]:
    return [
        f"order     {row['order_id']} {row['state']} of {row['strategy']}"
        for row in orders["rows"]
        if OrderState(row["state"]) not in TERMINAL
    ]
