"""Whatever dies, and whenever: a strategy is told the same, in the same order.

Its orders are of two instruments; one decision cancels, changes and orders, also in
lists; some orders end at once. All that it is told it writes down, and saves with its
next decision.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest
from tests.sampling import some

from holdfast import BarData, Context, Strategy
from holdfast.options import RunOptions, read_options
from holdfast.testing import Faults, TradingRun, columns, market_of
from holdfast_actors.strategy.views import OrderView, Transaction
from holdfast_domain import events as ev

from .simulations import CutJournal, PowerCut, add, run, wave

STEPS = 14
FILLS = ("next_open", "next_close", "this_close")
HOWS = ("before", "after", "now", "soon")
PATHS = (
    "engine/core/journal",
    "engine/core/orders",
    "engine/core/ledger",
    "engine/core/guard",
    "engine/trading/venues/paper/session",
    "engine/trading/feeds/replay",
    "engine/trading/scheduler",
    "engine/trading/strategies/Diary/strategy",
)
MAY_DOUBT = PATHS[:2] + PATHS[4:5]
"""Whose death leaves requests in doubt."""


class Diary(Strategy):
    """Many requests in one decision, and a memory of all that was told."""

    def initialize(self, context: Context) -> None:
        context.a, context.b = self.symbols("AAA", "BBB")
        context.slices = 0
        context.told = []

    def handle_data(self, context: Context, data: BarData) -> None:
        context.slices += 1
        self.cancel_and_change(context.slices)
        self.order_some(context, data)
        if context.slices % 8 == 0:
            self.order_target(context.a, 0)

    def cancel_and_change(self, at: int) -> None:
        for number, order in enumerate(self.get_open_orders()):
            if (at + number) % 3 == 0:
                self.cancel_order(order)
            elif (at + number) % 3 == 1 and order.limit is not None and not order.role:
                limit = float(order.limit) + (1.5 if at % 2 else -1)
                self.modify_order(order, limit_price=round(limit, 2))

    def order_some(self, context: Context, data: BarData) -> None:
        at, a, b = context.slices, context.a, context.b
        price = data.current(a)
        self.order(a, 1, limit_price=round(price - 2, 2), time_in_force="ioc")
        self.order(a, 1)
        self.order(a, 1, limit_price=round(price - at % 3, 2))
        if data.can_trade(b):
            price = data.current(b)
            self.order(b, 1 if at % 2 else -1)
            self.order(b, 1, limit_price=round(price - 1, 2), time_in_force="day")
            self.order(b, 1, limit_price=round(price - 3, 2), time_in_force="ioc")
        self.order_lists(context, data)

    def order_lists(self, context: Context, data: BarData) -> None:
        asset = context.b if context.slices % 3 == 0 else context.a
        price = data.current(asset)
        profit, loss = round(price + 1.2, 2), round(price - 0.8, 2)
        if context.slices % 3 == 2:
            self.order_oco(asset, -1, limit_price=profit, stop_price=loss)
        elif data.can_trade(asset):
            limit = None if asset is context.a else round(price + 1, 2)
            self.order_bracket(
                asset,
                1,
                limit_price=limit,
                take_profit_price=max(profit, round(price + 2, 2)),
                stop_loss_price=loss,
            )

    def on_order_fill(
        self, context: Context, order: OrderView, transaction: Transaction
    ) -> None:
        context.told.append(("filled", order.id[16:], str(transaction.amount)))
        if len(context.told) % 4 == 0:
            amount = -1 if transaction.amount > 0 else 1
            limit = round(float(transaction.price) * 0.99, 2)
            self.order(order.asset, amount, limit_price=limit, time_in_force="ioc")

    def on_order_reject(self, context: Context, order: OrderView, reason: str) -> None:
        context.told.append(("rejected", order.id[16:], reason))

    def on_order_cancel(self, context: Context, order: OrderView, reason: str) -> None:
        context.told.append(("canceled", order.id[16:], reason))


@cache
def options(fill: str) -> RunOptions:
    days = [at for at in range(STEPS) if at % 7 != 3]
    gappy = [row for at, row in enumerate(wave(50, 4, 0.8, STEPS)) if at in days]
    data = market_of(
        columns("AAA", wave(100, 6, 0.5, STEPS)), columns("BBB", gappy, at=days)
    )
    return read_options(
        [Diary], data=data, capital=20_000, commission="0.001", fill=fill
    )


@cache
def undisturbed(fill: str) -> TradingRun:
    return run(options(fill))


@cache
def calls_of(fill: str, path: str) -> int:
    return len(undisturbed(fill).history.of("handled", path))


def check(fill: str, *deaths: tuple[str, str, int], **how: Any) -> None:
    faults = Faults()
    for death in deaths:
        add(faults, death[0], death[1], death[2])
    run(options(fill), faults, **how).expect_same_as(undisturbed(fill))


@pytest.mark.parametrize("fill", FILLS)
def test_the_runs_below_end_orders_in_each_way(fill: str) -> None:
    told = "".join(each.state for each in undisturbed(fill).events(ev.DecisionMade))

    words = ("filled", "on request", "not filled", "of its list")
    assert all(word in told for word in words)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("path", MAY_DOUBT)
@pytest.mark.parametrize("fill", FILLS)
def test_what_was_in_doubt_is_told_in_the_order_of_the_requests(
    fill: str, path: str, how: str, sample: Random
) -> None:
    for nth in sample.sample(range(1, calls_of(fill, path) + 1), some(4)):
        check(fill, (how, path, nth))


@pytest.mark.soak
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fill", FILLS)
def test_no_death_at_any_message_changes_what_is_told(
    fill: str, path: str, how: str
) -> None:
    for nth in range(1, calls_of(fill, path) + 1):
        check(fill, (how, path, nth))


@pytest.mark.parametrize("fill", FILLS)
def test_no_two_deaths_change_what_is_told(fill: str, sample: Random) -> None:
    for _ in range(some(20)):
        deaths = [
            (sample.choice(HOWS), path, sample.randint(1, calls_of(fill, path)))
            for path in sample.sample(PATHS, 2)
        ]
        check(fill, *deaths, commit_s=sample.choice([0.0, 0.01]))


@pytest.mark.parametrize("written", [False, True], ids=["lost", "written"])
@pytest.mark.parametrize("fill", FILLS)
def test_no_end_of_the_process_changes_what_is_told(
    fill: str, written: bool, sample: Random, tmp_path: Any
) -> None:
    whole = CutJournal(0, written=True)
    run(options(fill), store=whole)

    for nth in sample.sample(range(2, whole.appends + 1), some(5)):
        store, file = CutJournal(nth, written=written), tmp_path / f"{nth}.sqlite"
        with pytest.raises(PowerCut):
            run(options(fill), store=store, venue_path=file)
        ran = run(options(fill), store=store, venue_path=file)
        ran.expect_same_as(undisturbed(fill))
