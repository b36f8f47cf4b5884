"""What an owner of state cannot take is set aside, aloud, and the rest goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from holdfast import Strategy
from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, watch, write_opening
from holdfast.options import read_options
from holdfast_actors import books
from holdfast_actors.messages import Report, Verdict
from holdfast_actors.tree import GUARD, LEDGER
from holdfast_actors.vetting import Judge
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.orders import OrderTerms
from holdfast_runtime import SimulatedEngine
from holdfast_runtime.cell import State

BARS = 12


class Both(Strategy):
    """Buys one A and one B on each bar."""

    def initialize(self, context: Any) -> None:
        context.assets = self.symbols("A", "B")

    def handle_data(self, context: Any, data: Any) -> None:
        for asset in context.assets:
            self.order(asset, 1)


def columns(symbol: str) -> BarColumns:
    first = datetime(2024, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "timestamp": [first + timedelta(hours=n) for n in range(BARS)],
            **{field: [10.0] * BARS for field in ("open", "high", "low", "close")},
            "volume": [100.0] * BARS,
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return BarColumns(symbol, frame)


def run() -> tuple[SimulatedEngine, list[ev.Entry]]:
    data = MarketData({name: columns(name) for name in ("A", "B")}, "x")
    options = read_options(Both, data=data, capital=10_000)
    store = MemoryJournal()
    world = World(
        store=store,
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=1,
        finished=lambda: None,
        mode="backtest",
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    engine = SimulatedEngine(build_tree(parts))
    watch(engine, parts, lambda _cell, _error: None)
    engine.root.begin()
    engine.run_until_idle()
    return engine, list(store.read())


def test_a_fill_that_the_ledger_cannot_take_stops_its_instrument_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = books.Books._fill

    def broken(self: books.Books, fill: Fill, venue: str) -> None:
        if fill.execution_id == "X3":
            message = "cannot book this one"
            raise ValueError(message)
        whole(self, fill, venue)

    monkeypatch.setattr(books.Books, "_fill", broken)

    engine, entries = run()

    (quarantined,) = [e.event for e in entries if isinstance(e.event, ev.Quarantined)]
    assert quarantined.subject == "instrument/A"
    assert quarantined.reader == LEDGER
    assert engine.root.state is State.RUNNING
    held = engine.call(engine.ref(LEDGER).ask(Report(), deadline_s=1))["Both"]
    fills = [e.event.fill for e in entries if isinstance(e.event, ev.OrderFilled)]
    bought = {name: sum(f.instrument == name for f in fills) for name in ("A", "B")}
    assert bought["B"] == BARS - 1
    assert bought["A"] < bought["B"]
    assert held.positions["B"].amount == bought["B"]
    assert held.positions["A"].amount == bought["A"] - 1
    asked = engine.call(engine.ref(GUARD).ask(Report(), deadline_s=1))
    assert list(asked) == ["instrument/A"]
    refused = {
        e.event.terms.instrument
        for e in entries
        if isinstance(e.event, ev.OrderRefused)
    }
    assert refused == {"A"}


def test_a_decision_that_the_guard_cannot_judge_stops_its_strategy_at_the_second_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, deaths = Judge.terms, []

    def broken(self: Judge, strategy: str, terms: OrderTerms) -> Verdict:
        if terms.instrument == "B":
            deaths.append(strategy)
            message = "cannot judge this one"
            raise ValueError(message)
        return whole(self, strategy, terms)

    monkeypatch.setattr(Judge, "terms", broken)

    engine, entries = run()

    # The second time it had waited until the new guard knew all.
    assert deaths == ["Both", "Both"]
    (quarantined,) = [e.event for e in entries if isinstance(e.event, ev.Quarantined)]
    assert (quarantined.subject, quarantined.reader) == ("strategy/Both", GUARD)
    assert engine.root.state is State.RUNNING
    asked = engine.call(engine.ref(GUARD).ask(Report(), deadline_s=1))
    assert list(asked) == ["strategy/Both"]
