"""The strategies of the simulation: they do all that a strategy can do with orders."""

from __future__ import annotations

from typing import Any

from holdfast_actors.strategy.api import Context, Strategy
from holdfast_actors.strategy.data import BarData
from holdfast_actors.strategy.news import BrokerMessage
from holdfast_actors.strategy.params import param
from holdfast_actors.strategy.views import OrderView

KNUTH = 2_654_435_761


class Trader(Strategy):
    """Throws dice on every bar: the same ones for the same bar, always."""

    salt = param(1)

    def initialize(self, context: Context) -> None:
        """Remember what was heard, so that a fill that is told twice is seen."""
        context.assets = self.symbols("AAA", "BBB")
        context.bars = 0
        context.heard = {"fills": 0, "ends": 0, "messages": 0}

    def handle_data(self, context: Context, data: BarData) -> None:
        """Order, cancel or change, by the dice of the bar."""
        context.bars += 1
        dice = (context.bars * KNUTH + self.salt * 40_503) % (1 << 32) >> 8
        asset = context.assets[dice & 1]
        if not data.can_trade(asset):
            return
        price = data.current(asset, "close")
        units = 1 + (dice >> 1) % 15
        self.act(asset, float(price), units, (dice >> 5) % 14, dice)

    def act(  # noqa: C901, PLR0912 - one line for each thing that can be done
        self,
        asset: Any,  # noqa: ANN401
        price: float,
        units: int,
        what: int,
        dice: int,
    ) -> None:
        """Do one of fourteen things."""
        match what:
            case 0 | 1:
                self.order(asset, units)
            case 2:
                self.order(asset, -units)
            case 3:
                self.order(asset, units, limit_price=round(price * 0.99, 2))
            case 4:
                self.order(asset, -units, limit_price=round(price * 1.01, 2))
            case 5:
                self.order(asset, -units, stop_price=round(price * 0.98, 2))
            case 6:
                self.order(asset, units, limit_price=price, time_in_force="ioc")
            case 7:
                self.order_target(asset, 0)
            case 8:
                self.order_target_percent(asset, 0.2)
            case 9:
                for order in self.get_open_orders():
                    self.cancel_order(order)
            case 10:
                for order in self.get_open_orders()[:2]:
                    if order.limit is not None and order.leg is None:
                        self.change(order, dice)
            case 11:
                self.order_bracket(
                    asset,
                    units,
                    limit_price=price if dice & 2 else None,
                    take_profit_price=round(price * 1.01, 2),
                    stop_loss_price=round(price * 0.99, 2),
                )
            case 12:
                self.order_oco(
                    asset,
                    -units,
                    limit_price=round(price * 1.01, 2),
                    stop_price=round(price * 0.99, 2),
                )
            case _:
                self.order(asset, 1 + dice % 3)
                self.order(asset, 2, limit_price=round(price * 0.97, 2))

    def change(self, order: OrderView, dice: int) -> None:
        """Ask for another limit, and every other time for another quantity, too."""
        assert order.limit is not None
        units = abs(int(order.amount))
        self.modify_order(
            order,
            quantity=(max(1, units // 2), units, 2 * units, units)[dice >> 9 & 3],
            limit_price=round(float(order.limit) * 1.01, 2),
        )

    def on_order_fill(
        self,
        context: Context,
        order: Any,  # noqa: ANN401
        transaction: Any,  # noqa: ANN401
    ) -> None:
        """Count it; answer every fifth one with an order of its own."""
        context.heard["fills"] += 1
        if context.heard["fills"] % 5 == 0 and transaction.amount > 0:
            limit = round(float(transaction.price) * 1.01, 2)
            units = -float(transaction.amount)
            self.order(order.asset, units, limit_price=limit)

    def on_order_cancel(
        self,
        context: Context,
        order: Any,  # noqa: ANN401
        reason: str,
    ) -> None:
        """Count it."""
        context.heard["ends"] += 1

    def on_broker_message(self, context: Context, message: BrokerMessage) -> None:
        """Count it."""
        del message
        context.heard["messages"] += 1


class Second(Trader):
    """A sibling with other dice."""

    salt = param(2)


class Third(Trader):
    """Another one."""

    salt = param(3)


ALL = (Trader, Second, Third)
