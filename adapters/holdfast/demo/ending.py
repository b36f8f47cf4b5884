"""How the demo ends: restarts, results, the auditor's verdict, the comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from msgspec.structs import replace
from rich.console import Console

from holdfast.backtest import finish, simulate
from holdfast.compose import VENUE
from holdfast.options import RunOptions
from holdfast.results import RunResult, measure, summary, write_report
from holdfast_adapters.auditor import AuditReport, audit
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.events import (
    ActorRestarted,
    EngineStarted,
    Entry,
    OrderFilled,
    RunFinished,
)

Write = Callable[[str], None]


@attrs.frozen(kw_only=True)
class Ending:
    """All that is known when the engine has stopped."""

    entries: list[Entry]
    result: RunResult
    undisturbed: RunResult
    same: bool
    """Whether both had the same fills and the same money, to the last cent."""

    verdict: AuditReport

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, doubled, guessed or changed by the faults."""
        ended = any(isinstance(each.event, RunFinished) for each in self.entries)
        return self.verdict.ok and self.same and ended


def read_ending(options: RunOptions, directory: StateDir) -> Ending:
    """Read the journal, audit it, and run the same once more, undisturbed."""
    store = SqliteJournal(directory.journal, 0, read_only=True)
    try:
        entries = list(store.read())
    finally:
        store.close()
    result = measure(entries, options.data, options.instruments, wall_s=None)
    simulation = simulate(options)
    undisturbed = finish(options, simulation)
    multipliers = {name: each.multiplier for name, each in options.instruments.items()}
    return Ending(
        entries=entries,
        result=result,
        undisturbed=undisturbed,
        same=_money(result) == _money(undisturbed)
        and _fills(entries) == _fills(simulation.entries),
        verdict=audit(
            directory.journal, directory.venue(VENUE), multipliers=multipliers
        ),
    )


def _money(result: RunResult) -> list[object]:
    parts = [result, *result.strategies.values()]
    return [(p.final_equity, p.cash, p.commission, p.positions) for p in parts]


def _fills(entries: Sequence[Entry]) -> list[object]:
    """Return all fills; an order's id differs by engine and start, and is left out."""
    return [
        replace(entry.event.fill, order_id="")
        for entry in entries
        if isinstance(entry.event, OrderFilled)
    ]


def write_ending(
    ending: Ending, options: RunOptions, target: Path, console: Console, write: Write
) -> None:
    """Write the ending to the terminal; the last line names the report."""
    for line in restart_lines(ending.entries):
        write(line)
    write("")
    console.print(summary(ending.result))
    write("")
    write("the auditor, from the journal and the venue's own record:")
    for line in ending.verdict.summary_lines():
        write(f"  {line}")
    for check in ending.verdict.checks:
        for finding in check.findings:
            write(f"    {check.name}: {finding}")
    write("")
    write(comparison_line(ending))
    path = write_report(
        ending.result,
        ending.entries,
        options.data,
        target,
        title="Holdfast demo",
        details={"Strategies": ", ".join(options.names)},
    )
    write(f"report: {path.resolve()}")


def restart_lines(entries: Sequence[Entry]) -> list[str]:
    """Return how often the process was started and each actor restarted."""
    events = [entry.event for entry in entries]
    starts = [event for event in events if isinstance(event, EngineStarted)]
    actors = Counter(each.path for each in events if isinstance(each, ActorRestarted))
    pids = ", ".join(str(start.pid) for start in starts)
    lines = [f"restarts: the process was started {len(starts)} times (pids {pids})"]
    return lines + [f"  {path}: {count}" for path, count in actors.items()]


def comparison_line(ending: Ending) -> str:
    """Return the line that compares with the undisturbed backtest."""
    ours, theirs = ending.result.final_equity, ending.undisturbed.final_equity
    if ending.same:
        return (
            f"final equity {ours} {ending.result.currency} after {ending.result.fills} "
            "fills: equal to an undisturbed backtest, to the last cent"
        )
    return (
        f"DIFFERENT from an undisturbed backtest: final equity {ours} against "
        f"{theirs}, fills {ending.result.fills} against {ending.undisturbed.fills}"
    )
