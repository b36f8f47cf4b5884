"""``holdfast sim``: seeded histories of the whole engine against a hostile venue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from holdfast.cli.failing import FAILED
from holdfast.cli.output import Meter, show, show_json, show_line
from holdfast.simulation.plan import checked_kinds, draw
from holdfast.simulation.running import (
    Failure,
    Tally,
    failures_of,
    run_histories,
    verdict_of,
)
from holdfast_domain.errors import InputError

_SHOWN = 5
"""How many violations of a history are printed."""


@click.command(epilog="Example: holdfast sim --seeds 1000 --jobs 2")
@click.option("--seeds", type=click.IntRange(1), default=1_000, show_default=True,
              metavar="N", help="How many histories.")  # fmt: skip
@click.option("--from", "first", type=click.IntRange(0), default=0, show_default=True,
              metavar="S", help="The first seed.")  # fmt: skip
@click.option("--faults", metavar="LIST", help="Only these kinds, divided by commas.")
@click.option("--keep", metavar="LIST",
              help="Of one seed, only these faults, by number.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True,
              metavar="N", help="Processes to play them in.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sim(
    seeds: int,
    first: int,
    faults: str | None,
    keep: str | None,
    jobs: int,
    as_json: bool,
) -> int:
    """Try to make the engine lose an order, or send one twice.

    Each seed is a whole run in virtual time: strategies, an engine whose actors and
    processes die, and a venue that loses, repeats, delays and denies what it says. In
    the end an auditor compares the journal with the venue's own record. The exit status
    is 1 if anything is wrong; the line that replays it is printed.
    """
    kinds = None if faults is None else checked_kinds(faults)
    kept = None if keep is None else _numbers(keep, seeds)
    with Meter("sim") as meter:
        if kept is None:
            tally = run_histories(
                range(first, first + seeds), kinds, jobs=jobs, progress=meter.at
            )
        else:
            tally = Tally()
            tally.add(verdict_of(draw(first, kinds).only(kept)))
    failures = failures_of(tally, kinds, kept)
    if as_json:
        show_json(_as_json(tally, failures))
    else:
        _show(tally, failures)
    return FAILED if failures else 0


def _numbers(text: str, seeds: int) -> list[int]:
    if seeds != 1:
        raise InputError("--keep", "--seeds 1 with it", str(seeds), "name one seed")
    if text == "none":
        return []
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        todo = "give them as 0,3"
        raise InputError("--keep", "numbers of faults", text, todo) from None


def _as_json(tally: Tally, failures: Sequence[Failure]) -> dict[str, Any]:
    return {
        "histories": tally.histories,
        "per_second": round(tally.per_second, 1),
        "faults": _sorted(tally.struck),
        "restarts": tally.restarts,
        "unknown": {"resolved": tally.resolved.total(), "open": tally.open},
        "resolved_by": _sorted(tally.resolved),
        "violations": tally.violations,
        "failures": [
            {
                "seed": each.verdict.seed,
                "violations": list(each.verdict.violations),
                "faults": list(each.faults),
                "replay": each.replay,
            }
            for each in failures
        ],
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _show(tally: Tally, failures: Sequence[Failure]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("histories", f"{tally.histories:,}")
    table.add_row("per second", f"{tally.per_second:.1f}")
    table.add_row("faults", f"{tally.struck.total():,}")
    for kind, count in _sorted(tally.struck).items():
        table.add_row(f"  {kind}", f"{count:,}")
    table.add_row("restarts", f"{tally.restarts:,}")
    table.add_row("unknown orders resolved", f"{tally.resolved.total():,}")
    for kind, count in _sorted(tally.resolved).items():
        table.add_row(f"  by {kind}", f"{count:,}")
    table.add_row("unknown orders left", f"{tally.open:,}")
    style = "bold red" if failures else "green"
    table.add_row("violations", Text(f"{tally.violations:,}", style=style))
    show(table)
    for each in failures:
        _show_failure(each)


def _show_failure(failure: Failure) -> None:
    show(Text(f"seed {failure.verdict.seed}", style="bold red"))
    for violation in failure.verdict.violations[:_SHOWN]:
        show_line(f"  {violation}")
    left_out = len(failure.verdict.violations) - _SHOWN
    if left_out > 0:
        show_line(f"  … and {left_out} more")
    word = "faults" if failure.kept is None else "faults that are needed"
    show_line(f"  {word}: {'; '.join(failure.faults) or 'none'}")
    show_line(f"  replay: {failure.replay}")
