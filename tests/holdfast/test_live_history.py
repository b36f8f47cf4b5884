"""A live market has a past: the venue is asked for it, and the tape has it, marked."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import trio

from holdfast.backtest import simulate
from holdfast.clocks import SystemClock
from holdfast.listing import kept_listing
from holdfast.loading import load_strategy
from holdfast.options import RunOptions
from holdfast.recovering import preview
from holdfast.testing.outcome import domain_records
from holdfast_adapters.matching import FillModel
from holdfast_adapters.simulators.binance.klines import KlineBook
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.tape import SqliteTape
from holdfast_domain import events as ev
from holdfast_domain.errors import InputError
from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import FIELDS, Bar, BarColumns, MarketData, us_of

from .live_desk import FASTER, Desk, desk

NEEDS = 30
SECOND_US = 1_000_000
FOLLOWS = """\
from holdfast import Strategy


class Follows(Strategy):
    def initialize(self, context):
        self.asset = self.symbol("BTCUSDT")
        self.needs(history=30)
        context.side = 0

    def handle_data(self, context, data):
        closes = data.history(self.asset, "close", 30)
        assert len(closes) == 30
        side = 1 if closes[-1] > closes.mean() else -1
        if side != context.side:
            context.side = side
            self.order_target_percent(self.asset, 0.5 if side > 0 else 0)
"""
CONFIG = """\
mode: paper
strategies: [{class: follows.py}]
venues:
  binance: {adapter: binance, symbols: [BTCUSDT], address: "${BINANCE}"}
engine: {state: "${HOLDFAST_STATE}"}
data: {interval: 1s, grace_s: 20}
"""


def config(folder: Path, text: str = CONFIG) -> Path:
    (folder / "follows.py").write_text(FOLLOWS)
    (folder / "run.yaml").write_text(text)
    return folder / "run.yaml"


def tape_of(here: Desk) -> list[Seen]:
    path = here.state / "tape.sqlite"
    tape = SqliteTape(path, "binance BTCUSDT 1s")
    try:
        return list(tape.read())
    finally:
        tape.close()


def bars_of(steps: list[Seen]) -> list[Bar]:
    return [bar for step in steps for bar in step.bars]


def heard(steps: list[Seen]) -> bool:
    return any(not step.fetched for step in steps)


def fills(entries: list[ev.Entry]) -> int:
    return sum(type(entry.event) is ev.OrderFilled for entry in entries)


def klines(book: KlineBook, first_us: int, count: int) -> list[tuple[float, ...]]:
    """The exchange's own klines, as floats."""
    first_ms = first_us // 1000 - 1000
    rows = book.rows(1000, first_ms + count * 1000, count, first_ms, 1 << 60)
    return [tuple(float(str(each)) for each in row[1:6]) for row in rows]


async def test_a_strategy_starts_with_its_history_and_nothing_is_missing_later(
    tmp_path: Path,
) -> None:
    path = config(tmp_path)
    async with desk(tmp_path / "state", past_days=1) as here:
        await here.run(path, lambda entries: fills(entries) >= 2)
        before = fills(here.entries())
        first = tape_of(here)
        # Some bars end while nobody listens.
        missed_us = us_of(bars_of(first)[-1].ended_at) + 60 * SECOND_US
        left_us = max(0, missed_us - here.clock.now_us())
        await trio.sleep(left_us / SECOND_US / FASTER)
        # Long enough that bars are not only asked for, but heard.
        await here.run(
            path, lambda entries: fills(entries) >= before + 2 and heard(tape_of(here))
        )
        told, entries = tape_of(here), here.entries()
        book = here.simulator.exchange.klines["BTCUSDT"]
        # Each bar of the tape, fetched or heard, is the exchange's own.
        bars = bars_of(told)
        ends = [us_of(bar.ended_at) for bar in bars]
        assert ends == list(range(ends[0], ends[0] + len(ends) * SECOND_US, SECOND_US))
        own = klines(book, ends[0], len(bars))
        assert [tuple(getattr(b, name) for name in FIELDS) for b in bars] == own
    marks = [step.fetched for step in told]
    assert told[: len(first)] == first
    assert marks[:NEEDS] == ["before"] * NEEDS
    assert "before" not in marks[NEEDS:]
    # The first bar that was not there at the start is told when it ends.
    assert marks[NEEDS:].index("in time") <= marks[NEEDS:].index("")
    assert Counter(marks[len(first) :])["late"] >= 1
    assert entries[0].market_time_us == ends[NEEDS - 1]
    # The backtest goes on to where the tape ends; the run was stopped before.
    records = domain_records(entries)
    assert of_backtest(tmp_path, told)[: len(records)] == records
    assert here.complaints() == []
    # What a start would do is said of the tape, too.
    found = preview(StateDir(here.state), SystemClock())
    assert found["tape"]["history"] == NEEDS
    assert found["tape"]["bars_from"] == bars[0].ended_at.isoformat()
    (again,) = found["refeeds"]
    assert again["slices"] == [] or again["slices"][0] >= NEEDS


def of_backtest(folder: Path, told: list[Seen]) -> list[tuple[object, ...]]:
    """The records of a backtest of a tape."""
    bars = bars_of(told)
    frame = pl.DataFrame(
        {
            "timestamp": [bar.ended_at for bar in bars],
            **{name: [getattr(bar, name) for bar in bars] for name in FIELDS},
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    marks = [step.fetched for step in told]
    data = MarketData(
        {"BTCUSDT": BarColumns("BTCUSDT", frame)},
        begins=marks.count("before"),
        late=[at for at, mark in enumerate(marks) if mark == "late"],
    )
    options = RunOptions(
        strategies=(load_strategy(str(folder / "follows.py")),),
        names=("Follows",),
        params=({},),
        data=data,
        instruments=kept_listing(StateDir(folder / "state")),
        capital=Decimal(100_000),
        model=FillModel(commission=Decimal("0.001")),
    )
    simulated = simulate(options)
    return [row for row in domain_records(simulated.entries) if "RunFin" not in row[2]]


async def test_a_venue_that_does_not_give_the_history_is_one_line(
    tmp_path: Path,
) -> None:
    path = config(tmp_path)
    async with desk(tmp_path / "state", past_days=1) as here:
        here.simulator.faults.on("error_500", "klines", count=5)
        with pytest.raises(InputError, match="expected 30 bars of history for Follows"):
            await here.run(path, lambda entries: True)
        assert here.said == []
        await here.run(path, bool)
    assert [step.fetched for step in tape_of(here)][:NEEDS] == ["before"] * NEEDS
