"""Decides on trades and quotes as they come, and remembers how many there were."""

from __future__ import annotations

from typing import Any

from holdfast import BarData, Context, Strategy


class Tapper(Strategy):
    """Buys and sells a little on every few trades and quotes, and closes on some."""

    def initialize(self, context: Context) -> None:
        context.asset = self.symbol("IBM")
        context.ticks = context.quotes = context.bars = 0

    def handle_data(self, context: Context, data: BarData) -> None:
        context.bars += 1

    def on_tick(self, context: Context, tick: Any) -> None:
        context.ticks += 1
        if context.bars and context.ticks % 11 == 0:
            self.order(context.asset, 3 if context.ticks % 2 else -2)

    def on_quote(self, context: Context, quote: Any) -> None:
        context.quotes += 1
        if context.bars and context.quotes % 13 == 0:
            self.order(context.asset, 2)
        if context.bars and context.quotes % 17 == 0:
            self.order_target(context.asset, 0)
