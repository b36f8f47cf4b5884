"""Bracket: buy a dip with the exits already placed, and let the venue watch them."""

from __future__ import annotations

from holdfast import BarData, Context, Strategy, param


class Dip(Strategy):
    """Buys below the last close; a take-profit and a stop-loss come with the order."""

    symbol_name = param("AAPL")
    """Which instrument to trade."""

    dip = param(0.02)
    """How far below the last close to buy, as a fraction of it."""

    gain = param(0.05)
    """How far above the entry to take the profit."""

    loss = param(0.03)
    """How far below the entry to stop the loss."""

    invested = param(0.5)
    """Fraction of the portfolio that an entry costs."""

    def initialize(self, context: Context) -> None:
        """Choose the instrument."""
        context.asset = self.symbol(self.symbol_name)

    def handle_data(self, context: Context, data: BarData) -> None:
        """Place one bracket at a time; ask for a new price while it waits."""
        held = context.portfolio.positions[context.asset].amount
        waiting = [o for o in self.get_open_orders() if o.role == "entry"]
        if held:
            return
        if waiting:
            self.cancel_order(waiting[0])  # and with it the exits of its list
            return
        entry = round(data.current(context.asset, "close") * (1 - self.dip), 2)
        units = int(float(context.portfolio.cash) * self.invested / entry)
        self.order_bracket(
            context.asset,
            units,
            limit_price=entry,
            take_profit_price=round(entry * (1 + self.gain), 2),
            stop_loss_price=round(entry * (1 - self.loss), 2),
        )
