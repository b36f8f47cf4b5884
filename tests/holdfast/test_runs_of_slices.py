"""A lone strategy takes many slices in one message: nothing but the speed differs."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import Strategy
from holdfast.options import RunOptions, read_options
from holdfast.testing import Faults, TradingRun, flat, market
from holdfast.testing.outcome import domain_records
from holdfast_actors.tree import FEED, GUARD, strategy_path
from holdfast_domain import events as ev

from .simulations import add, run

BARS = 200
FAILS_AT = 57
failures: list[int] = []
"""The bars at which a strategy has failed; outside of it, to survive its restarts."""


class Seldom(Strategy):
    """Trades every 40 bars, and reports twice a month."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol("A")
        context.bars = 0
        self.schedule(self.report, at="0 12 1,15 * *")

    def handle_data(self, context: Any, data: Any) -> None:
        context.bars += 1
        if context.bars % 40 == 0:
            self.order(context.asset, context.bars // 40)

    def report(self, context: Any, data: Any) -> None:
        if data.current(context.asset) % 3 < 1:
            self.order(context.asset, -1)


class Failing(Seldom):
    """Fails on one bar, whenever it sees it."""

    times = 99

    def handle_data(self, context: Any, data: Any) -> None:
        if int(data.current(context.asset)) == 100 + FAILS_AT:
            failures.append(FAILS_AT)
            if len(failures) <= self.times:
                message = "not this one"
                raise ValueError(message)
        super().handle_data(context, data)


class FailingOnce(Failing):
    times = 1


def options_of(*strategies: type[Strategy]) -> RunOptions:
    data = market(A=flat(*(100.0 + at for at in range(BARS))))
    return read_options(list(strategies), data=data, capital=1_000_000)


def ran(
    strategy: type[Strategy], length: int, faults: Faults | None = None
) -> TradingRun:
    failures.clear()
    finished = run(options_of(strategy), faults, slices_max=length)
    assert finished.finished
    return finished


def messages_of(finished: TradingRun) -> int:
    name = finished.parts.plans[0].name
    return finished.engine.cells[strategy_path(name)].handled


@pytest.mark.parametrize("strategy", [Seldom, Failing, FailingOnce])
@pytest.mark.parametrize("length", [2, 7, 128])
def test_the_journal_is_that_of_slice_by_slice(
    strategy: type[Strategy], length: int
) -> None:
    one_by_one = ran(strategy, 1)
    failed = list(failures)
    runs = ran(strategy, length)

    assert domain_records(runs.entries) == domain_records(one_by_one.entries)
    assert failures == failed
    assert messages_of(runs) < messages_of(one_by_one)
    assert bool(runs.events(ev.Quarantined)) is (strategy is Failing)


def test_only_the_slice_that_fails_is_quarantined() -> None:
    finished = ran(Failing, 128)

    (quarantined,) = finished.events(ev.Quarantined)
    assert quarantined.origin == f"input:{(FAILS_AT + 1) << 16 | 0xFFFF}"
    assert failures == [FAILS_AT] * 2


@pytest.mark.parametrize("path", [strategy_path("Seldom"), FEED, GUARD])
@pytest.mark.parametrize("how", ["before", "after", "now", "soon"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_death_amid_a_run_changes_nothing(path: str, how: str, nth: int) -> None:
    faults = Faults()
    fault = add(faults, how, path, nth)

    ran(Seldom, 128, faults).expect_same_as(ran(Seldom, 128))

    assert fault.happened


def test_siblings_take_slice_after_slice() -> None:
    finished = run(options_of(Seldom, FailingOnce))

    for name in ("Seldom", "FailingOnce"):
        assert finished.engine.cells[strategy_path(name)].handled >= BARS
