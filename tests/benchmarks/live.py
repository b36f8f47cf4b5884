"""What our live benchmarks share: a trading tree on the live engine, all in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from holdfast import Strategy
from holdfast.clocks import SystemClock
from holdfast.compose import World, build_tree, make_parts, write_opening
from holdfast.options import read_options
from holdfast_actors.tree import Parts
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.ports import JournalStore, ThreadHost
from holdfast_runtime import SupervisorSpec

SYMBOL = "ES"


def two_bars() -> MarketData:
    """Return enough data for a last price."""
    first = datetime(2026, 1, 2, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "timestamp": [first, first + timedelta(minutes=1)],
            "open": [100.0, 100.0],
            "high": [101.0, 101.0],
            "low": [99.0, 99.0],
            "close": [100.0, 100.0],
            "volume": [1_000.0, 1_000.0],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return MarketData({SYMBOL: BarColumns(SYMBOL, frame)}, "bench")


def live_parts(
    strategy: type[Strategy],
    store: JournalStore | None = None,
    host: ThreadHost | None = None,
) -> tuple[Parts, SupervisorSpec]:
    """Return a tree with an in-memory paper venue that fills at this close.

    Its journal is in memory too, unless there are a ``store`` and the ``host`` of its
    writer.
    """
    options = read_options(
        strategy, data=two_bars(), capital=1_000_000_000, fill="this_close"
    )
    world = World(
        store=store or MemoryJournal(),
        journal_host=host,
        venue_path=None,
        venue_host=None,
        wall=SystemClock(),
        engine=1,
        finished=_nothing,
        mode="paper",
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    return parts, build_tree(parts)


def _nothing(*_: Any) -> None:
    """The two bars are at their end; what is measured comes after them."""
