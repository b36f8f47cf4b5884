"""`paper`: the live engine on recorded data, with a state to resume from."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from holdfast.account import Account, Elsewhere, account_of
from holdfast.analyzing import actors_of, let_analyze
from holdfast.backtest import rare_collections, strategy_error
from holdfast.clocks import SystemClock
from holdfast.compose import (
    World,
    build_tree,
    make_parts,
    watch,
    write_opening,
)
from holdfast.console.actor import Desk, console_spec
from holdfast.hosts import Hosts
from holdfast.keeping import Keeping, check_age, ignore, recover
from holdfast.logs import Logs
from holdfast.options import RunOptions, read_options
from holdfast.results.measure import RunResult, measure
from holdfast_actors.folding import RunSoFar
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_actors.strategy.actor import StrategyActor
from holdfast_actors.strategy.api import Strategy
from holdfast_actors.tree import Parts
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import Fenced, InputError
from holdfast_domain.events import (
    CapitalAllotted,
    EngineStarted,
    Entry,
    Halted,
    SchedulesDeclared,
)
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import Numeric
from holdfast_runtime import Backoff, EngineFailed, LiveEngine, Signals, open_engine
from holdfast_runtime.cell import Cell

STRATEGY_BUDGET_S = 1.0
"""A strategy that takes longer over one message holds up the whole engine."""


@attrs.frozen(kw_only=True)
class PaperRun:
    """How a run on paper ended."""

    finished: bool
    """Whether the data came to its end; otherwise it can be resumed."""

    parked: dict[str, str]
    """Families that went beyond their limit, with the error."""

    wall_s: float
    actors: dict[str, StrategyActor] = attrs.field(factory=dict)
    """The strategies as they were at the end of the data."""


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


def paper_result(options: RunOptions, directory: StateDir, run: PaperRun) -> RunResult:
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
) -> PaperRun:
    """Run to the end of the data, or to the first of ``signals``; then stop in order.

    With ``logs``, what happens to actors is logged from the start on. ``say`` is told
    what a person should know: stale state, a snapshot that could not be made. The venue
    is in this process, or ``elsewhere``.

    Raises:
        InputError: other options than at the first start, a strategy that cannot
            start, or an account that another engine trades.
        Fenced: a newer engine has taken the account over.
        EngineFailed: the core could not be healed.
    """
    store = SqliteJournal(directory.journal, secrets.randbits(32))
    is_new = store.last_sequence == 0
    try:
        # What is read stays, so that to look for garbage meanwhile finds none.
        with rare_collections():
            recovered = recover(store, directory)
        run = recovered.recovery.run_so_far()
        _check_same(run, options, directory)
        if run.finished:
            return PaperRun(finished=True, parked={}, wall_s=0.0)
        check_age(recovered, SystemClock(), say, mode="paper", where=directory.path)
        keeping = Keeping(store, directory, recovered, snapshots, say)
        async with account_of(elsewhere, options.market, directory, store) as account:
            return await _run(
                options,
                directory,
                keeping,
                run,
                speed,
                observe,
                signals,
                backoff,
                logs,
                account,
            )
    except InputError:
        if is_new:
            _forget(store, directory)
        raise
    finally:
        store.close()


async def _run(
    options: RunOptions,
    directory: StateDir,
    keeping: Keeping,
    past: RunSoFar,
    speed: float | None,
    observe: Observer | None,
    signals: Signals | None,
    backoff: Backoff,
    logs: Logs | None,
    account: Account,
) -> PaperRun:
    finished = trio.Event()
    store = keeping.store
    desk = Desk(mode="paper", pid=os.getpid(), directory=directory)
    hosts = Hosts(desk)
    world = World(
        store=store,
        recovery=keeping.recovered.recovery,
        journal_host=hosts.journal,
        venue_path=directory.venue,
        venue_host=hosts.venue,
        venue_socket=account.socket,
        fence=account.fence,
        wall=SystemClock(),
        engine=store.engine,
        epoch_floor=account.epoch_floor,
        finished=finished.set,
        mode="paper",
        pid=os.getpid(),
        speed=speed,
        backoff=backoff,
        # Without a pace, one message may be a run of many bars.
        strategy_budget_s=None if speed is None else STRATEGY_BUDGET_S,
        reconciling=ReconcilePlan(),
        more=(console_spec(desk), keeping.spec()),
    )
    parts = make_parts(options, world)
    desk.keeper = keeping.attach(parts)
    write_opening(options, parts, world)
    if directory.halt.exists() and not past.halted:
        store.append([_halt(past, parts, directory, world.wall.now_us())])
    began_s = time.perf_counter()
    watcher = _Watcher()
    try:
        with keeping.dumping(world.wall):
            await _serve(parts, desk, watcher, finished, signals, observe, logs)
    finally:
        hosts.close()
        keeping.close()
    if watcher.failed is not None:
        raise watcher.failed
    keeping.last_one()
    if watcher.fenced:
        raise Fenced(watcher.fenced)
    return PaperRun(
        finished=finished.is_set(),
        parked=watcher.parked,
        wall_s=time.perf_counter() - began_s,
        actors=watcher.actors,
    )


async def _serve(
    parts: Parts,
    desk: Desk,
    watcher: _Watcher,
    finished: trio.Event,
    signals: Signals | None,
    observe: Observer | None,
    logs: Logs | None,
) -> None:
    """Run the engine until the data, a signal, or a failed start ends it."""

    def prepare(engine: LiveEngine) -> None:
        desk.attach(engine, parts)
        if logs is not None:
            logs.attach(engine, parts)
        watch(engine, parts, watcher.crashed)
        parts.fence.stand_back = watcher.fencing(parts.fence.stand_back)
        engine.on_lifecycle.append(watcher.lifecycle)

    async with open_engine(
        build_tree(parts), lock_step=True, prepare=prepare, signals=signals
    ) as engine:
        watcher.is_up = True
        parts.recovery.release()
        if observe is not None:
            observe(engine, parts)
        async with trio.open_nursery() as nursery:

            async def until(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(until, finished)
            nursery.start_soon(until, watcher.gave_up)
        if finished.is_set():
            watcher.actors = actors_of(parts, engine.cells)


class _Watcher:
    """Tells a strategy that cannot start from one that crashes later."""

    def __init__(self) -> None:
        self.is_up = False
        self.failed: InputError | None = None
        self.fenced = ""
        self.gave_up = trio.Event()
        self.parked: dict[str, str] = {}
        self.actors: dict[str, StrategyActor] = {}

    def crashed(self, cell: Cell, error: Exception) -> None:
        """Give up where a strategy's very first start fails: its author is there."""
        first = cell.incarnation == 1 and not cell.started_s
        if "strategies" in cell.path and first and self.failed is None:
            self.failed = strategy_error(cell, error)
            self.gave_up.set()
            cell.kernel.root.request_stop()

    def fencing(self, halt: Callable[[str], None]) -> Callable[[str], None]:
        """Return what halts, and ends the run: a zombie is of no use."""

        def fenced(why: str) -> None:
            halt(why)
            self.fenced = why
            self.gave_up.set()

        return fenced

    def lifecycle(self, event: Any) -> None:  # noqa: ANN401 - a `Lifecycle`
        """Remember who was parked."""
        if event.what == "parked":
            self.parked[event.path] = event.error


_NOTHING_DONE = (EngineStarted, CapitalAllotted, SchedulesDeclared)


def _forget(store: SqliteJournal, directory: StateDir) -> None:
    """Remove what a very first start wrote that failed before anything was decided.

    Otherwise the strategy, once it is corrected, would not be the one with which the
    run was begun.
    """
    if all(isinstance(entry.event, _NOTHING_DONE) for entry in store.read()):
        store.close()
        for path in (*directory.venues().values(), directory.journal):
            for end in ("-wal", "-shm", ""):
                path.with_name(f"{path.name}{end}").unlink(missing_ok=True)


def _halt(past: RunSoFar, parts: Parts, directory: StateDir, wall_us: int) -> Entry:
    """Return the halt that the file HALT asks for, before anything can be sent."""
    return Entry(
        sequence=parts.store.last_sequence + 1,
        epoch=parts.epoch,
        cursor=parts.clock.cursor,
        market_time_us=parts.clock.now_us,
        wall_time_us=wall_us,
        event=Halted(
            reason=f"the file {directory.halt.name} exists",
            by="file",
            generation=past.halts + 1,
        ),
    )


def _check_same(past: RunSoFar, options: RunOptions, directory: StateDir) -> None:
    if past.options and past.options != options.identity():
        raise InputError(
            str(directory.path),
            "the options with which this run was begun",
            "other strategies, parameters, data, capital or fill options",
            "repeat them (only --speed may differ), or choose another --state",
        )


__all__ = [
    "Elsewhere",
    "EngineFailed",
    "PaperRun",
    "paper",
    "paper_result",
    "run_entries",
    "run_paper",
]
