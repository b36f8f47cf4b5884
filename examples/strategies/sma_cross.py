"""SMA cross: hold an instrument while its short average is above its long one."""

from __future__ import annotations

from statistics import fmean

from holdfast import BarData, Context, Strategy, param


class SmaCross(Strategy):
    """Goes in and out of one instrument as two moving averages cross."""

    symbol_name = param("AAPL")
    """Which instrument to trade."""

    short = param(20)
    """Bars of the short average."""

    long = param(50)
    """Bars of the long average."""

    invested = param(0.95)
    """Fraction of the portfolio to hold while the short average is above."""

    def initialize(self, context: Context) -> None:
        """Choose the instrument, and begin without a position."""
        context.asset = self.symbol(self.symbol_name)
        context.holds = False
        self.needs(history=self.long)

    def handle_data(self, context: Context, data: BarData) -> None:
        """Order only when the averages have crossed since the last bar."""
        closes = data.history(context.asset, "close", self.long, "1d")
        if len(closes) < self.long:
            return
        rises = fmean(closes.tail(self.short)) > fmean(closes)
        if rises == context.holds:
            return
        context.holds = rises
        self.order_target_percent(context.asset, self.invested if rises else 0)
