"""The fold: every owner's state as of one record, made from the journal alone.

It is made of the very projections that the owners use, so that to load what it saves
and then take the records that follow is to replay the whole journal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import msgspec

from holdfast_actors.books import Books
from holdfast_actors.clock import HaltGate
from holdfast_actors.guardbook import GuardBook
from holdfast_actors.orderbook import OrderBook
from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.strategy.news import NEWS
from holdfast_actors.strategy.orders import Desk
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_actors.strategy.restore import Past
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import us_of
from holdfast_domain.schedules import Schedule
from holdfast_domain.snapshots import EventCodec

ORDERS, LEDGER, GUARD, SCHEDULES, RUN = "orders", "ledger", "guard", "schedules", "run"
RECONCILER = "reconciler"
"""The names of the sections; a strategy's is ``strategy/NAME``."""


_OF_ALL = NEWS | {ev.SchedulesDeclared}
"""What each strategy's fold takes, whomever it names."""

_OF_RUNS = frozenset({
    ev.EngineStarted,
    ev.RunFinished,
    ev.Halted,
    ev.Resumed,
    ev.VenueSilenced,
})  # fmt: skip


@attrs.define
class RunSoFar:
    """What a start must know of the starts before it."""

    options: str = ""
    """What must not differ between starts; empty before the first one."""

    finished: bool = False
    halted: bool = False
    halts: int = 0
    """The highest generation of a halt."""

    silent: dict[str, list[int]] = attrs.field(factory=dict, converter=dict)
    """By venue, until when nothing may be asked of it, and until when no cancel; in
    microseconds UTC of the host's clock.
    """

    def apply(self, event: ev.Event) -> None:
        """Take one record."""
        if type(event) not in _OF_RUNS:
            return
        if isinstance(event, ev.EngineStarted):
            self.options = event.options
        elif isinstance(event, ev.RunFinished):
            self.finished = True
        elif isinstance(event, ev.Halted):
            self.halted, self.halts = True, max(self.halts, event.generation)
        elif isinstance(event, ev.Resumed):
            self.halted = False
        elif isinstance(event, ev.VenueSilenced):
            ends = (event.until, event.cancels_until)
            self.silent[event.venue] = [us_of(end) for end in ends]


@attrs.frozen(kw_only=True)
class Shape:
    """What a fold must know of the engine."""

    instruments: Mapping[str, Instrument]
    venue: str
    recent_us: int
    """How long an order counts as recent for the guard."""

    strategies: Mapping[str, str]
    """Each strategy's place in the tree, by its name."""


class StrategyFold:
    """One strategy, as its actor would be restored."""

    def __init__(self, name: str, path: str, shape: Shape) -> None:
        self.past = Past(name)
        self._path = path
        self._portfolio = Portfolio(shape.instruments, lambda _symbol: None)
        self._desk = Desk(engine=0, epoch=0, index=0, instruments=shape.instruments)

    def take(self, entry: ev.Entry) -> None:
        """Take one record of the journal."""
        first = self.past.first
        self.past.take(entry, self._path)
        if first is None and self.past.first is not None:
            self._settle(self.past.first)

    def save(self, codec: EventCodec) -> dict[str, Any]:
        """Return all of it as plain values."""
        past = self.past
        for entry in past.entries:
            if entry.sequence <= past.applied:
                self._settle(entry)
        past.entries = [e for e in past.entries if e.sequence > past.applied]
        return {
            "cursor": past.cursor,
            "applied": past.applied,
            "number": past.number,
            "time_us": past.time_us,
            "is_first": past.is_first,
            "decided": dict(past.decided),
            "gone": sorted(past.gone),
            "between": dict(past.between),
            "quarantined": sorted(past.quarantined),
            "first": None if past.first is None else _plain(past.first, codec),
            "entries": [_plain(entry, codec) for entry in past.entries],
            "settled": {
                "portfolio": self._portfolio.save(),
                "desk": self._desk.save(),
            },
        }

    def load(self, saved: dict[str, Any], codec: EventCodec) -> None:
        """Be what `save` returned."""
        self.past = past_of(self.past.strategy, saved, {}, codec)
        self._portfolio.load(saved["settled"]["portfolio"])
        self._desk.load(saved["settled"]["desk"])

    def _settle(self, entry: ev.Entry) -> None:
        event = entry.event
        self._portfolio.apply(event)
        self._desk.apply(event)


class Fold:
    """Every owner's state; `take` records in their order, then `save`."""

    def __init__(self, shape: Shape, codec: EventCodec) -> None:
        self._codec = codec
        self.last: ev.Entry | None = None
        """The last record that it took itself."""

        self.sequence = 0
        self.orders = OrderBook()
        self.books = Books(shape.instruments, shape.venue)
        self.guard = GuardBook(shape.instruments, HaltGate(), shape.recent_us)
        self.schedules: dict[str, tuple[Schedule, ...]] = {}
        self.run = RunSoFar()
        self.reconciling = ReconcileBook()
        self.strategies = {
            name: StrategyFold(name, path, shape)
            for name, path in shape.strategies.items()
        }

    def take(self, entries: Iterable[ev.Entry]) -> None:
        """Take records that follow; whatever a projection raises comes out."""
        for entry in entries:
            event = entry.event
            self.orders.apply(event, entry.market_time_us)
            self.books.apply(event)
            self.guard.replay(entry)
            self.run.apply(event)
            self.reconciling.apply(event)
            if type(event) is ev.SchedulesDeclared:
                self.schedules[event.strategy] = event.schedules
            self._tell_strategies(entry)
            self.sequence, self.last = entry.sequence, entry

    def save(self) -> dict[str, Any]:
        """Return each owner's section, as JSON-able values."""
        sections: dict[str, Any] = {
            RUN: attrs.asdict(self.run),
            ORDERS: self.orders.save(),
            LEDGER: self.books.save(),
            GUARD: self.guard.save(),
            SCHEDULES: msgspec.to_builtins(self.schedules),
            RECONCILER: self.reconciling.save(),
        }
        for name, each in self.strategies.items():
            sections[section_of(name)] = each.save(self._codec)
        return sections

    def load(self, sections: dict[str, Any], sequence: int) -> None:
        """Be what `save` returned as of ``sequence``."""
        self.orders.load(sections[ORDERS])
        self.books.load(sections[LEDGER])
        self.guard.load(sections[GUARD])
        self.schedules = schedules_of(sections)
        self.run = RunSoFar(**sections[RUN])
        if RECONCILER in sections:  # snapshots of older versions have none
            self.reconciling.load(sections[RECONCILER])
        for name, each in self.strategies.items():
            each.load(sections[section_of(name)], self._codec)
        self.sequence = sequence

    def _tell_strategies(self, entry: ev.Entry) -> None:
        event = entry.event
        fill = getattr(event, "fill", None)
        name = getattr(event if fill is None else fill, "strategy", None)
        if name is None or type(event) in _OF_ALL:
            for each in self.strategies.values():
                each.take(entry)
        elif name in self.strategies:
            self.strategies[name].take(entry)


def section_of(strategy: str) -> str:
    """Return the name of a strategy's section."""
    return f"strategy/{strategy}"


def strategies_of(sections: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sections of all strategies."""
    return [part for name, part in sections.items() if name.startswith(section_of(""))]


def schedules_of(sections: dict[str, Any]) -> dict[str, tuple[Schedule, ...]]:
    """Return what strategies had declared."""
    return msgspec.convert(sections[SCHEDULES], dict[str, tuple[Schedule, ...]])


def past_of(
    strategy: str,
    saved: dict[str, Any],
    schedules: Mapping[str, tuple[Schedule, ...]],
    codec: EventCodec,
) -> Past:
    """Return a strategy's past, up to its snapshot."""
    first = saved["first"]
    return Past(
        strategy,
        entries=[_entry(each, codec) for each in saved["entries"]],
        first=None if first is None else _entry(first, codec),
        # Before the capital there is nothing; what follows settles it all.
        settled=None if first is None else saved["settled"],
        cursor=saved["cursor"],
        applied=saved["applied"],
        number=saved["number"],
        time_us=saved["time_us"],
        decided=dict(saved["decided"]),
        gone=set(saved["gone"]),
        between=dict(saved["between"]),
        schedules=dict(schedules),
        quarantined=set(saved["quarantined"]),
        is_first=saved["is_first"],
    )


def _plain(entry: ev.Entry, codec: EventCodec) -> dict[str, Any]:
    kind, body = codec.encode(entry.event)
    return {
        "sequence": entry.sequence,
        "epoch": entry.epoch,
        "cursor": entry.cursor,
        "market_time_us": entry.market_time_us,
        "wall_time_us": entry.wall_time_us,
        "kind": kind,
        "body": json.loads(body),
    }


def _entry(saved: dict[str, Any], codec: EventCodec) -> ev.Entry:
    return ev.Entry(
        sequence=saved["sequence"],
        epoch=saved["epoch"],
        cursor=saved["cursor"],
        market_time_us=saved["market_time_us"],
        wall_time_us=saved["wall_time_us"],
        event=codec.decode(saved["kind"], json.dumps(saved["body"])),
    )
