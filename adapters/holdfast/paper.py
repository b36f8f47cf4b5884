"""`paper`: the live engine on a replay of recorded data, with a state to resume from."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from holdfast.backtest import strategy_error
from holdfast.clocks import SystemClock
from holdfast.compose import (
    VENUE,
    World,
    build_tree,
    make_parts,
    watch,
    write_opening,
)
from holdfast.console.actor import Desk, console_spec
from holdfast.options import RunOptions, read_options
from holdfast.results.measure import RunResult, measure
from holdfast_actors.strategy.api import Strategy
from holdfast_actors.tree import Parts
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_domain.events import EngineStarted, RunFinished
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import Numeric
from holdfast_domain.ports import JournalStore
from holdfast_runtime import Backoff, EngineFailed, LiveEngine, open_engine
from holdfast_runtime.cell import Cell
from holdfast_runtime.threads import PykkaThreadHost


@attrs.frozen(kw_only=True)
class PaperRun:
    """How a run on paper ended."""

    finished: bool
    """Whether the data came to its end; otherwise it can be resumed."""

    parked: dict[str, str]
    """Families that went beyond their limit, with the error."""

    wall_s: float


Observer = Callable[[LiveEngine, Parts], None]
"""Told once, when the tree is up."""


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


def paper_result(
    options: RunOptions, directory: StateDir, run: PaperRun
) -> RunResult:
    """Measure the whole run, from its first start on."""
    store = SqliteJournal(directory.journal, 0, read_only=True)
    wall_s = run.wall_s if run.finished and run.wall_s else None
    try:
        return measure(store.read(), options.data, options.instruments, wall_s=wall_s)
    finally:
        store.close()


async def run_paper(
    options: RunOptions,
    directory: StateDir,
    speed: float | None,
    observe: Observer | None = None,
    stop: trio.Event | None = None,
    backoff: Backoff = Backoff(),  # noqa: B008 - frozen
) -> PaperRun:
    """Run to the end of the data, or until ``stop`` is set; then stop in order.

    Raises:
        InputError: other options than at the first start, or a strategy that cannot
            start.
        EngineFailed: the core could not be healed.
    """
    store = SqliteJournal(directory.journal, secrets.randbits(32))
    try:
        if _check_same_run(store, options, directory):
            return PaperRun(finished=True, parked={}, wall_s=0.0)
        return await _run(options, directory, store, speed, observe, stop, backoff)
    finally:
        store.close()


async def _run(
    options: RunOptions,
    directory: StateDir,
    store: SqliteJournal,
    speed: float | None,
    observe: Observer | None,
    stop: trio.Event | None,
    backoff: Backoff,
) -> PaperRun:
    finished = trio.Event()
    end = stop or trio.Event()
    journal_host, venue_host = PykkaThreadHost(), PykkaThreadHost()
    desk = Desk(mode="paper", pid=os.getpid(), directory=directory)
    world = World(
        store=store,
        journal_host=journal_host,
        venue_path=directory.venue(VENUE),
        venue_host=venue_host,
        wall=SystemClock(),
        engine=store.engine,
        epoch_floor=store.epoch_floor,
        finished=finished.set,
        mode="paper",
        pid=os.getpid(),
        speed=speed,
        backoff=backoff,
        more=(console_spec(desk),),
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    began_s = time.perf_counter()
    watcher = _Watcher()
    try:
        await _serve(parts, desk, watcher, finished, end, observe)
    finally:
        journal_host.close()
        venue_host.close()
    if watcher.failed is not None:
        raise watcher.failed
    return PaperRun(
        finished=finished.is_set(),
        parked=watcher.parked,
        wall_s=time.perf_counter() - began_s,
    )


async def _serve(
    parts: Parts,
    desk: Desk,
    watcher: _Watcher,
    finished: trio.Event,
    end: trio.Event,
    observe: Observer | None,
) -> None:
    """Run the engine until the data, a signal, or a failed start ends it."""

    def prepare(engine: LiveEngine) -> None:
        desk.attach(engine, parts)
        watch(engine, watcher.crashed)
        engine.on_lifecycle.append(watcher.lifecycle)

    async with open_engine(build_tree(parts), lock_step=True, prepare=prepare) as engine:
        watcher.is_up = True
        if observe is not None:
            observe(engine, parts)
        async with trio.open_nursery() as nursery:

            async def until(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(until, finished)
            nursery.start_soon(until, end)
            nursery.start_soon(until, watcher.gave_up)


class _Watcher:
    """Tells a strategy that cannot start from one that crashes later."""

    def __init__(self) -> None:
        self.is_up = False
        self.failed: InputError | None = None
        self.gave_up = trio.Event()
        self.parked: dict[str, str] = {}

    def crashed(self, cell: Cell, error: Exception) -> None:
        """Give up where a strategy's very first start fails: its author is there."""
        first = cell.incarnation == 1 and not cell.started_s
        if "strategies" in cell.path and first and self.failed is None:
            self.failed = strategy_error(cell, error)
            self.gave_up.set()
            cell.kernel.root.request_stop()

    def lifecycle(self, event: Any) -> None:  # noqa: ANN401 - a `Lifecycle`
        """Remember who was parked."""
        if event.what == "parked":
            self.parked[event.path] = event.error


def _check_same_run(
    store: JournalStore, options: RunOptions, directory: StateDir
) -> bool:
    """Refuse other options than at the first start; tell whether the run is finished."""
    finished = False
    for entry in store.read():
        if isinstance(entry.event, EngineStarted):
            if entry.event.options != options.identity():
                raise InputError(
                    str(directory.path),
                    "the options with which this run was begun",
                    "other strategies, parameters, data, capital or fill options",
                    "repeat them (only --speed may differ), or choose another --state",
                )
        elif isinstance(entry.event, RunFinished):
            finished = True
    return finished


__all__ = ["EngineFailed", "PaperRun", "paper", "paper_result", "run_paper"]
