"""Whole runs on the simulated engine: small data, faults, and what must not differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import polars as pl

from holdfast.clocks import FixedClock
from holdfast.compose import World, make_parts, watch, write_opening
from holdfast.options import RunOptions
from holdfast_actors.guard import Limits
from holdfast_actors.ledger import Ledger, SubLedger
from holdfast_actors.orderbook import OrderBook
from holdfast_actors.tree import LEDGER, Parts, build_tree
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain import events as ev
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData
from holdfast_domain.ports import ThreadHost
from holdfast_runtime import ActorSpec, SimulatedEngine, SupervisorSpec
from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import Killed
from holdfast_runtime.threads import InlineHost

T0 = datetime(2024, 1, 2, tzinfo=UTC)
ORDER_ID = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{8}([0-9a-f]{16})\b")


def columns(
    symbol: str,
    rows: Sequence[Sequence[float]],
    *,
    start: datetime = T0,
    every: timedelta = timedelta(days=1),
    at: Sequence[int] | None = None,
) -> BarColumns:
    """Return bars from rows of open, high, low, close; `at` places them in time."""
    places = range(len(rows)) if at is None else at
    frame = pl.DataFrame(
        {
            "timestamp": [start + every * place for place in places],
            **{
                name: [float(row[index]) for row in rows]
                for index, name in enumerate(FIELDS[:4])
            },
            "volume": [1e6] * len(rows),
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return BarColumns(symbol, frame)


def market_of(*columns: BarColumns) -> MarketData:
    """Return several instruments on one timeline."""
    return MarketData({each.symbol: each for each in columns})


def market(**rows: Sequence[Sequence[float]]) -> MarketData:
    """Return daily bars of several symbols from 2 January 2024 on."""
    return market_of(*(columns(name, each) for name, each in rows.items()))


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    """Return bars that stand still, each at its price."""
    return [(price, price, price, price) for price in prices]


# --- faults -------------------------------------------------------------------


class Broken(Exception):
    """What a crashed handler raises."""


@attrs.define
class Fault:
    """One death of the actor at ``path``, at the ``nth`` call of its handler."""

    path: str
    nth: int
    how: str
    """``before`` or ``after``: crash inside; ``now`` or ``soon``: kill in between."""

    only: type = object
    """Count messages of this type alone."""

    calls: int = 0
    happened: bool = False

    def is_due(self, message: object) -> bool:
        """Count a call; tell whether it is the one."""
        self.calls += isinstance(message, self.only)
        due = self.calls == self.nth and isinstance(message, self.only)
        self.happened |= due
        return due


Cells = dict[str, Cell]


def broken_tree(
    spec: SupervisorSpec, faults: Mapping[str, Fault], engine: list[SimulatedEngine]
) -> SupervisorSpec:
    """Return ``spec`` with actors that die as ``faults`` says."""

    def wrap(child: ActorSpec | SupervisorSpec, path: str) -> Any:
        if isinstance(child, SupervisorSpec):
            children = tuple(wrap(c, f"{path}/{c.name}") for c in child.children)
            return attrs.evolve(child, children=children)
        fault = faults.get(path)
        if fault is None:
            return child
        return attrs.evolve(child, build=_breaking(child.build, fault, engine))

    return wrap(spec, spec.name)  # type: ignore[no-any-return]


def _breaking(
    build: Callable[[Any], Any], fault: Fault, engine: list[SimulatedEngine]
) -> Callable[[Any], Any]:
    def broken(context: Any) -> Any:
        actor = build(context)
        for name in ("handle", "handle_batch"):
            if hasattr(actor, name):
                setattr(actor, name, _failing(getattr(actor, name), fault, engine))
        return actor

    return broken


def _failing(
    handler: Callable[[Any], Any], fault: Fault, engine: list[SimulatedEngine]
) -> Callable[[Any], Any]:
    def fails(message: Any) -> Any:
        due = fault.is_due(message)
        if due and fault.how == "before":
            raise Broken(fault.path)
        if due and fault.how in ("now", "soon"):
            kill_between(engine[0], fault)
        value = handler(message)
        if due and fault.how == "after":
            raise Broken(fault.path)
        return value

    async def fails_later(message: Any) -> Any:
        due = fault.is_due(message)
        if due and fault.how == "before":
            raise Broken(fault.path)
        if due and fault.how in ("now", "soon"):
            kill_between(engine[0], fault)
        value = await handler(message)
        if due and fault.how == "after":
            raise Broken(fault.path)
        return value

    code = getattr(handler, "__code__", None) or handler.__func__.__code__  # type: ignore[attr-defined]
    return fails_later if code.co_flags & 0x80 else fails


@attrs.frozen
class _Kill:
    """Stands in the engine's queue, as a task does."""

    engine: SimulatedEngine
    path: str

    def step(self) -> None:
        self.engine.kill(self.engine.cells[self.path], Killed(self.path))


def kill_between(engine: SimulatedEngine, fault: Fault) -> None:
    """Kill the actor as soon as its handler has returned, or when its turn comes."""
    engine.ready.append((None, _Kill(engine, fault.path)))
    if fault.how == "now":
        engine.ready.rotate(1)


# --- runs ---------------------------------------------------------------------


@attrs.frozen
class Ran:
    """What is left of a run."""

    engine: SimulatedEngine
    parts: Parts
    entries: list[ev.Entry]
    finished: bool

    @property
    def ledger(self) -> dict[str, SubLedger]:
        """The balances: the running ledger's, which must be those of the journal."""
        fresh = Ledger(
            history=self.entries, instruments=self.parts.instruments, venue="paper"
        ).sub_ledgers()
        actor = self.engine.cells[LEDGER].actor
        assert actor is None or actor.sub_ledgers() == fresh
        return fresh

    def events(self, kind: type) -> list[Any]:
        """The records of one kind, in order."""
        return [each.event for each in self.entries if type(each.event) is kind]


class SlowHost:
    """A thread host whose calls take some virtual time, as a disk does."""

    def __init__(self, engine: list[SimulatedEngine], delay_s: float) -> None:
        self._engine = engine
        self._delay_s = delay_s

    async def run(
        self, call: Callable[..., Any], *args: object, deadline_s: float
    ) -> Any:
        """Call after a while."""
        del deadline_s
        engine = self._engine[0]
        await engine.new_bell().wait(engine.now_s() + self._delay_s)
        return call(*args)


class PowerCut(BaseException):
    """The process ended here; nobody may catch it."""


class CutJournal(MemoryJournal):
    """A journal whose process ends at one of its appends."""

    def __init__(self, nth: int, *, written: bool) -> None:
        super().__init__()
        self._nth = nth
        self._written = written
        self.appends = 0
        self.ends: list[int] = []
        """The last record of each batch."""

    def cut_after(self, appends: int) -> None:
        """Let the power go at an append, counted from now; 0 is never."""
        self.appends, self._nth = 0, appends

    def append(self, batch: Sequence[ev.Entry]) -> None:
        """Append, unless this is where the power goes."""
        self.appends += 1
        if self.appends != self._nth or self._written:
            super().append(batch)
            self.ends.append(self.last_sequence)
        if self.appends == self._nth:
            raise PowerCut


def run(
    options: RunOptions,
    *faults: Fault,
    seed: int = 0,
    shuffle: bool = False,
    limits: Limits | None = None,
    commit_s: float = 0.0,
    store: MemoryJournal | None = None,
    venue_path: Path | None = None,
    poke: Callable[[SimulatedEngine], None] | None = None,
) -> Ran:
    """Run ``options`` to the end of the data, with ``faults``.

    A ``store`` that has records, and a venue with its file, make it a second start.
    """
    done, box = list[bool](), list[SimulatedEngine]()
    store = store or MemoryJournal()
    host: ThreadHost = SlowHost(box, commit_s) if commit_s else InlineHost()
    world = World(
        store=store,
        journal_host=host,
        venue_path=venue_path,
        venue_host=None,
        wall=FixedClock(),
        engine=7,
        finished=lambda: done.append(True),
        mode="backtest",
        limits=limits or Limits(),
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    tree = broken_tree(build_tree(parts), {each.path: each for each in faults}, box)
    engine = SimulatedEngine(tree, seed=seed, shuffle=shuffle)
    box.append(engine)
    watch(engine, parts, lambda _cell, _error: None)
    if poke is not None:
        poke(engine)
    engine.root.begin()
    while not done and engine.root.state is not State.CRASHED:
        if not engine.step():
            break
    return Ran(engine, parts, list(store.read()), bool(done))


def without_epoch(text: str) -> str:
    """Return ``text`` with the epochs of all order ids left out."""
    return ORDER_ID.sub(r"\1-\2", text)


def outcome(ran: Ran) -> dict[str, Any]:
    """Return what a fault must not change: orders, fills, decisions, the ledger."""
    book = OrderBook()
    for entry in ran.entries:
        book.apply(entry.event)
    orders = {
        row.order_id: (
            row.strategy,
            row.terms,
            row.state.value,
            row.filled,
            row.reason,
        )
        for row in book.rows.values()
    }
    # An order that came to the venue later than a sibling's trades under a later id.
    fills = [
        without_epoch(repr(attrs.evolve(each.fill, execution_id="")))
        for each in ran.events(ev.OrderFilled)
    ]
    decisions: dict[str, list[str]] = {}
    for each in ran.events(ev.DecisionMade):
        plain = attrs.evolve(each, applied=0)
        decisions.setdefault(each.strategy, []).append(without_epoch(repr(plain)))
    return {
        "finished": ran.finished,
        "orders": {without_epoch(k): without_epoch(repr(v)) for k, v in orders.items()},
        "fills": sorted(fills),
        "decisions": decisions,
        "ledger": repr(sorted(ran.ledger.items())),
        "parked": [each.path for each in ran.events(ev.ActorParked)],
        "quarantined": ran.events(ev.Quarantined),
    }


def domain_records(ran: Ran) -> list[tuple[int, int, str]]:
    """Return the journal without what tells of the host: for comparing two runs."""
    return [
        (each.cursor, each.market_time_us, without_epoch(repr(each.event)))
        for each in ran.entries
        if not isinstance(each.event, ev.OPERATIONAL)
    ]
