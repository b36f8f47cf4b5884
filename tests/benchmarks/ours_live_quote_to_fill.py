"""Holdfast: a quote in, to `on_order_fill`, on the live engine, all in memory.

Quote to strategy, decision to guard, to orders, journaled, to the session, to the
paper venue, its evidence journaled, its fill to the strategy.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import trio
from live import SYMBOL, live_parts

from holdfast import Strategy
from holdfast.backtest import rare_collections
from holdfast_actors.messages import Quotes
from holdfast_actors.tree import Parts, strategy_path
from holdfast_domain.marketdata import Quote, utc_from_us
from holdfast_runtime import SupervisorSpec, open_engine

QUOTES = 4_500
WARM_UP = 500
NOW_US = 1_767_400_000_000_000
START = 1 << 40

filled_s: list[float] = []
"""When each fill reached the strategy; outside of it, for it is not its state."""

arrived: list[trio.Event] = [trio.Event()]
"""Set at each fill."""


class Flipping(Strategy):
    """Buys one unit on a quote, sells it on the next."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol(SYMBOL)
        context.units = 1

    def handle_data(self, context: Any, data: Any) -> None:
        """Nothing: quotes are what counts."""

    def on_quote(self, context: Any, quote: Quote) -> None:
        self.order(context.asset, context.units)
        context.units = -context.units

    def on_order_fill(self, context: Any, order: Any, transaction: Any) -> None:
        filled_s.append(time.perf_counter())
        arrived[0].set()


async def measure(
    parts: Parts, spec: SupervisorSpec, quotes: int = QUOTES
) -> list[float]:
    """Return how long each quote took to its fill, in µs, the first ones left out."""
    took_us = []
    async with open_engine(spec) as engine:
        while parts.prices.step < 1:
            await trio.lowlevel.checkpoint()
        ref = engine.ref(strategy_path("Flipping"))
        now_us = parts.clock.now_us
        at = utc_from_us(NOW_US)
        for number in range(WARM_UP + quotes):
            quote = Quote(
                instrument=SYMBOL,
                quoted_at=at,
                bid=99.0,
                ask=100.0,
                bid_size=1.0,
                ask_size=1.0,
            )
            arrived[0] = trio.Event()
            began_s = time.perf_counter()
            await ref.send(Quotes(START + number, now_us, (quote,)))
            # As with the peer: no turn of the loop once it was told.
            if not arrived[0].is_set():
                await arrived[0].wait()
            took_us.append((filled_s[-1] - began_s) * 1e6)
    return took_us[WARM_UP:]


if __name__ == "__main__":
    # As `holdfast run` runs: garbage is looked for rarely.
    with rare_collections():
        took = sorted(trio.run(measure, *live_parts(Flipping)))
    figures = {
        "value": statistics.median(took),
        "p99": took[int(len(took) * 0.99)],
        "fills": len(filled_s),
    }
    print(json.dumps(figures))
