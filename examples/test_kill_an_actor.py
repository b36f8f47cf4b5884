"""A test of your own: kill any actor in the middle of a run, and nothing changes.

The fixture ``holdfast_trading`` comes with Holdfast. It runs a strategy on the engine
of a backtest: the same actors, virtual time, no threads, so that a kill falls at the
same place each time. Run it with ``pytest test_kill_an_actor.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import BarData, Context, Strategy
from holdfast.testing import (
    FEED,
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    SCHEDULER,
    SESSION,
    Faults,
    TradingSystem,
    strategy_path,
)

DATA = Path(__file__).parent / "data"
MOMENTS = (1, 5, 20)
"""After which of its messages an actor is killed."""


class Swings(Strategy):
    """Buys after a fall and sells after a rise, and closes on Fridays."""

    def initialize(self, context: Context) -> None:
        """Trade one instrument."""
        context.asset = self.symbol("IBM")
        self.schedule(self.close, at="50 15 * * 5")

    def close(self, context: Context, data: BarData) -> None:
        """Hold nothing over the weekend."""
        self.order_target(context.asset, 0)

    def handle_data(self, context: Context, data: BarData) -> None:
        """Trade on each bar."""
        closes = data.history(context.asset, "close", 2)
        self.order_target_percent(context.asset, 0.9 if closes[0] > closes[-1] else 0)


@pytest.fixture
def trading(holdfast_trading: Callable[..., TradingSystem]) -> TradingSystem:
    """The strategy on half a year of prices."""
    span = {"start": "2005-01-01", "end": "2005-07-01"}
    return holdfast_trading(Swings, data=DATA, commission="0.001", **span)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    "path",
    [
        *(JOURNAL, ORDERS, LEDGER, GUARD, SESSION, FEED, SCHEDULER),
        strategy_path("Swings"),
    ],
)
def test_a_killed_actor_changes_neither_fills_nor_money(
    path: str, moment: int, trading: TradingSystem
) -> None:
    """Whoever dies is rebuilt from the journal, and the run goes on."""
    undisturbed = trading.run()
    faults = Faults()
    faults.kill(path, object, moment)

    killed = trading.run(faults)

    killed.expect_same_as(undisturbed)
    killed.history.expect("restarted", path)
    assert undisturbed.result.fills > 20


def test_the_list_above_names_every_actor(trading: TradingSystem) -> None:
    """An actor that is added to the engine is to be killed here too."""
    cores = {JOURNAL, ORDERS, LEDGER, GUARD, SESSION, FEED, SCHEDULER}
    assert cores | {strategy_path("Swings")} == set(trading.paths)
