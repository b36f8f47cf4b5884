"""Composition: the parts of a run, put together for one engine or the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from holdfast.forking import Fork
from holdfast.loading import Loaded
from holdfast.options import RunOptions
from holdfast.venues import (
    VENUE,
    cache_directory,
    paper_venue,
    remote_venue,
    venues_of,
)
from holdfast_actors.clock import MarketClock
from holdfast_actors.degradation import Degrading, Maintenance
from holdfast_actors.feed import SLICES_MAX
from holdfast_actors.lastgate import Fence
from holdfast_actors.messages import Halt, Note
from holdfast_actors.parts import LiveAccount
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.recovery import Recovery
from holdfast_actors.strategy.plan import StrategyPlan
from holdfast_actors.tree import GUARD, JOURNAL, ORDERS, Parts, build_tree
from holdfast_actors.vetting import Limits
from holdfast_adapters.calendars import MarketCalendars, TableCalendar
from holdfast_adapters.journal import codec
from holdfast_domain import events as ev
from holdfast_domain.cursor import SLICE_SLOT, cursor_at
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import Money
from holdfast_domain.ports import JournalStore, ReplayedVenue, ThreadHost, WallClock
from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Lifecycle,
    Poisoned,
    SupervisorSpec,
)
from holdfast_runtime.cell import Cell
from holdfast_runtime.ids import origin_text
from holdfast_runtime.kernel import Kernel


@attrs.frozen(kw_only=True)
class World:
    """What differs between a backtest and a run on paper: everything but the rules."""

    store: JournalStore
    recovery: Recovery | None = None
    """What was read of it already; None reads it all."""

    journal_host: ThreadHost | None
    venue_path: Callable[[str], Path] | None
    """Where a venue keeps its record, by its name; None keeps all in memory."""

    venue_host: ThreadHost | None
    venue_sockets: Mapping[str, Path] = attrs.field(factory=dict)
    """Where venues listen that are in other processes; the others are in this one."""

    fence: Callable[[], str] = str
    """Why this engine may not send any more; empty while it may."""

    wall: WallClock
    engine: int
    finished: Callable[[], None]
    mode: str
    pid: int = 0
    epoch_floor: int = 0
    """Epochs up to here were used by records that a repair has dropped."""

    speed: float | None = None
    slices_max: int = SLICES_MAX
    backoff: Backoff = attrs.field(factory=Backoff)
    strategy_budget_s: float | None = None
    """How long a strategy may take over one message before that is reported."""

    limits: Limits = attrs.field(factory=Limits)
    reconciling: ReconcilePlan | None = None
    """How the books are compared with the venues; None: nobody does it."""

    sources: tuple[ActorSpec, ...] = ()
    """What tells of a live market."""

    accounts: Mapping[str, LiveAccount] = attrs.field(factory=dict)
    """By venue; what is not there is traded on paper."""

    degrading: Mapping[str, Degrading] = attrs.field(factory=dict)
    """By venue, what is done when it is away for long; others nobody watches."""

    maintenance: Mapping[str, Maintenance] = attrs.field(factory=dict)
    """By venue, when it is known to be away."""

    calendars: Mapping[str, TableCalendar] = attrs.field(factory=dict)
    """By symbol, what a venue itself tells of its sessions."""

    more: tuple[ActorSpec | SupervisorSpec, ...] = ()
    fork: Fork | None = None
    """How the books begin, if the strategies are forks of others."""


def make_parts(options: RunOptions, world: World) -> Parts:
    """Return the parts of a run; market time stands where the journal ends."""
    last = _last_entry(world.store)
    calendars = MarketCalendars(options.instruments, cache_directory(), world.calendars)
    epoch = 1 + max(0 if last is None else last.epoch, world.epoch_floor)
    recovery = world.recovery or Recovery(world.store, codec)
    return Parts(
        data=options.data,
        instruments=options.instruments,
        calendars=calendars,
        limits=attrs.evolve(world.limits, commission=options.model.commission),
        plans=_plans(options),
        store=world.store,
        recovery=recovery,
        silent=recovery.run_so_far().silent,
        journal_host=world.journal_host,
        venues={
            name: _venue(name, options, world, calendars, epoch)
            for name in venues_of(options.instruments)
        },
        fence=Fence(world.fence),
        wall=world.wall,
        engine=world.engine,
        epoch=epoch,
        clock=_clock(options.data, last, world.fork),
        finished=world.finished,
        speed=world.speed,
        slices_max=world.slices_max,
        backoff=world.backoff,
        strategy_budget_s=world.strategy_budget_s,
        reconciling=world.reconciling,
        sources=world.sources,
        accounts=world.accounts,
        degrading=world.degrading,
        maintenance=world.maintenance,
        more=world.more,
        deadlines=options.dealing.deadlines,
        patience=options.dealing.patience,
    )


def _clock(data: MarketData, last: ev.Entry | None, fork: Fork | None) -> MarketClock:
    """Return market time as the journal has it.

    At first it is that of the ``fork``, or stands where the history ends.
    """
    if last is not None:
        return MarketClock(last.market_time_us, last.cursor)
    if fork is not None:
        return MarketClock(fork.time_us, fork.cursor)
    if not data.begins:
        return MarketClock()
    before = data.begins - 1
    return MarketClock(data.times_us[before], cursor_at(before, SLICE_SLOT))


def _last_entry(store: JournalStore) -> ev.Entry | None:
    return next(iter(store.read(max(0, store.last_sequence - 1))), None)


def _plans(options: RunOptions) -> tuple[StrategyPlan, ...]:
    rows = zip(
        options.names, options.strategies, options.params, options.shares(), strict=True
    )
    return tuple(
        StrategyPlan(
            name=name, index=index, make=loaded.strategy, params=params, capital=share
        )
        for index, (name, loaded, params, share) in enumerate(rows, start=1)
    )


def _venue(
    name: str,
    options: RunOptions,
    world: World,
    calendars: MarketCalendars,
    epoch: int,
) -> Callable[[], ReplayedVenue]:
    market = options.market
    if name in world.accounts:
        return world.accounts[name].connect
    if name in world.venue_sockets:
        socket = world.venue_sockets[name]
        return remote_venue(name, market, socket, world.engine, epoch)
    path = None if world.venue_path is None else world.venue_path(name)
    return paper_venue(
        name, market, calendars, path, world.venue_host, epoch, world.fork
    )


def opening_records(options: RunOptions, parts: Parts, world: World) -> list[ev.Event]:
    """Return what the journal is told at a start, before anything else."""
    started = ev.EngineStarted(
        engine=world.engine,
        mode=world.mode,
        pid=world.pid,
        options=options.identity(),
    )
    if world.store.last_sequence:
        return [started]
    if world.fork is not None:
        return [started, *world.fork.events]
    currency = options.market.currency
    return [
        started,
        *(
            ev.CapitalAllotted(strategy=plan.name, money=Money(plan.capital, currency))
            for plan in parts.plans
        ),
    ]


def write_opening(options: RunOptions, parts: Parts, world: World) -> None:
    """Write the opening records before the tree is built, so that all can read them."""
    sequence = world.store.last_sequence
    wall_us = world.wall.now_us()
    world.store.append(
        [
            ev.Entry(
                sequence=sequence + number,
                epoch=parts.epoch,
                cursor=parts.clock.cursor,
                market_time_us=parts.clock.now_us,
                wall_time_us=wall_us,
                event=event,
            )
            for number, event in enumerate(
                opening_records(options, parts, world), start=1
            )
        ]
    )


def watch(
    kernel: Kernel, parts: Parts, on_crash: Callable[[Cell, Exception], None]
) -> None:
    """Journal restarts, parked families, and inputs that nobody can take."""
    journal = kernel.ref(JOURNAL)

    def lifecycle(event: Lifecycle) -> None:
        if event.what == "restarted":
            note: ev.Event = ev.ActorRestarted(
                path=event.path, incarnation=event.incarnation, error=event.error
            )
        elif event.what == "parked":
            note = ev.ActorParked(path=event.path, error=event.error)
        else:
            if event.what == "crashed" and event.path in kernel.cells:
                cell = kernel.cells[event.path]
                if cell.error is not None:
                    on_crash(cell, cell.error)
            return
        _post(kernel, journal.path, Note(note))

    def quarantine(
        cell: Cell, origin: object, message: object, error: Exception
    ) -> None:
        del message
        cause = error.__cause__ if isinstance(error, Poisoned) else None
        note = ev.Quarantined(
            subject=_subject(parts, cell, origin),
            reader=cell.path,
            origin=origin_text(origin),
            error=repr(cause or error),
        )
        _post(kernel, journal.path, Note(note))

    def attention(text: str) -> None:
        cell = kernel.cells[ORDERS]
        kernel.tell_lifecycle(cell.path, "attention", cell.incarnation, text)

    def notice(path: str, what: str, how: str) -> None:
        cell = kernel.cells[path]
        kernel.tell_lifecycle(cell.path, what, cell.incarnation, how)

    def fenced(why: str) -> None:
        # At once, past the mailbox: the gate closes whatever is being handled.
        _post(kernel, GUARD, Halt(why, "fence"))
        attention(why)

    parts.attention, parts.fence.stand_back = attention, fenced
    parts.notice = notice
    kernel.on_lifecycle.append(lifecycle)
    kernel.on_quarantine.append(quarantine)


def _subject(parts: Parts, cell: Cell, origin: object) -> str:
    """Return what must not be traded while ``cell`` cannot take ``origin``."""
    names = cell.path.split("/")
    if "strategies" in names:
        return f"strategy/{names[-2]}"
    if isinstance(origin, tuple) and origin[0] == "journal":
        entry = next(iter(parts.store.read(int(origin[1]) - 1)), None)
        if entry is not None and isinstance(entry.event, ev.OrderFilled):
            return f"instrument/{entry.event.fill.instrument}"
        if entry is not None and hasattr(entry.event, "strategy"):
            return f"strategy/{entry.event.strategy}"
    if isinstance(origin, tuple) and origin[0] == "decision":
        return f"strategy/{origin[1]}"
    return cell.path


def _post(kernel: Kernel, path: str, message: object) -> None:
    kernel.post(kernel.cells[path], message, None)


def loaded_sources(loaded: tuple[Loaded, ...]) -> Mapping[str, str]:
    """Return the digest of each source file."""
    return {each.source: each.digest for each in loaded}


__all__ = ["VENUE", "World", "build_tree", "make_parts", "watch", "write_opening"]
