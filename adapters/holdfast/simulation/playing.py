"""One history: processes of one engine, one after the other, against one venue."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import Final

import attrs

from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, watch, write_opening
from holdfast.options import RunOptions
from holdfast.simulation.markets import options_of
from holdfast.simulation.person import LOOKS_MAX, PERSON_S, true_word
from holdfast.simulation.plan import (
    ACTOR_KINDS,
    LINK_KINDS,
    EngineFault,
    Plan,
)
from holdfast.simulation.power import FailingJournal, ProcessDied
from holdfast.simulation.settling import settle, still_unknown
from holdfast.simulation.timing import LateHost, VirtualTime
from holdfast.simulation.twinning import FORK_S, Twinned, twin_of
from holdfast.venues import session_ends, session_opens, venues_of
from holdfast_actors.degradation import PAPER, Degrade, Restore
from holdfast_actors.messages import Halt, Report, Resume
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.tree import GUARD, ORDERS, Parts, session_path
from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.hostile import HostileVenue, VenueFault
from holdfast_adapters.hostile.venue import RunsInCircles
from holdfast_adapters.paper.core import PaperCore
from holdfast_adapters.paper.world import World as VenueWorld
from holdfast_domain.errors import CommitFailed
from holdfast_domain.events import Entry, OrderUnknown
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import VenueOrder
from holdfast_runtime import Killed
from holdfast_runtime.cell import Cell, State
from holdfast_runtime.testing import Faults, FaultyEngine

ENGINE: Final = 7
PROCESSES_MAX: Final = 12
VIRTUAL_MAX_S: Final = 40_000.0
STEPS_MAX: Final = 20_000
RECONCILING: Final = ReconcilePlan(cash_relative=ZERO)
"""To the cent, so that the auditor need not know what is tolerated."""

PATIENT: Final = 8
"""Seeds with this rest by 16 are played on for long after their end, come what may."""

HALT_S: Final = 30.0


@attrs.define(kw_only=True, eq=False)
class Played:
    """What is left of a history."""

    plan: Plan
    options: RunOptions
    store: FailingJournal
    venues: dict[str, HostileVenue]
    struck: Counter[str] = attrs.field(factory=Counter)
    processes: int = 0
    sends: Counter[str] = attrs.field(factory=Counter)
    """How often a submit of each order left the engine."""

    complaints: list[str] = attrs.field(factory=list)
    """What was seen to be wrong while it played."""

    twins: list[Twinned] = attrs.field(factory=list)
    finished: bool = False
    engine: FaultyEngine | None = None
    parts: Parts | None = None


class Unmeasured(FaultyEngine):
    """An engine whose actors nobody looks at while they run."""

    @staticmethod
    def sample(cell: Cell) -> None:
        """Measure nothing."""
        cell.sample_at = sys.maxsize


def play(plan: Plan) -> Played:
    """Play ``plan`` to its end, and let the engine settle with a good venue."""
    return _History(plan).play()


class _History:
    def __init__(self, plan: Plan) -> None:
        options = options_of(
            plan.market,
            plan.strategies,
            plan.fill,
            partial=plan.partial,
            venues=plan.venues,
        )
        self._plan = plan
        self._engine_faults = [f for f in plan.faults if isinstance(f, EngineFault)]
        self._played = Played(
            plan=plan,
            options=options,
            store=FailingJournal(ENGINE),
            venues={
                name: self._venue(number, name, options)
                for number, name in enumerate(venues_of(options.instruments))
            },
        )
        self._sent = self._placed = self._doubts = 0
        self._played.store.on_append = self._on_append
        self._armed: dict[tuple[str, int], EngineFault] = {}
        self._done: list[bool] = []
        self._faults = Faults(keeps_history=False)

    def _venue(self, number: int, name: str, options: RunOptions) -> HostileVenue:
        plan = self._plan
        calendars = MarketCalendars(options.instruments, Path())
        capital = {options.market.currency: options.capital}
        world = VenueWorld(
            data=options.data,
            instruments=options.instruments,
            model=options.model,
            session_end_us=session_ends(calendars),
            opened_at_us=session_opens(options.market, calendars),
            opening={} if number else capital,
        )
        faults = [f for f in plan.faults if isinstance(f, VenueFault)]
        return HostileVenue(
            PaperCore(world),
            [fault for fault in faults if fault.venue == number],
            name=name,
            half_open_s=None,
            latency_s=plan.latency_s,
            on_send=partial(self._on_send, name),
            on_place=self._on_place,
        )

    def play(self) -> Played:
        played = self._played
        try:
            while not self._done and played.processes < PROCESSES_MAX:
                self._process(played.processes)
                played.processes += 1
            played.finished = bool(self._done)
            if played.finished:
                self._settle()
        except RunsInCircles as error:
            played.complaints.append(f"runs in circles: {error}")
        if played.engine is not None:
            played.engine.discard()
        for venue in played.venues.values():
            played.struck.update(venue.struck)
        played.struck.update(played.store.struck)
        return played

    # --- a process ---------------------------------------------------------------

    def _process(self, number: int) -> None:
        mine = [f for f in self._engine_faults if f.process == number]
        disk = ("death_at_record", "power_cut", "disk_full")
        self._played.store.begin([f for f in mine if f.kind in disk])
        self._armed = {(f.kind, f.nth): f for f in mine}
        self._sent = self._placed = self._doubts = 0
        self._faults = _faults_of(mine, self._plan.seed)
        try:
            self._build()
            self._run()
        except (ProcessDied, CommitFailed):
            pass  # the service manager starts the next one
        finally:
            self._count()

    def _build(self) -> None:
        plan, played = self._plan, self._played
        world = World(
            store=played.store,
            journal_host=None,
            venue_path=None,
            venue_host=None,
            wall=FixedClock(),
            engine=ENGINE,
            finished=lambda: self._done.append(True),
            mode="backtest",
            speed=plan.speed,
            slices_max=1,
            reconciling=RECONCILING,
        )
        parts = make_parts(played.options, world)
        parts.venues = {
            name: partial(played.venues.__getitem__, name) for name in played.venues
        }
        if plan.degrading is not None:
            parts.degrading = dict.fromkeys(played.venues, plan.degrading)
        write_opening(played.options, parts, world)
        disk = None
        if plan.commit_s:
            parts.journal_host = disk = LateHost()
        if played.engine is not None:
            played.engine.discard()
        engine = Unmeasured(
            build_tree(parts),
            faults=self._faults,
            seed=plan.seed,
            shuffle=plan.shuffle,
        )
        if disk is not None:
            disk.time = VirtualTime(engine, plan.commit_s)
        played.engine, played.parts = engine, parts
        for venue in played.venues.values():
            venue.live_in(VirtualTime(engine))
        watch(engine, parts, lambda _cell, _error: None)

    def _run(self) -> None:
        played = self._played
        engine = played.engine
        assert engine is not None
        engine.root.begin()
        for _ in range(STEPS_MAX):
            if self._done or engine.root.state is State.CRASHED:
                return
            if engine.now_s() > VIRTUAL_MAX_S:
                break
            if not engine.step():
                break
        if self._done or engine.root.state is State.CRASHED:
            return
        if not any(cell.state is State.PARKED for cell in engine.cells.values()):
            played.complaints.append(
                f"process {played.processes} stands still at {engine.now_s():.0f} s: "
                + _stuck(engine)
            )

    def _settle(self) -> None:
        """See that all is known soon after the venue has become a good one."""
        played = self._played
        for venue in played.venues.values():
            venue.heal()
        played.store.begin([])
        self._armed = {}
        for fault in self._faults.faults:
            fault.times = 0
        engine = played.engine
        assert engine is not None
        sessions = [engine.cells[session_path(name)] for name in played.venues]
        healthy = all(cell.state is State.RUNNING for cell in engine.cells.values())
        if healthy:
            self._let_settle()
            played.complaints += still_unknown(engine)
            for session in sessions:
                engine.kill(session, Killed("by the simulation, to settle"))
        else:
            self._process(PROCESSES_MAX)
            played.processes += 1
        self._let_settle()

    def _let_settle(self) -> None:
        played = self._played
        assert played.engine is not None
        patient = self._plan.seed % 16 == PATIENT
        settle(played.engine, played.store, played.venues, patient=patient)

    def _count(self) -> None:
        kinds = Counter[str]()
        for fault in self._faults.faults:
            if fault.happened:
                kinds[_KIND_OF[fault.what.value]] += fault.happened
        self._played.struck.update(kinds)

    # --- what the venue sees ---------------------------------------------------------

    def _on_send(self, venue: str, order: VenueOrder) -> None:
        played = self._played
        played.sends[order.order_id] += 1
        parts, engine = played.parts, played.engine
        assert parts is not None
        assert engine is not None
        if parts.gate.halted or parts.gate.holds(venue):
            played.complaints.append(f"{order.order_id}: sent while halted")
        if played.venues[venue].has_or_will(order.order_id):
            played.complaints.append(
                f"{order.order_id}: sent again, and the venue has it or will"
            )
        self._sent += 1
        if self._armed.pop(("halt", self._sent), None) is not None:
            played.struck["halt"] += 1
            guard = engine.cells[GUARD]
            engine.post(guard, Halt("by the simulation", "sim"), None)
            resume = Resume("by the simulation", "sim")
            engine.call_later(HALT_S, lambda: engine.post(guard, resume, None))
        if self._armed.pop(("degrade", self._sent), None) is not None:
            self._degrade(venue, engine)

    def _degrade(self, venue: str, engine: FaultyEngine) -> None:
        """Say that a venue was away for long, and in a while that it is there again."""
        plan, guard = self._plan.degrading, engine.cells[GUARD]
        assert plan is not None
        self._played.struck["degrade"] += 1
        engine.post(guard, Degrade(venue, plan, "by the simulation"), None)
        back = Restore(venue, "by the simulation", "sim")
        engine.call_later(HALT_S, lambda: engine.post(guard, back, None))
        if plan.policy == PAPER:
            engine.call_later(FORK_S, partial(self._fork, venue, engine))

    def _fork(self, venue: str, engine: FaultyEngine) -> None:
        """Let a twin go on on paper, unless the process has died meanwhile."""
        played = self._played
        if played.engine is not engine or played.parts is None:
            return
        played.struck["twin"] += 1
        try:
            played.twins.append(twin_of(played.parts, played.options, venue))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
            played.complaints.append(f"no twin can be forked: {error!r}")

    def _on_place(self, order: VenueOrder) -> None:
        del order
        self._placed += 1
        if self._armed.pop(("death_at_send", self._placed), None) is not None:
            self._played.struck["death_at_send"] += 1
            raise ProcessDied("death_at_send")

    # --- what a person sees ----------------------------------------------------------

    def _on_append(self, batch: Sequence[Entry]) -> None:
        for entry in batch:
            if isinstance(entry.event, OrderUnknown):
                self._doubts += 1
                if self._armed.pop(("person", self._doubts), None) is not None:
                    engine, name = self._played.engine, entry.event.order_id
                    assert engine is not None
                    engine.call_later(PERSON_S, partial(self._resolve, name, 1))

    def _resolve(self, order_id: str, look: int) -> None:
        """Say of an order that is still in doubt what the venue has: the truth."""
        played = self._played
        assert played.engine is not None
        orders = played.engine.cells[ORDERS]
        rows = [] if orders.actor is None else orders.actor.handle(Report())
        row = next((each for each in rows if each.order_id == order_id), None)
        if row is None or row.state is not OrderState.UNKNOWN:
            return
        word = true_word(played.venues[row.venue], order_id)
        if word is None:
            if look < LOOKS_MAX:
                again = partial(self._resolve, order_id, look + 1)
                played.engine.call_later(PERSON_S, again)
            return
        played.struck["person"] += 1
        played.engine.post(orders, word, None)


_KIND_OF: Final = {
    "kill": "kill",
    "crash_on": "crash",
    "crash_start": "crash_start",
    "delay": "delay",
    "duplicate": "duplicate",
    "reorder": "reorder",
}


def _faults_of(faults: list[EngineFault], seed: int) -> Faults:
    """Return those of ``faults`` that the runtime's kit does."""
    kit = Faults(seed=seed, keeps_history=False)
    for fault in faults:
        place, nth = fault.place, fault.nth
        if fault.kind not in (*ACTOR_KINDS, *LINK_KINDS):
            continue
        match fault.kind:
            case "kill":
                kit.kill(place, object, nth)
            case "crash" | "crash_after":
                kit.crash_on(place, object, nth, after=fault.kind == "crash_after")
            case "crash_start":
                kit.crash_start(place, nth)
            case "delay":
                kit.delay(place, object, nth, by_s=0.5, times=inf, rate=0.05)
            case "duplicate":
                kit.duplicate(place, object, nth, times=inf, rate=0.2)
            case _:
                kit.reorder(place, object, nth, times=inf, rate=0.1)
    return kit


def _stuck(engine: FaultyEngine) -> str:
    return ", ".join(
        f"{path} is {cell.state.value} with {cell.mailbox.size} waiting"
        for path, cell in engine.cells.items()
        if cell.state is not State.RUNNING or cell.mailbox.size or cell.in_hand
    )
