"""A test of your own: a slow, stuttering, hanging engine trades as a healthy one does.

Each test runs under several seeded schedules, in which actors take turns in another
order. A seed that fails is printed with the command that replays it; more seeds are
``pytest test_flaky_links.py --holdfast-seeds 100``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import pytest

from holdfast import BarData, Context, Strategy
from holdfast.testing import (
    ORDERS,
    SESSION,
    Faults,
    Submit,
    TradingSystem,
    market,
    strategy_path,
)

pytestmark = pytest.mark.holdfast_seeds(3)
PRICES = (10.0, 11.0, 10.5, 12.0, 11.0, 11.5, 10.0, 10.5, 12.5, 13.0, 12.0, 11.0)
BARS = [(p, p + 0.5, p - 0.5, p + 0.2) for p in PRICES * 4]


class Ladder(Strategy):
    """Keeps a limit order below the price, and sells what it got at a profit."""

    def initialize(self, context: Context) -> None:
        """Trade one instrument."""
        context.asset = self.symbol("AAA")
        context.fills = 0

    def handle_data(self, context: Context, data: BarData) -> None:
        """Move the order to the new price."""
        for order in self.get_open_orders():
            self.cancel_order(order)
        price = data.current(context.asset, "close")
        self.order(context.asset, 10, limit_price=round(price * 0.97, 2))

    def on_order_fill(self, context: Context, order, transaction) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Ask for a little more than was paid."""
        context.fills += 1
        if transaction.amount > 0:
            limit = round(float(transaction.price) * 1.02, 2)
            self.order(context.asset, -10, limit_price=limit)


@pytest.fixture
def trading(holdfast_trading: Callable[..., TradingSystem]) -> TradingSystem:
    """The strategy on a few weeks of made-up prices, with a disk that takes a while."""
    return holdfast_trading(Ladder, data=market(AAA=BARS), commit_s=0.01)


def test_a_slow_feed_and_a_slow_venue_change_nothing(
    trading: TradingSystem, holdfast_seed: int
) -> None:
    """Whatever is under way, market time waits for it."""
    undisturbed = trading.run()
    faults = Faults(seed=holdfast_seed)
    faults.delay(strategy_path("Ladder"), by_s=3, times=inf, rate=0.2)
    faults.delay(ORDERS, by_s=7, times=inf, rate=0.2)
    faults.slow(SESSION, by_s=2, rate=0.3)

    trading.run(faults).expect_same_as(undisturbed)

    assert undisturbed.result.fills > 10


def test_what_is_said_twice_is_done_once(
    trading: TradingSystem, holdfast_seed: int
) -> None:
    """Bars, records, fills and decisions come again, at once or later."""
    undisturbed = trading.run()
    faults = Faults(seed=holdfast_seed)
    for after_s in (0.0, 5.0):
        faults.duplicate("*", after_s=after_s, times=inf, rate=0.2)
    faults.reorder("*", times=inf, rate=0.2)

    ran = trading.run(faults)

    ran.expect_same_as(undisturbed)
    assert all(fault.happened for fault in faults.faults)


@pytest.mark.parametrize("nth", [1, 5, 12])
def test_a_venue_that_hangs_on_an_order_is_killed_and_asked(
    nth: int, trading: TradingSystem, holdfast_seed: int
) -> None:
    """Nobody knows whether the order went out: it is looked up, and not sent twice."""
    undisturbed = trading.run()
    faults = Faults(seed=holdfast_seed)
    faults.hang(SESSION, Submit, nth)
    faults.kill(SESSION, after_s=600)

    ran = trading.run(faults)

    ran.expect_same_as(undisturbed)
    ran.history.expect_order(("fault", SESSION), ("crashed", SESSION))
    ran.history.expect("restarted", SESSION)
