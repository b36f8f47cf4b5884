"""Orders that are bound to each other on every bar, and what ends them early."""

from __future__ import annotations

from typing import Any

from holdfast import BarData, Context, Strategy


class Bound(Strategy):
    """Keeps brackets and OCOs at work, and remembers what became of them."""

    def initialize(self, context: Context) -> None:
        context.assets = self.symbols("AAPL", "IBM", "MSFT")
        context.bars = 0
        context.heard = {"fill": 0, "reject": 0, "cancel": 0}

    def handle_data(self, context: Context, data: BarData) -> None:
        context.bars += 1
        lists = set()
        for order in self.get_open_orders():
            name = order.id if order.leg is None else order.leg.list_id
            # One leg alone: the others of its list end with it.
            if context.bars % 5 == 0 and name not in lists:
                self.cancel_order(order)
            lists.add(name)
        asset = context.assets[context.bars % 3]
        price = data.current(asset, "close")
        match context.bars % 4:
            case 0:
                self.order(asset, 10)
            case 1:
                self.order_oco(
                    asset,
                    -4,
                    limit_price=round(price * 1.02, 2),
                    stop_price=round(price * 0.98, 2),
                )
            case _:
                self.order_bracket(
                    asset,
                    6,
                    limit_price=price if context.bars % 2 else None,
                    take_profit_price=round(price * 1.02, 2),
                    stop_loss_price=round(price * 0.98, 2),
                    stop_loss_limit_price=round(price * 0.97, 2),
                    time_in_force="day" if context.bars % 3 else "gtc",
                )

    def on_order_fill(self, context: Context, order: Any, transaction: Any) -> None:
        context.heard["fill"] += 1

    def on_order_reject(self, context: Context, order: Any, reason: str) -> None:
        context.heard["reject"] += 1

    def on_order_cancel(self, context: Context, order: Any, reason: str) -> None:
        context.heard["cancel"] += 1
