"""Each kind of order, in a whole run: when it is filled, at what, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from holdfast import BarData, Context, Strategy, backtest
from holdfast.results.measure import RunResult
from holdfast.testing import columns, flat, market, market_of
from holdfast_actors.strategy.views import OrderView, Transaction
from holdfast_domain.marketdata import MarketData

D = Decimal
Act = Callable[[Strategy, Context, BarData], object]


class Scripted(Strategy):
    """Acts by a script: what to do in which slice, counted from 1."""

    script: dict[int, Act]
    diary: list[tuple[Any, ...]]

    def initialize(self, context: Context) -> None:
        context.a = self.symbols()[0]
        context.slices = 0

    def handle_data(self, context: Context, data: BarData) -> None:
        context.slices += 1
        act = self.script.get(context.slices)
        if act is not None:
            act(self, context, data)

    def on_order_fill(
        self, context: Context, order: OrderView, transaction: Transaction
    ) -> None:
        told = ("fill", context.slices, transaction.amount, transaction.price)
        self.diary.append((*told, order.filled, order.status))

    def on_order_reject(self, context: Context, order: OrderView, reason: str) -> None:
        self.diary.append(("reject", context.slices, order.amount, reason))

    def on_order_cancel(self, context: Context, order: OrderView, reason: str) -> None:
        self.diary.append(("cancel", context.slices, order.amount, reason))


def play(
    data: MarketData, script: dict[int, Act], **options: Any
) -> tuple[list[tuple[Any, ...]], RunResult]:
    """Run a script; return what the strategy was told, and the result."""
    diary: list[tuple[Any, ...]] = []
    namespace = {"script": script, "diary": diary}
    played = type("Played", (Scripted,), namespace)
    return diary, backtest(played, data=data, **options)


def order(quantity: float, *prices: float, **how: Any) -> Act:
    return lambda self, context, _: self.order(context.a, quantity, *prices, **how)


def bars(*rows: Sequence[float]) -> MarketData:
    """Return bars of open, high, low, close."""
    return market(AAA=[tuple(row) for row in rows])


QUIET = (10, 10, 10, 10)


# --- when and at what ---------------------------------------------------------


@pytest.mark.parametrize(
    ("fill", "told"),
    [
        ("next_open", ("fill", 1, 2, 11)),
        ("next_close", ("fill", 1, 2, 14)),
        ("this_close", ("fill", 1, 2, 10)),
    ],
)
def test_a_market_order_is_filled_where_the_model_says(
    fill: str, told: tuple[Any, ...]
) -> None:
    data = bars(QUIET, (11, 15, 9, 14), QUIET)

    diary, _ = play(data, {1: order(2)}, fill=fill)

    assert diary == [(*told, D(2), "filled")]


@pytest.mark.parametrize(
    ("limit", "bar", "price"),
    [
        (9, (10, 11, 9, 10), 9),
        (9, (8, 9, 7, 8), 8),
        (9, (10, 11, 9.5, 10), None),
    ],
    ids=["touched", "opens better", "not reached"],
)
def test_a_limit_is_filled_at_its_price_or_better(
    limit: float, bar: Sequence[float], price: float | None
) -> None:
    diary, _ = play(bars(QUIET, bar), {1: order(2, limit)})

    assert [told[3] for told in diary] == ([] if price is None else [price])


@pytest.mark.parametrize(
    ("stop", "bar", "price"),
    [
        (11, (10, 12, 10, 10), 11),
        (11, (12, 13, 12, 13), 12),
        (11, (10, 10.5, 9, 10), None),
    ],
    ids=["touched", "opens beyond", "not reached"],
)
def test_a_stop_becomes_a_market_order_when_it_is_reached(
    stop: float, bar: Sequence[float], price: float | None
) -> None:
    diary, _ = play(bars(QUIET, bar), {1: order(2, None, stop)})  # type: ignore[arg-type]

    assert [told[3] for told in diary] == ([] if price is None else [price])


def test_a_stop_limit_waits_at_its_limit_once_it_is_triggered() -> None:
    data = bars(QUIET, (12, 13, 12, 13), (13, 14, 12.5, 13), (12, 12, 11, 11.5))

    diary, _ = play(data, {1: order(2, 11.5, 11)})

    assert [told[1:4] for told in diary] == [(3, 2, D("11.5"))]


def test_sells_mirror_buys() -> None:
    data = bars(QUIET, (10, 12, 8, 10), QUIET)
    script: dict[int, Act] = {
        1: lambda self, context, _: (
            self.order(context.a, -1, 11),
            self.order(context.a, -1, None, 9),
        )
    }

    diary, result = play(data, script)

    assert [told[2:4] for told in diary] == [(-1, 11), (-1, 9)]
    assert result.positions == {"AAA": D(-2)}


# --- how long it waits --------------------------------------------------------


def test_a_gtc_order_waits_for_as_long_as_it_takes() -> None:
    data = bars(*[QUIET] * 6, (9, 9, 9, 9))

    diary, _ = play(data, {1: order(1, 9)})

    assert [told[:4] for told in diary] == [("fill", 6, 1, 9)]


def test_a_day_order_ends_with_its_day() -> None:
    data = market_of(
        columns("AAA", [QUIET] * 60 + [(9, 9, 9, 9)], every=timedelta(hours=1))
    )

    diary, _ = play(data, {3: order(1, 9, time_in_force="day")})

    # Placed at 2 o'clock; the day's last bar ends at midnight.
    assert diary == [("cancel", 25, 1, "expired")]


@pytest.mark.parametrize("force", ["ioc", "fok"])
def test_what_is_not_filled_at_once_is_cancelled(force: str) -> None:
    data = bars(QUIET, (10, 10, 8, 10), (8, 8, 8, 8))

    diary, _ = play(data, {1: order(1, 9, time_in_force=force)})

    assert diary == [("cancel", 1, 1, f"{force}: not filled at once")]


@pytest.mark.parametrize("force", ["ioc", "fok"])
def test_what_can_be_filled_at_once_is(force: str) -> None:
    data = bars(QUIET, (8, 9, 8, 9), QUIET)

    diary, _ = play(data, {1: order(1, 9, time_in_force=force)})

    assert [told[:4] for told in diary] == [("fill", 1, 1, 8)]


# --- cancels and changes ------------------------------------------------------


def cancel_all(self: Strategy, _context: Context, _data: BarData) -> None:
    for each in self.get_open_orders():
        self.cancel_order(each)


def test_a_cancelled_order_is_never_filled() -> None:
    data = bars(*[QUIET] * 3, (9, 9, 9, 9))
    script: dict[int, Act] = {
        1: order(1, 9),
        2: cancel_all,
        3: lambda self, _context, _data: self.diary.append(  # type: ignore[attr-defined]
            ("open", len(self.get_open_orders()))
        ),
    }

    diary, result = play(data, script)

    assert diary == [("cancel", 2, 1, "on request"), ("open", 0)]
    assert result.positions == {}


def test_an_order_is_filled_at_the_terms_to_which_it_was_changed() -> None:
    data = bars(*[QUIET] * 3, (9.5, 9.5, 9.5, 9.5))

    def change(self: Strategy, context: Context, _: BarData) -> None:
        (mine,) = self.get_open_orders(context.a)
        self.modify_order(mine, quantity=3, limit_price=9.5)

    diary, _ = play(data, {1: order(1, 5), 2: change})

    assert [told[:4] for told in diary] == [("fill", 3, 3, D("9.5"))]


def test_a_change_that_cannot_be_paid_leaves_the_order_as_it_is() -> None:
    data = bars(*[QUIET] * 3, (9, 9, 9, 9))

    def change(self: Strategy, context: Context, _: BarData) -> None:
        (mine,) = self.get_open_orders(context.a)
        self.modify_order(mine, quantity=1_000)

    diary, _ = play(data, {1: order(2, 9), 2: change}, capital=100)

    refused, *rest = [told[:4] for told in diary]
    assert refused[:3] == ("reject", 2, 2)
    assert str(refused[3]).startswith("not changed: not enough cash")
    assert rest == [("fill", 3, 2, 9)]


# --- what a strategy is told --------------------------------------------------


def test_a_refused_order_is_told_with_its_reason() -> None:
    diary, result = play(bars(QUIET, QUIET), {1: order(11)}, capital=100)

    assert diary == [("reject", 1, 11, "not enough cash: needs 110.0, has 100.00")]
    assert result.orders == 1
    assert result.fills == 0


def test_a_fill_is_told_when_the_portfolio_has_it() -> None:
    class Watching(Scripted):
        def on_order_fill(
            self, context: Context, order: OrderView, transaction: Transaction
        ) -> None:
            portfolio = context.portfolio
            self.diary.append((portfolio.cash, portfolio.positions[context.a].amount))
            self.diary.append(
                (transaction.commission, transaction.order_id == order.id)
            )

    diary: list[tuple[Any, ...]] = []
    watching = type("W", (Watching,), {"script": {1: order(2)}, "diary": diary})

    backtest(watching, data=bars(QUIET, QUIET), capital=100, commission="0.01")

    assert diary == [(D("79.8"), D(2)), (D("0.2"), True)]


def test_orders_made_when_a_fill_is_told_go_out() -> None:
    class Chained(Scripted):
        def on_order_fill(
            self, context: Context, order: OrderView, transaction: Transaction
        ) -> None:
            super().on_order_fill(context, order, transaction)
            if transaction.amount > 0:
                self.order(context.a, -transaction.amount)

    diary: list[tuple[Any, ...]] = []
    chained = type("C", (Chained,), {"script": {1: order(2)}, "diary": diary})

    result = backtest(chained, data=bars(QUIET, QUIET, (12, 12, 12, 12)))

    assert [told[2:4] for told in diary] == [(2, 10), (-2, 12)]
    assert result.final_equity == 100_004


def test_an_order_of_nothing_is_no_order() -> None:
    script: dict[int, Act] = {
        1: lambda self, context, _: self.diary.append(  # type: ignore[attr-defined]
            (self.order(context.a, 0), self.order_target(context.a, 0))
        )
    }

    diary, result = play(bars(QUIET, QUIET), script)

    assert diary == [(None, None)]
    assert result.orders == 0


# --- sizes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commission", "units"), [("0", 100), ("0.001", 99), ("0.01", 99), ("0.02", 98)]
)
def test_all_of_the_portfolio_leaves_room_for_its_commission(
    commission: str, units: int
) -> None:
    script: dict[int, Act] = {
        1: lambda self, context, _: self.order_target_percent(context.a, 1)
    }

    diary, result = play(
        bars(*[QUIET] * 3), script, capital=1_000, commission=commission
    )

    assert [told[2] for told in diary] == [units]
    assert result.cash >= 0


def test_targets_count_what_is_held() -> None:
    script: dict[int, Act] = {
        1: lambda self, context, _: self.order_target(context.a, 10),
        2: lambda self, context, _: self.order_target(context.a, 4),
        3: lambda self, context, _: self.order_target_value(context.a, 200),
        4: lambda self, context, _: self.order_target_percent(context.a, 0.5),
        5: lambda self, context, _: self.order_value(context.a, -100),
        6: lambda self, context, _: self.order_target_percent(context.a, -0.2),
        7: lambda self, context, _: self.order_target_percent(context.a, 0),
    }

    diary, result = play(bars(*[QUIET] * 9), script, capital=1_000)

    assert [told[2] for told in diary] == [10, -6, 16, 30, -10, -60, 20]
    assert result.positions == {}


def test_units_may_be_fractions_where_the_run_allows_it() -> None:
    script: dict[int, Act] = {
        1: lambda self, context, _: self.order_target_percent(context.a, 1)
    }

    diary, result = play(
        market(AAA=flat(30, 30, 30)), script, capital=100, fractional=True
    )

    ((_, _, amount, *_),) = diary
    assert D("3.3") < amount <= D(100) / 30
    assert 0 <= result.cash < 1
