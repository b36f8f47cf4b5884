"""Holdfast: a trade's bytes on a socket of an exchange, to `on_tick` of a strategy.

Through the stream, the adapter, the live feed and the feed of all data, for one trade
at a time: from just before the simulator gives its bytes to the system. The figure is
without what makes the tape durable; with ``--durable`` it is in the figure, as it is
in every run.

``after_a_rest`` is the same for trades that come 20 ms apart, when the machine has done
something else in between.
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
TRADES = 150
RESTED = 50
REST_S = 0.02

STRATEGY = """\
class Watcher(Strategy):
    def initialize(self, context):
        context.asset = self.symbol("BTCUSDT")

    def handle_data(self, context, data):
        pass

    def on_tick(self, context, tick):
        atvenue.heard_s[tick.price] = time.perf_counter()
        atvenue.heard[0].set()
"""


async def measure(folder: Path) -> list[float]:
    """Return how long each trade took to the strategy, in µs, in order."""
    async with atvenue.running(folder, STRATEGY, "paper") as simulator:
        exchange = simulator.exchange
        for number in range(WARM_UP + TRADES + RESTED):
            if number >= WARM_UP + TRADES:
                await trio.sleep(REST_S)
            atvenue.heard[0] = trio.Event()
            price = Decimal(atvenue.FIRST_PRICE + number)
            exchange.trade(atvenue.SYMBOL, price, Decimal("0.5"))
            await atvenue.heard[0].wait()
    left_s = {
        float(data.split(b'"p": "', 1)[1].split(b'"', 1)[0]): began_s
        for data, began_s in atvenue.left_s.items()
        if b'"e": "trade"' in data
    }
    assert list(left_s) == list(atvenue.heard_s)
    return [1e6 * (at_s - left_s[price]) for price, at_s in atvenue.heard_s.items()]


def main(words: list[str]) -> dict[str, float]:
    if "--durable" not in words:
        atvenue.without_disk()
    atvenue.note_what_passes()
    with tempfile.TemporaryDirectory() as folder:
        took_us = trio.run(measure, Path(folder))
    alone, rested = took_us[WARM_UP:-RESTED], took_us[-RESTED:]
    return {
        "value": statistics.median(alone),
        "p99": sorted(alone)[int(len(alone) * 0.99)],
        "after_a_rest": statistics.median(rested),
        "messages": len(alone),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
