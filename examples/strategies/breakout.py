"""Breakout: hold an instrument while its price is above those of the last bars."""

from __future__ import annotations

from holdfast import BarData, Context, Strategy, param


class Breakout(Strategy):
    """Goes in above the highest close of a window, and out below the lowest."""

    symbol_name = param("AAPL")
    """Which instrument to trade."""

    window = param(20)
    """How many bars the highest and the lowest close are taken of."""

    invested = param(0.5)
    """Fraction of the portfolio to hold after a breakout."""

    def initialize(self, context: Context) -> None:
        """Choose the instrument, and begin without a position."""
        context.asset = self.symbol(self.symbol_name)
        context.holds = False
        self.needs(history=self.window + 1)

    def handle_data(self, context: Context, data: BarData) -> None:
        """Order when the last close left the range of those before it."""
        closes = data.history(context.asset, "close", self.window + 1).to_list()
        if len(closes) <= self.window:
            return
        *before, last = closes
        goes_in = not context.holds and last > max(before)
        goes_out = context.holds and last < min(before)
        if goes_in or goes_out:
            context.holds = goes_in
            self.order_target_percent(context.asset, self.invested if goes_in else 0)
