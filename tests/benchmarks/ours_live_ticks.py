"""Holdfast: ticks in batches of 64 through the live engine to a strategy."""

from __future__ import annotations

import json
import time
from typing import Any

import trio
from live import SYMBOL, live_parts

from holdfast import Strategy
from holdfast_actors.messages import Ticks
from holdfast_actors.tree import strategy_path
from holdfast_domain.marketdata import Trade, utc_from_us
from holdfast_runtime import open_engine

TICKS = 640_000
BATCH = 64
START = 1 << 40


class Counting(Strategy):
    """Keeps the last price and counts."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol(SYMBOL)
        context.seen = 0
        context.last = 0.0

    def handle_data(self, context: Any, data: Any) -> None:
        """Nothing: ticks are what counts."""

    def on_tick(self, context: Any, tick: Trade) -> None:
        context.seen += 1
        context.last = tick.price


async def measure() -> float:
    _, spec = live_parts(Counting)
    at = utc_from_us(1_767_400_000_000_000)
    async with open_engine(spec) as engine:
        path = strategy_path("Counting")
        ref = engine.ref(path)
        context = engine.cells[path].actor._context
        began_s = time.perf_counter()
        for number in range(TICKS // BATCH):
            trades = tuple(
                Trade(instrument=SYMBOL, traded_at=at, price=100.0 + each, size=1.0)
                for each in range(BATCH)
            )
            await ref.send(Ticks(START + number, 1_767_400_000_000_000, trades))
            if number % 8 == 7:
                await trio.lowlevel.checkpoint()
        while context.seen < TICKS:
            await trio.lowlevel.checkpoint()
        return TICKS / (time.perf_counter() - began_s)


if __name__ == "__main__":
    print(json.dumps({"value": trio.run(measure), "ticks": TICKS}))
