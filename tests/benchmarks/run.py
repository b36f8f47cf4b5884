"""Measure us and each peer in one run, and write ``build/bench.json``.

Usage: ``make bench ARGS="[--only ID]… [--rounds N] [--peers-only]"``.

Every program of a case runs once per round, each in a process of its own and in an
order that turns from round to round, so that a noisy minute hits all of them alike;
the figure is the median.  `cases` lists the cases, says what a script has to print,
and how to add one.

The table and the file hold one row per case and peer; ``ratio`` is above 1 where we
win.  A peer that cannot be installed or fails is told on standard error and has a row
without a figure.  The status is 1 if a program of ours failed, else 0.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import attrs
import environments
import walk
from cases import CASES, Case, Program
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
DATA = ROOT / "build" / "bench"
OUTPUT = ROOT / "build" / "bench.json"
LIMIT_S = 600

Figures = dict[str, object]


class ProgramFailed(Exception):
    """A program crashed, hung or printed no figure; the message says which."""


@attrs.frozen(kw_only=True)
class Row:
    """One line of the table, in the order of the file's keys."""

    id: str
    unit: str
    ours: float | None
    peer: str | None
    peers: float | None
    ratio: float | None


def measure(program: Program) -> Figures:
    """Run a program once and read the figures off its last line.

    Raises:
        ProgramFailed: it ended with another status than 0, ran into the limit, or
            its last line was no JSON object with a ``value``.
    """
    python = environments.python_of(program.environment, ROOT)
    command = [str(python), str(program.path), str(DATA), *program.arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, check=True
        )
        figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
        float(str(figures["value"]))
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or "nothing").splitlines()[-1]
        status = error.returncode
        raise ProgramFailed(f"{program.script}: status {status}: {said}") from error
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(f"{program.script}: longer than {LIMIT_S} s") from error
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ProgramFailed(f"{program.script}: printed no figure") from error
    return figures


def rounds_of(
    case: Case, rounds: int, *, ours: bool
) -> dict[str | None, list[Figures]]:
    """Every program's figures, ours under None; one that fails has none."""
    programs: dict[str | None, Program] = {None: case.ours} if ours else {}
    programs.update(case.peers)
    figures: dict[str | None, list[Figures]] = {name: [] for name in programs}
    failed: set[str | None] = set()
    for turn in range(rounds):
        for name in _turned(list(programs), turn):
            if name in failed:
                continue
            try:
                figures[name].append(measure(programs[name]))
            except (ProgramFailed, environments.EnvironmentFailed) as error:
                failed.add(name)
                _say(f"{case.id}: {name or 'ours'} failed: {error}")
            else:
                _say(f"{case.id}: {name or 'ours'}: {json.dumps(figures[name][-1])}")
    return {name: [] if name in failed else figures[name] for name in programs}


def rows_of(case: Case, figures: dict[str | None, list[Figures]]) -> Iterator[Row]:
    """The rows of a case: one per peer, and again for the 99th percentile."""
    for key in ("value", "p99") if case.has_p99 else ("value",):
        ours = _median(figures.get(None, []), key)
        for peer in case.peers or (None,):
            theirs = _median(figures[peer], key) if peer else None
            yield Row(
                id=case.id if key == "value" else f"{case.id}_p99",
                unit=case.unit,
                ours=ours,
                peer=peer,
                peers=theirs,
                ratio=ratio(ours, theirs, more_is_better=case.more_is_better),
            )


def ratio(
    ours: float | None, theirs: float | None, *, more_is_better: bool
) -> float | None:
    """How many times better we are; below 1 the peer wins; None without a pair."""
    if not ours or not theirs:
        return None
    return round(ours / theirs if more_is_better else theirs / ours, 3)


def table_of(rows: Sequence[Row]) -> Table:
    """The rows for a person to read."""
    table = Table(title="medians; a ratio above 1 is a win of ours")
    table.add_column("id", no_wrap=True)
    table.add_column("unit")
    for name in ("ours", "peer's", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("peer")
    for row in rows:
        numbers = (_shown(row.ours), _shown(row.peers), _shown(row.ratio))
        table.add_row(row.id, row.unit, *numbers, row.peer or "")
    return table


def main(arguments: Sequence[str]) -> int:
    """Measure the chosen cases; returns the status of the process."""
    options = _options(arguments)
    walk.write(DATA)
    rows: list[Row] = []
    failed = False
    for case in _chosen(options.only):
        ours = case.ours.path.exists() and not options.peers_only
        if not ours and not options.peers_only:
            _say(f"{case.id}: skipped, there is no {case.ours.script}")
            continue
        figures = rounds_of(case, options.rounds, ours=ours)
        failed = failed or (ours and not figures[None])
        rows.extend(rows_of(case, figures))
    Console().print(table_of(rows))
    if not options.peers_only:
        complete = [attrs.asdict(row) for row in rows if row.ours is not None]
        OUTPUT.write_text(json.dumps(complete, indent=1, ensure_ascii=False) + "\n")
    return int(failed)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    known = [case.id for case in CASES]
    parser.add_argument("--only", action="append", choices=known, metavar="ID")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--peers-only", action="store_true", help="writes no file")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds: expected at least 1, came {options.rounds}")
    return options


def _chosen(only: list[str] | None) -> list[Case]:
    return [case for case in CASES if only is None or case.id in only]


def _turned(names: list[str | None], turn: int) -> list[str | None]:
    """Each round starts with the next program."""
    start = turn % len(names)
    return names[start:] + names[:start]


def _median(figures: list[Figures], key: str) -> float | None:
    values = [float(str(each[key])) for each in figures if key in each]
    return median(values) if values else None


def _shown(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:,.0f}" if number >= 1_000 else f"{number:.3g}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
