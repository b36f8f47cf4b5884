"""``holdfast journal``: check, read and mend the journal of a run."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from holdfast.cli.failing import FAILED, Refusal
from holdfast.cli.output import show_line
from holdfast.cli.sharing import whole_number
from holdfast.clocks import SystemClock
from holdfast_adapters.files import written_whole
from holdfast_adapters.journal.codec import KINDS
from holdfast_adapters.journal.export import export as exported
from holdfast_adapters.journal.repair import last_whole, repair as repaired
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.journal.verify import verify as verified
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError, JournalError

FOLLOW_S = 0.25
_directory = click.argument("directory", metavar="DIR")


@click.group(no_args_is_help=False, epilog="Example: holdfast journal verify runs/sma")
def journal() -> None:
    """Check, read and mend the journal in a state directory."""


@journal.command(epilog="Example: holdfast journal verify runs/sma")
@_directory
def verify(directory: str) -> int:
    """Check every record of the journal in DIR; an engine may be running on it.

    Prints how many there are, the last hash, and how many of each kind. The exit
    status is 1 if one is damaged.
    """
    report = verified(_journal(directory))
    if report.damaged is not None:
        raise Refusal(str(report.damaged), FAILED)
    show_line(f"{report.records} records, all good")
    show_line(f"last hash: {report.last_hash}")
    for kind, count in report.kinds.items():
        show_line(f"{count:>9}  {kind}")
    return 0


@journal.command(epilog="Example: holdfast journal tail runs/sma -n 5 --follow")
@_directory
@click.option(
    "-n", "count", default="20", show_default=True, metavar="N", help="How many."
)
@click.option("--follow", is_flag=True, help="Go on with what is written from now on.")
def tail(directory: str, count: str, follow: bool) -> int:
    """Print the last records of the journal in DIR, the oldest first."""
    shown = whole_number("-n", count, 0)
    path = _journal(directory)
    store = SqliteJournal(path, 0, read_only=True)
    after = max(0, store.last_sequence - shown)
    store.close()
    while True:
        for record in exported(path, after):
            after = record["sequence"]
            show_line(_readable(record))
        if not follow:
            return 0
        sys.stdout.flush()
        time.sleep(FOLLOW_S)


@journal.command(epilog="Example: holdfast journal export runs/sma --kind OrderFilled")
@_directory
@click.option("--out", metavar="FILE", help="Write to a file, whole or not at all.")
@click.option("--kind", metavar="KIND", help="Only these, such as OrderFilled.")
@click.option(
    "--after", default="0", metavar="N", help="Only records with a higher number."
)
def export(directory: str, out: str | None, kind: str | None, after: str) -> int:
    """Print the journal in DIR as JSON, one record on a line."""
    first = whole_number("--after", after, 0)
    if kind is not None and kind not in KINDS:
        expected = f"one of {', '.join(KINDS)}"
        raise InputError("--kind", expected, repr(kind), "name one of them")
    records = exported(_journal(directory), first, kind)
    if out is None:
        _write(records, sys.stdout)
        return 0
    try:
        with written_whole(Path(out)) as file:
            count = _write(records, file)
    except OSError as error:
        came = error.strerror or str(error)
        todo = "choose another place"
        raise InputError(out, "a file that can be written", came, todo) from error
    show_line(f"{count} records in {out}")
    return 0


@journal.command(epilog="Example: holdfast journal repair runs/sma --to 1041")
@_directory
@click.option("--to", required=True, metavar="N", help="The last record to keep.")
def repair(directory: str, to: str) -> int:
    """Cut the journal in DIR after a good record; the damaged one is kept aside."""
    last = whole_number("--to", to, 0)
    _journal(directory)
    with StateDir.open(Path(directory), os.getpid()) as state:
        last = _whole(state.journal, last)
        copy = repaired(state.journal, last, SystemClock().now())
    show_line(f"kept {last} records; the journal as it was: {copy}")
    show_line(
        f"what was traded after record {last} is in the venue's record alone now; "
        f"see it with 'holdfast audit {directory}'"
    )
    return 0


@journal.command(
    epilog="Example: holdfast journal quarantine runs/sma --release journal:17 --by ann"
)
@_directory
@click.option("--release", metavar="ORIGIN", help="Such as journal:17 or input:300.")
@click.option("--by", metavar="WHO", help="Who takes it on; with --release.")
def quarantine(directory: str, release: str | None, by: str | None) -> int:
    """List the records in quarantine, or release one.

    A record that crashed its reader twice is kept aside, and what it is about does not
    trade any more. A released one is read again at the next start.
    """
    from holdfast.cli.quarantine import held, released  # noqa: PLC0415 - heavy

    if release is None:
        if by is not None:
            message = "expected --by with --release only, got it alone"
            raise click.UsageError(message, click.get_current_context())
        for line in held(_journal(directory)):
            show_line(line)
        return 0
    if by is None or not by.strip():
        raise InputError("--by", "who releases it", repr(by), "such as --by ann")
    _journal(directory)
    with StateDir.open(Path(directory), os.getpid()) as state:
        count = released(state.journal, release, by, SystemClock())
    show_line(f"released: {release}" + (f" ({count} readers)" if count > 1 else ""))
    return 0


def _whole(path: Path, to: int) -> int:
    """Return ``to``, or the record before the decision that it would cut in two."""
    with contextlib.suppress(JournalError, InputError):
        return last_whole(path, to)
    return to


def _journal(directory: str) -> Path:
    """Return the journal of a state directory that exists."""
    return StateDir.at(Path(directory)).journal


def _readable(record: dict[str, Any]) -> str:
    body = json.dumps(record["body"], ensure_ascii=False)
    return f"{record['sequence']:>7}  {record['market_time']}  {record['kind']}  {body}"


def _write(records: Iterator[dict[str, Any]], file: TextIO) -> int:
    count = 0
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
        count += 1
    return count
