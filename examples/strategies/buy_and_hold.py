"""Buy and hold: equal shares of every instrument at its first bar, and wait."""

from __future__ import annotations

from holdfast import BarData, Context, Strategy, param


class BuyAndHold(Strategy):
    """Buys each instrument once, as soon as it has a price."""

    invested = param(0.95)
    """Fraction of the capital to invest; the rest pays for gaps between the bar at
    which an order is made and the one at which it is filled.
    """

    def initialize(self, context: Context) -> None:
        """Subscribe to everything that the data has."""
        context.assets = self.symbols()
        context.bought = []

    def handle_data(self, context: Context, data: BarData) -> None:
        """Buy what has begun to trade and is not bought yet."""
        budget = context.portfolio.starting_cash * self.invested / len(context.assets)
        for asset in context.assets:
            if asset.symbol not in context.bought and data.can_trade(asset):
                self.order_value(asset, budget)
                context.bought.append(asset.symbol)
