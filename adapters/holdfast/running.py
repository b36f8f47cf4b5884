"""One share of a run: an engine on a state directory, from its start to its end.

A replay on paper, a live market on paper and a live account differ in what a `Setup`
says, and in nothing else.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
import trio

from holdfast.account import Account, AtVenue, Elsewhere, account_of
from holdfast.analyzing import actors_of
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
from holdfast.forking import Fork
from holdfast.hosts import Hosts
from holdfast.keeping import Keeping, check_age, ignore, recover
from holdfast.logs import Logs
from holdfast.options import RunOptions
from holdfast_actors.degradation import Degrading, Maintenance
from holdfast_actors.folding import RunSoFar
from holdfast_actors.keeping import Trimmer
from holdfast_actors.parts import LiveAccount, Parts
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_actors.strategy.actor import StrategyActor
from holdfast_adapters.calendars import TableCalendar
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
from holdfast_runtime import (
    ActorSpec,
    Backoff,
    LiveEngine,
    Signals,
    SupervisorSpec,
    open_engine,
)
from holdfast_runtime.cell import Cell

STRATEGY_BUDGET_S = 1.0
"""A strategy that takes longer over one message holds up the whole engine."""


@attrs.frozen(kw_only=True)
class RunEnd:
    """How one share of a run ended."""

    finished: bool
    """Whether the data came to its end; otherwise it can be resumed."""

    parked: dict[str, str]
    """Families that went beyond their limit, with the error."""

    wall_s: float
    actors: dict[str, StrategyActor] = attrs.field(factory=dict)
    """The strategies as they were at the end of the data."""


Observer = Callable[[LiveEngine, Parts], None]
"""Told once, when the tree is up."""


@attrs.frozen(kw_only=True)
class Setup:
    """What an engine runs, where, and who is told."""

    options: RunOptions
    directory: StateDir
    mode: str = "paper"
    speed: float | None = None
    """How many times faster than it happened a replay goes; None without a wait."""

    observe: Observer | None = None
    signals: Signals | None = None
    backoff: Backoff = attrs.field(factory=Backoff)
    logs: Logs | None = None
    """With it, what happens to actors is logged from the start on."""

    snapshots: SnapshotPlan = attrs.field(factory=SnapshotPlan)
    trimmer: Trimmer | None = None
    """What lets go of a tape's old part; None keeps all."""

    reconciling: ReconcilePlan = attrs.field(factory=ReconcilePlan)
    say: Callable[[str], None] = ignore
    """Told what a person should know: stale state, a snapshot that was not made."""

    elsewhere: Elsewhere | AtVenue | None = None
    """Where the account is, if it is not that of a venue in this process."""

    market: Callable[[Hosts], LiveMarket] | None = None
    """What makes the data grow, and where orders go; None is a replay on paper."""

    accept_stale: bool = False
    """Whether a live account may go on from state that is old."""

    fork: Fork | None = None
    """How the books begin, if the strategies are forks of others."""

    until: Callable[[], Awaitable[None]] | None = None
    """Returns when the run is to end in order, before the end of its data."""

    beside: Callable[[Desk], tuple[SupervisorSpec, ...]] | None = None
    """What makes the families that are wanted besides, from what knows the engine."""


@attrs.frozen(kw_only=True)
class LiveMarket:
    """A market that goes on, as the tree wants it."""

    sources: tuple[ActorSpec, ...]
    """What tells of the market."""

    accounts: Mapping[str, LiveAccount] = attrs.field(factory=dict)
    """By venue; what is not there is traded on paper."""

    degrading: Mapping[str, Degrading] = attrs.field(factory=dict)
    """By venue, what is done when it is away for long."""

    maintenance: Mapping[str, Maintenance] = attrs.field(factory=dict)
    """By venue, when it is known to be away."""

    calendars: Mapping[str, TableCalendar] = attrs.field(factory=dict)
    """By symbol, what the venue itself tells of its sessions."""


async def run_engine(setup: Setup) -> RunEnd:
    """Run to the end of the data, or to the first signal; then stop in order.

    Raises:
        InputError: other options than at the first start, a strategy that cannot
            start, or an account that another engine trades.
        Fenced: a newer engine has taken the account over.
        EngineFailed: the core could not be healed.
    """
    directory, options, say = setup.directory, setup.options, setup.say
    store = SqliteJournal(directory.journal, secrets.randbits(32))
    is_new = store.last_sequence == 0
    try:
        # What is read stays, so that to look for garbage meanwhile finds none.
        with rare_collections():
            recovered = recover(store, directory)
        run = recovered.recovery.run_so_far()
        _check_same(run, options, directory)
        if run.finished:
            return RunEnd(finished=True, parked={}, wall_s=0.0)
        check_age(
            recovered,
            SystemClock(),
            say,
            mode=setup.mode,
            where=directory.path,
            consent=setup.accept_stale,
        )
        keeping = Keeping(
            store, directory, recovered, setup.snapshots, say, setup.trimmer
        )
        async with account_of(
            setup.elsewhere, options.market, directory, store
        ) as account:
            return await _run(setup, keeping, run, account)
    except InputError:
        if is_new:
            _forget(store, directory)
        raise
    finally:
        store.close()


async def _run(
    setup: Setup, keeping: Keeping, past: RunSoFar, account: Account
) -> RunEnd:
    finished = trio.Event()
    store, directory = keeping.store, setup.directory
    desk = Desk(mode=setup.mode, pid=os.getpid(), directory=directory)
    hosts = Hosts(desk)
    market = None if setup.market is None else setup.market(hosts)
    world = _world(setup, keeping, account, desk, hosts, market, finished)
    parts = make_parts(setup.options, world)
    desk.keeper = keeping.attach(parts)
    write_opening(setup.options, parts, world)
    if directory.halt.exists() and not past.halted:
        store.append([_halt(past, parts, directory, world.wall.now_us())])
    began_s = time.perf_counter()
    watcher = _Watcher()
    try:
        # A full collection over all that a long run holds would be a pause of trading.
        with keeping.dumping(world.wall), rare_collections():
            await _serve(setup, parts, desk, watcher, finished)
    finally:
        hosts.close()
        keeping.close()
    if watcher.failed is not None:
        raise watcher.failed
    keeping.last_one()
    if watcher.fenced:
        raise Fenced(watcher.fenced)
    return RunEnd(
        finished=finished.is_set(),
        parked=watcher.parked,
        wall_s=time.perf_counter() - began_s,
        actors=watcher.actors,
    )


def _world(
    setup: Setup,
    keeping: Keeping,
    account: Account,
    desk: Desk,
    hosts: Hosts,
    market: LiveMarket | None,
    finished: trio.Event,
) -> World:
    beside = () if setup.beside is None else setup.beside(desk)
    store, is_paced = keeping.store, setup.speed is not None or market is not None
    return World(
        store=store,
        recovery=keeping.recovered.recovery,
        journal_host=hosts.journal,
        venue_path=setup.directory.venue,
        venue_host=hosts.venue,
        venue_sockets=account.sockets,
        fence=account.fence,
        wall=SystemClock(),
        engine=store.engine,
        epoch_floor=account.epoch_floor,
        finished=finished.set,
        mode=setup.mode,
        pid=os.getpid(),
        speed=setup.speed,
        backoff=setup.backoff,
        # Without a pace, one message may be a run of many bars.
        strategy_budget_s=STRATEGY_BUDGET_S if is_paced else None,
        reconciling=setup.reconciling,
        sources=() if market is None else market.sources,
        accounts={} if market is None else market.accounts,
        degrading={} if market is None else market.degrading,
        maintenance={} if market is None else market.maintenance,
        calendars={} if market is None else market.calendars,
        more=(console_spec(desk), keeping.spec(), *beside),
        fork=setup.fork,
    )


async def _serve(
    setup: Setup, parts: Parts, desk: Desk, watcher: _Watcher, finished: trio.Event
) -> None:
    """Run the engine until the data, a signal, or a failed start ends it."""

    def prepare(engine: LiveEngine) -> None:
        desk.attach(engine, parts)
        if setup.logs is not None:
            setup.logs.attach(engine, parts)
        watch(engine, parts, watcher.crashed)
        parts.fence.stand_back = watcher.fencing(parts.fence.stand_back)
        engine.on_lifecycle.append(watcher.lifecycle)

    async with open_engine(
        build_tree(parts),
        # At a real venue nobody waits for anybody: requests take as long as they take.
        lock_step=not parts.accounts,
        prepare=prepare,
        signals=setup.signals,
    ) as engine:
        watcher.is_up = True
        parts.recovery.release()
        if setup.observe is not None:
            setup.observe(engine, parts)
        async with trio.open_nursery() as nursery:

            async def until(ends: Callable[[], Awaitable[None]]) -> None:
                await ends()
                nursery.cancel_scope.cancel()

            nursery.start_soon(until, finished.wait)
            nursery.start_soon(until, watcher.gave_up.wait)
            if setup.until is not None:
                nursery.start_soon(until, setup.until)
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
