"""Holdfast: a strategy orders, to the bytes of its signed request on a socket.

Through the decision, guard, orders, the session and the adapter of Binance, on an
account at a simulator: one order at a time, bought and sold in turns. The figure is
until the system is given the bytes, without what makes the journal durable; with
``--durable`` that is in it, as it is in every run.

``came`` is until the exchange, which is in the same process, has read them.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import atvenue
import trio

WARM_UP = 40
ORDERS = 159

STRATEGY = """\
class Flipping(Strategy):
    def initialize(self, context):
        context.asset = self.symbol("BTCUSDT")
        context.units = 0.01
        context.has_price = False

    def handle_data(self, context, data):
        if not context.has_price:
            context.has_price = True
            atvenue.heard[0].set()

    def on_tick(self, context, tick):
        if not context.has_price:
            return
        began_s = time.perf_counter()
        order_id = self.order(context.asset, context.units)
        atvenue.ordered_s[str(order_id)] = began_s
        context.units = -context.units

    def on_order_fill(self, context, order, transaction):
        atvenue.heard[0].set()

    def on_order_reject(self, context, order, reason):
        raise ValueError(reason)
"""


async def measure(folder: Path) -> tuple[list[float], list[float]]:
    """Return how long each order took, in µs: to the system, and through it."""
    async with atvenue.running(folder, STRATEGY, "live") as simulator:
        exchange = simulator.exchange
        while not atvenue.heard[0].is_set():
            exchange.trade(atvenue.SYMBOL, Decimal(atvenue.FIRST_PRICE), Decimal(1))
            await trio.sleep(0.1)
        for number in range(WARM_UP + ORDERS):
            atvenue.heard[0] = trio.Event()
            price = Decimal(atvenue.FIRST_PRICE + number)
            exchange.trade(atvenue.SYMBOL, price, Decimal(1))
            await atvenue.heard[0].wait()
    return _took_us(atvenue.left_s), _took_us(atvenue.came_s)


def _took_us(passed_s: dict[bytes, float]) -> list[float]:
    at_s = {
        data.split(b"newClientOrderId=", 1)[1][:32].decode(): passed
        for data, passed in passed_s.items()
        if data.startswith(b"POST /api/v3/order?")
    }
    assert list(at_s) == list(atvenue.ordered_s)
    took_us = [1e6 * (at_s[name] - at) for name, at in atvenue.ordered_s.items()]
    return took_us[WARM_UP:]


def main(words: list[str]) -> dict[str, float]:
    if "--durable" not in words:
        atvenue.without_disk()
    atvenue.note_what_passes()
    with tempfile.TemporaryDirectory() as folder:
        left_us, came_us = trio.run(measure, Path(folder))
    return {
        "value": statistics.median(left_us),
        "p99": sorted(left_us)[int(len(left_us) * 0.99)],
        "came": statistics.median(came_us),
        "orders": len(left_us),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
