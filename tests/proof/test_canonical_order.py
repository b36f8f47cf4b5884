"""Canonical order on the live engine: whatever trio's schedule, and whoever dies.

trio shuffles its tasks. Hypothesis knows trio's dice (trio registers them with it), so
each example here is a schedule of its own, and one that fails is found again.
"""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from tests.sampling import some

from holdfast.backtest import simulate
from holdfast.options import RunOptions, read_options
from holdfast.testing import (
    FEED,
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    SCHEDULER,
    SESSION,
    Faults,
    strategy_path,
)
from holdfast.testing.outcome import domain_records
from holdfast_domain.events import Entry

from .comparing import complaints, outcome, read, unlike
from .running import DATA, EXAMPLES, RESTLESS, run_on_paper

FILES = (
    RESTLESS,
    EXAMPLES / "strategies" / "sma_cross.py",
    EXAMPLES / "strategies" / "rebalance.py",
)
NAMES = ("Restless", "SmaCross", "Rebalance")
STRATEGIES = tuple(strategy_path(name) for name in NAMES)
LEAVE_NO_DOUBT = (LEDGER, GUARD, FEED, SCHEDULER, *STRATEGIES)
each_schedule = given(schedule=st.random_module())


def schedules(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@cache
def options() -> RunOptions:
    """Three siblings that share little cash, with orders of all kinds."""
    return read_options(
        [str(file) for file in FILES],
        data=DATA,
        capital=9_000,
        commission="0.001",
        start="2004-06-01",
        end="2004-10-01",
        params={"long": "20", "short": "5"},
    )


@cache
def backtest() -> list[Entry]:
    return simulate(options()).entries


def traded(entries: list[Entry]) -> list[tuple[int, int, str]]:
    """Return the records of what was traded, in order.

    A strategy that is built anew has read more records than one that was not told yet.
    """
    return [
        (cursor, at_us, re.sub(r"applied=\d+", "", text))
        for cursor, at_us, text in domain_records(entries)
    ]


def on_paper(faults: Faults | None = None) -> list[Entry]:
    """Return the journal of a run on paper; the auditor must be content with it."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        run_on_paper(
            options(),
            state,
            observe=None if faults is None else lambda e, _: faults.attach(e),
        )
        assert complaints(state) == []
        return read(state / "journal.sqlite")


def order_of_tasks() -> list[int]:
    """Return the order in which trio runs some tasks that are ready at once."""
    order: list[int] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(30):

                async def task(number: int = number) -> None:
                    await trio.lowlevel.checkpoint()
                    order.append(number)

                nursery.start_soon(task)

    trio.run(main)
    return order


def test_the_schedules_below_differ() -> None:
    orders: set[tuple[int, ...]] = set()

    @schedules(10)
    @each_schedule
    def example(schedule: object) -> None:
        orders.add(tuple(order_of_tasks()))

    example()
    assert len(orders) > 5


@schedules(some(15))
@each_schedule
def test_no_schedule_of_trio_changes_a_record(schedule: object) -> None:
    assert domain_records(on_paper()) == domain_records(backtest())


@pytest.mark.parametrize(
    "path",
    [
        *(JOURNAL, ORDERS, LEDGER, GUARD, SESSION, FEED, SCHEDULER),
        *STRATEGIES,
    ],
)
def test_no_death_at_any_schedule_changes_the_outcome(path: str) -> None:
    """Nor a record, but where it brings doubt about orders that were on their way."""
    nths = st.integers(1, 15)

    @schedules(some(5))
    @given(schedule=st.random_module(), nth=nths, after=st.booleans())
    def example(schedule: object, nth: int, after: bool) -> None:
        faults = Faults()
        crash = faults.crash_on(path, nth=nth, after=after)
        kill = faults.kill(path, object, nth + 5)
        entries = on_paper(faults)

        instruments = options().instruments
        assert (
            unlike(outcome(backtest(), instruments), outcome(entries, instruments))
            == []
        )
        if path in LEAVE_NO_DOUBT:
            assert traded(entries) == traded(backtest())
        assert kill is not None
        assert crash.happened
        assert kill.happened

    example()
