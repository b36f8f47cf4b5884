"""A test of your own: crash your strategy at each of its bars, one after the other.

A strategy that crashes is built anew: ``initialize`` runs, its saved attributes come
back, and the inputs since its last decision are given again. So all that it must
remember belongs on ``self`` or ``context``. The sweep finds whatever does not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import BarData, Context, Strategy
from holdfast.testing import (
    Faults,
    Slice,
    TradingSystem,
    strategy_path,
    sweep,
)

DATA = Path(__file__).parent / "data"
SPAN = {"start": "2005-01-01", "end": "2005-03-01"}
Make = Callable[..., TradingSystem]


class EveryThird(Strategy):
    """Buys on every third bar, and sells all on every seventh."""

    def initialize(self, context: Context) -> None:
        """Count bars where a restart finds the count again."""
        context.asset = self.symbol("IBM")
        context.bars = 0

    def handle_data(self, context: Context, data: BarData) -> None:
        """Trade by the count."""
        context.bars += 1
        if context.bars % 3 == 0:
            self.order(context.asset, 10)
        if context.bars % 7 == 0:
            self.order_target(context.asset, 0)


class Forgetful(Strategy):
    """Does the same, but counts where the engine cannot save it."""

    bars: list[int]

    def initialize(self, context: Context) -> None:
        """Begin to count; after a crash this begins anew."""
        context.asset = self.symbol("IBM")
        Forgetful.bars = []

    def handle_data(self, context: Context, data: BarData) -> None:
        """Trade by the count."""
        Forgetful.bars.append(1)
        if len(Forgetful.bars) % 3 == 0:
            self.order(context.asset, 10)
        if len(Forgetful.bars) % 7 == 0:
            self.order_target(context.asset, 0)


class Calm(Strategy):
    """A sibling that buys once."""

    def initialize(self, context: Context) -> None:
        """Choose the instrument."""
        context.asset = self.symbol("MSFT")
        context.done = False

    def handle_data(self, context: Context, data: BarData) -> None:
        """Buy on the first bar."""
        if not context.done:
            context.done = True
            self.order(context.asset, 100)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after its work"])
def test_a_crash_at_any_bar_changes_nothing(
    after: bool, holdfast_trading: Make
) -> None:
    """Each run crashes at one more bar, until one gets by."""
    trading = holdfast_trading(EveryThird, data=DATA, **SPAN)
    undisturbed = trading.run()

    def check(faults: Faults) -> None:
        trading.run(faults).expect_same_as(undisturbed)

    path = strategy_path("EveryThird")
    crashes = sweep(check, "crash_on", path, Slice, after=after)

    assert crashes == len(undisturbed.history.of("handled", path, Slice))
    assert undisturbed.result.fills > 10


def test_the_sweep_finds_what_a_strategy_forgets(holdfast_trading: Make) -> None:
    """The failure names the first decision that differs, and the crash before it."""
    trading = holdfast_trading(Forgetful, data=DATA, **SPAN)
    undisturbed = trading.run()

    def check(faults: Faults) -> None:
        trading.run(faults).expect_same_as(undisturbed)

    with pytest.raises(AssertionError, match=r"the first of .* that differs") as caught:
        sweep(check, "crash_on", strategy_path("Forgetful"), Slice)
    (note,) = caught.value.__notes__
    assert "crash_on(engine/trading/strategies/Forgetful/strategy, Slice" in note


def test_a_strategy_that_cannot_be_healed_leaves_its_sibling_alone(
    holdfast_trading: Make,
) -> None:
    """From some bar on it always crashes: it is stopped, said aloud, and no more."""
    trading = holdfast_trading([EveryThird, Calm], data=DATA, **SPAN)
    undisturbed = trading.run()
    path = strategy_path("EveryThird")

    def check(faults: Faults) -> None:
        ran = trading.run(faults)
        assert ran.finished
        assert ran.ledger["Calm"] == undisturbed.ledger["Calm"]
        if faults.faults[0].happened:
            ran.history.expect("quarantined", path)

    assert sweep(check, "crash_on", path, Slice, persistent=True, every=5) > 5
