"""Holdfast: all streams break, until the market is heard and the hole is filled.

An account at a Binance simulator: the streams of the market and of the account are
reset after a minute of health, and an order is filled while nobody listens. The figure
is the time until a strategy has heard both a trade and that fill, which the venue was
asked for; the wait before the first attempt, drawn at random, is in it.
"""

from __future__ import annotations

import json
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import atvenue
import trio

HEALTHY_S = 61.0
"""Somewhat longer than `StreamPlan.healthy_after_s`."""

PERIOD_S = 0.01
USUAL, LOW = Decimal(50_000), Decimal(49_000)

STRATEGY = f"""\
class Resting(Strategy):
    def initialize(self, context):
        context.asset = self.symbol("BTCUSDT")
        context.has_ordered = False

    def handle_data(self, context, data):
        if not context.has_ordered:
            context.has_ordered = True
            self.order(context.asset, 0.01, limit_price={LOW})

    def on_tick(self, context, tick):
        atvenue.heard_s[tick.price] = time.perf_counter()

    def on_order_fill(self, context, order, transaction):
        atvenue.ordered_s["filled"] = time.perf_counter()
        atvenue.heard[0].set()
"""


async def measure(folder: Path) -> dict[str, float]:
    """Return how long all of it took, in seconds, and each of both."""
    async with atvenue.running(folder, STRATEGY, "live") as simulator:
        exchange = simulator.exchange
        until_s = trio.current_time() + HEALTHY_S
        while trio.current_time() < until_s:
            exchange.trade(atvenue.SYMBOL, USUAL, Decimal(1))
            await trio.sleep(10 * PERIOD_S)
        assert [each.status for each in exchange.orders] == ["NEW"]
        broke_s = time.perf_counter()
        for socket in simulator.sockets:
            socket.reset()
        exchange.trade(atvenue.SYMBOL, LOW, Decimal(1))
        while not (atvenue.heard[0].is_set() and float(USUAL + 1) in atvenue.heard_s):
            await trio.sleep(PERIOD_S)
            exchange.trade(atvenue.SYMBOL, USUAL + 1, Decimal(1))
    return {
        "value": time.perf_counter() - broke_s,
        "filled": atvenue.ordered_s["filled"] - broke_s,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        atvenue.LIMIT_S += HEALTHY_S
        print(json.dumps(trio.run(measure, Path(where))))
