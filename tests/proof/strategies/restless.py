"""Orders of many kinds on every bar: resting, replaced, cancelled, expiring."""

from __future__ import annotations

from typing import Any

from holdfast import BarData, Context, Strategy


class Restless(Strategy):
    """Keeps a few orders at work, and remembers what became of them."""

    def initialize(self, context: Context) -> None:
        context.assets = self.symbols("AAPL", "IBM", "MSFT")
        context.bars = 0
        context.heard = {"fill": 0, "reject": 0, "cancel": 0}
        self.schedule(self.weekly, at="30 15 * * 3")

    def weekly(self, context: Context, data: BarData) -> None:
        """Close what a week has gathered in one instrument."""
        asset = context.assets[context.bars % 3]
        if data.can_trade(asset):
            self.order_target(asset, 0)

    def handle_data(self, context: Context, data: BarData) -> None:
        context.bars += 1
        for order in self.get_open_orders():
            if context.bars % 4 == 0:
                self.cancel_order(order)
            elif context.bars % 4 == 2 and order.limit is not None:
                limit = round(float(order.limit) * 1.01, 2)
                self.modify_order(order, limit_price=limit)
        asset = context.assets[context.bars % 3]
        price = data.current(asset, "close")
        match context.bars % 5:
            case 0:
                self.order(asset, 10)
            case 1:
                self.order(asset, 10, limit_price=round(price * 0.99, 2))
            case 2:
                self.order(asset, -5, stop_price=round(price * 0.98, 2))
            case 3:
                self.order(asset, 7, round(price * 0.98, 2), time_in_force="day")
            case _:
                self.order_target_percent(asset, 0.3)

    def on_order_fill(self, context: Context, order: Any, transaction: Any) -> None:
        context.heard["fill"] += 1
        if context.heard["fill"] % 7 == 0 and transaction.amount > 0:
            limit = round(float(transaction.price) * 1.03, 2)
            self.order(order.asset, -float(transaction.amount), limit_price=limit)

    def on_order_reject(self, context: Context, order: Any, reason: str) -> None:
        context.heard["reject"] += 1

    def on_order_cancel(self, context: Context, order: Any, reason: str) -> None:
        context.heard["cancel"] += 1
