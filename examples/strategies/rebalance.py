"""Rebalance: equal weights over all instruments, restored once a month."""

from __future__ import annotations

from holdfast import Amount, BarData, Context, Instrument, Strategy, param


class Rebalance(Strategy):
    """Sells what has grown too large, and with that money buys the others.

    A sell that is not filled yet does not fund a buy, so the buys come at the slice
    after the one that sold.
    """

    invested = param(0.9)
    """Fraction of the portfolio to hold, shared equally; the rest is a buffer."""

    def initialize(self, context: Context) -> None:
        """Trade everything that the data has."""
        context.assets = self.symbols()
        context.month = 0
        context.to_buy = False

    def handle_data(self, context: Context, data: BarData) -> None:
        """Sell at the first slice of a month, buy at the next one."""
        assets = [asset for asset in context.assets if data.can_trade(asset)]
        target = context.portfolio.portfolio_value * self.invested / len(assets)
        if context.to_buy:
            context.to_buy = False
            self.bring(context, assets, target, buys=True)
        elif context.now.month != context.month:
            context.month = context.now.month
            context.to_buy = True
            self.bring(context, assets, target, buys=False)

    def bring(
        self, context: Context, assets: list[Instrument], target: Amount, *, buys: bool
    ) -> None:
        """Trade those whose value is below (or above) the target."""
        for asset in assets:
            position = context.portfolio.positions[asset]
            value = position.amount * position.last_sale_price
            if (value < target) == buys:
                self.order_target_value(asset, target)
