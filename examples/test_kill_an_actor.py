"""A test of your own: kill an actor in the middle of a run, and nothing changes.

It runs a strategy on the simulated engine, which is the engine of a backtest: the same
actors, virtual time, and no threads, so that a kill falls at the same place each time.
Run it with ``pytest test_kill_an_actor.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from holdfast import BarData, Context, Strategy
from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, watch, write_opening
from holdfast.options import read_options
from holdfast.results import RunResult, measure
from holdfast_actors.tree import FEED, GUARD, JOURNAL, LEDGER, ORDERS, strategy_path
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain.events import ActorRestarted
from holdfast_runtime import Killed, SimulatedEngine
from holdfast_runtime.threads import InlineHost

DATA = Path(__file__).parent / "data"
BAR = 1_000
"""The bar at which somebody is killed."""


class Swings(Strategy):
    """Buys after a fall and sells after a rise, and says at which bar it is."""

    at_bar: ClassVar[Callable[[int], None]]

    def initialize(self, context: Context) -> None:
        """Trade one instrument."""
        context.asset = self.symbol("IBM")
        context.bars = 0

    def handle_data(self, context: Context, data: BarData) -> None:
        """Trade on each bar."""
        context.bars += 1
        Swings.at_bar(context.bars)
        closes = data.history(context.asset, "close", 2)
        self.order_target_percent(context.asset, 0.9 if closes[0] > closes[-1] else 0)


@attrs.frozen
class Ran:
    """What is left of a run."""

    result: RunResult
    restarted: list[str]


def run(kill: str = "") -> Ran:
    """Run the strategy; kill the actor at the path ``kill`` on the way."""
    options = read_options(Swings, data=DATA, commission="0.001", end="2006-01-01")
    journal, done = MemoryJournal(), list[bool]()
    world = World(
        store=journal,
        journal_host=InlineHost(),
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=1,
        finished=lambda: done.append(True),
        mode="backtest",
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    engine = SimulatedEngine(build_tree(parts))
    watch(engine, parts, lambda cell, error: print(f"{cell.path} crashed: {error}"))
    Swings.at_bar = killing(engine, kill)
    engine.root.begin()
    while not done and engine.step():
        """Until the data is at its end."""
    entries = list(journal.read())
    return Ran(
        measure(entries, options.data, options.instruments, wall_s=None),
        [e.event.path for e in entries if isinstance(e.event, ActorRestarted)],
    )


def killing(engine: SimulatedEngine, path: str) -> Callable[[int], None]:
    """Return what kills the actor at ``path``, once, after the bar `BAR`."""
    paths = [path] if path else []

    async def kill() -> None:
        engine.kill(engine.cells[paths.pop()], Killed("by the test"))

    def at_bar(bar: int) -> None:
        if bar == BAR and paths:
            engine.run_task(kill())

    return at_bar


@pytest.fixture(scope="module")
def undisturbed() -> Ran:
    """The same run, with nobody killed."""
    return run()


@pytest.mark.parametrize(
    "path", [JOURNAL, ORDERS, LEDGER, GUARD, FEED, strategy_path("Swings")]
)
def test_a_killed_actor_changes_neither_fills_nor_money(
    path: str, undisturbed: Ran
) -> None:
    """Whoever dies is rebuilt from the journal, and the run goes on."""
    killed = run(kill=path)

    assert path in killed.restarted
    assert undisturbed.restarted == []
    assert undisturbed.result.final_equity == killed.result.final_equity
    assert undisturbed.result.to_json() == killed.result.to_json()
    fills = undisturbed.result.trades.drop("order_id")
    assert fills.equals(killed.result.trades.drop("order_id"))
