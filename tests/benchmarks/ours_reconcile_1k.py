"""Holdfast: one reconciliation of 1 000 positions and 1 000 open orders, all equal.

The venue is in memory, so what is measured is our own work: every question, every
answer, the comparison and its record.
"""

from __future__ import annotations

import json
import statistics
import time
from datetime import UTC, datetime
from typing import Any

import polars as pl

from holdfast import Strategy
from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, write_opening
from holdfast.options import read_options
from holdfast_actors.messages import Report
from holdfast_actors.reconciliation.messages import ReconcileNow
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.tree import RECONCILER
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData
from holdfast_runtime import SimulatedEngine

INSTRUMENTS = 1_000
BARS = 3
ROUNDS = 15
DAY_S = 86_400
OPENED_S = int(datetime(2024, 1, 2, tzinfo=UTC).timestamp())


class Wide(Strategy):
    """Buys one of everything, and rests a bid for one more."""

    def initialize(self, context: Any) -> None:
        context.assets = self.symbols(*names())
        context.done = False

    def handle_data(self, context: Any, data: Any) -> None:
        del data
        if not context.done:
            context.done = True
            for asset in context.assets:
                self.order(asset, 1)
                self.order(asset, 1, limit_price=1)


def names() -> list[str]:
    return [f"S{number}" for number in range(INSTRUMENTS)]


def market() -> MarketData:
    frame = pl.DataFrame(
        {
            "timestamp": [(OPENED_S + at * DAY_S) * 1_000_000 for at in range(BARS)],
            **{name: [10.0] * BARS for name in FIELDS},
        }
    ).with_columns(
        pl.from_epoch("timestamp", time_unit="us").dt.replace_time_zone("UTC")
    )
    return MarketData({name: BarColumns(name, frame) for name in names()})


def engine() -> SimulatedEngine:
    options = read_options([Wide], data=market(), capital=100_000)
    world = World(
        store=MemoryJournal(1),
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=1,
        finished=lambda: None,
        mode="paper",
        reconciling=ReconcilePlan(large_fill=2 * ReconcilePlan().large_fill),
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    made = SimulatedEngine(build_tree(parts))
    made.root.begin()
    made.run_until_idle(1.0)
    return made


def measure() -> float:
    made = engine()
    cell = made.cells[RECONCILER]
    took_ms = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        made.post(cell, ReconcileNow("bench"), None)
        made.run_until_idle(made.now_s())
        took_ms.append((time.perf_counter() - began_s) * 1e3)
    assert cell.actor is not None
    report: Any = cell.actor.handle(Report())
    assert report.runs > ROUNDS, report
    assert report.last["paper"].verdict == "agreed", report
    return statistics.median(took_ms)


if __name__ == "__main__":
    print(json.dumps({"value": measure()}))
