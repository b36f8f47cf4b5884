"""`paper`: the live engine on recorded data, with a state to resume from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import trio

from holdfast.account import Elsewhere
from holdfast.analyzing import let_analyze
from holdfast.keeping import ignore
from holdfast.logs import Logs
from holdfast.options import RunOptions, read_options
from holdfast.results.measure import RunResult, measure
from holdfast.running import Observer, RunEnd, Setup, run_engine
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_actors.strategy.api import Strategy
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.events import EngineStarted, Entry
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import Numeric
from holdfast_runtime import Backoff, EngineFailed, Signals


def paper(
    strategies: Sequence[str | type[Strategy]] | str | type[Strategy],
    *,
    data: str | Path | MarketData,
    state: str | Path,
    speed: float | None = None,
    capital: Numeric = 100_000,
    start: str | None = None,
    end: str | None = None,
    tz: str | None = None,
    commission: Numeric = 0,
    slippage_bps: Numeric = 0,
    fill: str = "next_open",
    fractional: bool = False,
    params: Mapping[str, Any] | None = None,
    instruments: str | Path | Mapping[str, Instrument] | None = None,
) -> RunResult:
    """Run strategies on the live engine over recorded data; resume if they were begun.

    Blocks until the data is at its end. ``speed`` times faster than it happened; None
    is as fast as it goes. ``state`` is the directory of the journal and of the venue's
    record. The other options must be those of the first start.

    Raises:
        InputError: wrong input, another engine on ``state``, or other options.
        EngineFailed: the core could not be healed.
    """
    options = read_options(
        strategies,
        data=data,
        capital=capital,
        start=start,
        end=end,
        tz=tz,
        commission=commission,
        slippage_bps=slippage_bps,
        fill=fill,
        fractional=fractional,
        params=params,
        instruments=instruments,
    )
    with StateDir.open(Path(state), os.getpid()) as directory:
        run = trio.run(run_paper, options, directory, speed)
        return paper_result(options, directory, run)


def paper_result(options: RunOptions, directory: StateDir, run: RunEnd) -> RunResult:
    """Measure the whole run, from its first start on.

    Where this run came to the end of the data, its strategies look at the result.

    Raises:
        InputError: an `analyze` raised.
    """
    entries = run_entries(directory)
    starts = sum(isinstance(entry.event, EngineStarted) for entry in entries)
    # Of a run that was resumed, one process knows only its own share of the time.
    wall_s = run.wall_s if run.finished and starts == 1 else None
    result = measure(entries, options.data, options.instruments, wall_s=wall_s or None)
    let_analyze(run.actors, result)
    return result


def run_entries(directory: StateDir) -> list[Entry]:
    """Return the whole journal of the run, from its first start on.

    Raises:
        JournalError: it is damaged, or of a newer version.
    """
    store = SqliteJournal(directory.journal, 0, read_only=True)
    try:
        return list(store.read())
    finally:
        store.close()


async def run_paper(
    options: RunOptions,
    directory: StateDir,
    speed: float | None,
    observe: Observer | None = None,
    signals: Signals | None = None,
    backoff: Backoff = Backoff(),  # noqa: B008 - frozen
    logs: Logs | None = None,
    snapshots: SnapshotPlan = SnapshotPlan(),  # noqa: B008 - frozen
    say: Callable[[str], None] = ignore,
    elsewhere: Elsewhere | None = None,
) -> RunEnd:
    """Replay to the end of the data, or to the first of ``signals``; see `run_engine`.

    The venue is in this process, or ``elsewhere``.
    """
    setup = Setup(
        options=options,
        directory=directory,
        speed=speed,
        observe=observe,
        signals=signals,
        backoff=backoff,
        logs=logs,
        snapshots=snapshots,
        say=say,
        elsewhere=elsewhere,
    )
    return await run_engine(setup)


__all__ = [
    "Elsewhere",
    "EngineFailed",
    "Observer",
    "RunEnd",
    "paper",
    "paper_result",
    "run_entries",
    "run_paper",
]
