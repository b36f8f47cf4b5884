"""The result of a run: equity, counts, strategies and the JSON."""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics
from datetime import date, timedelta
from decimal import Decimal

import pytest

from holdfast.results import RunResult
from holdfast_domain.cursor import step_of
from holdfast_domain.errors import InputError
from holdfast_domain.events import CapitalAllotted, OrderFilled
from holdfast_domain.instruments import Instrument

from .story import Story, bars

NAN = float("nan")
KEYS = {
    "final_equity",
    "cash",
    "commission",
    "positions",
    "fills",
    "orders",
    "bars",
    "total_return",
    "max_drawdown",
    "sharpe",
    "bars_per_s",
    "strategies",
}


def test_a_fill_counts_from_its_own_step_on_at_each_close() -> None:
    story = Story(bars({"A": [10, 11, 12, 13]}))
    story.capital("100")
    story.fill(1, "A", 5, 10, fee="1")
    story.fill(3, "A", -2, 14)

    result = story.result()

    assert result.equity["equity"].to_list() == [100, 104, 109, 116]
    assert (result.cash, result.final_equity) == (Decimal(77), Decimal(116))
    assert result.positions == {"A": Decimal(3)}
    assert (result.commission, result.total_return) == (Decimal(1), 0.16)


def test_a_position_keeps_its_last_close_where_its_symbol_has_no_bar() -> None:
    story = Story(bars({"A": [10, NAN, 12], "B": [NAN, 5, NAN]}))
    story.capital("100")
    story.fill(0, "A", 1, 10)
    story.fill(1, "B", 2, 5)

    assert story.result().equity["equity"].to_list() == [100, 100, 102]
    assert story.result().bars == 3


def test_before_its_first_bar_a_symbol_is_worth_nothing() -> None:
    story = Story(bars({"A": [10, 10, 10], "B": [NAN, 5, 7]}))
    story.capital("100")
    story.fill(-1, "B", 2, 4)

    assert story.result().equity["equity"].to_list() == [92, 102, 106]


def test_a_multiplier_counts_in_cash_and_in_value() -> None:
    future = Instrument(symbol="F", multiplier=Decimal(50))
    story = Story(bars({"F": [100, 101]}), {"F": future})
    story.capital("10000")
    story.fill(0, "F", -2, 100)

    result = story.result()

    assert (result.cash, result.final_equity) == (Decimal(20000), Decimal(9900))
    assert result.equity["equity"].to_list() == [10000, 9900]


def test_drawdown_is_measured_from_the_capital_too() -> None:
    story = Story(bars({"A": [10, 20, 5]}))
    story.capital("100")
    story.fill(0, "A", 1, 60)

    result = story.result()

    assert result.equity["drawdown"].to_list() == pytest.approx([-0.5, -0.4, -0.55])
    assert result.max_drawdown == pytest.approx(-0.55)


def test_refused_orders_count_as_orders_and_each_order_counts_once() -> None:
    story = Story(bars({"A": [10, 11]}))
    story.capital("100")
    story.order(0, "a")
    story.refusal(0, "b")
    story.refusal(1, "a")  # passed, then given up when it was asked for anew
    story.fill(1, "A", 1, 10)
    story.fill(1, "A", 1, 10)

    assert (story.result().orders, story.result().fills) == (2, 2)


def test_each_strategy_is_measured_with_its_own_capital_and_they_sum_up() -> None:
    story = Story(bars({"A": [10, 12], "B": [5, 4]}))
    story.capital("100", to="x")
    story.capital("50", to="idle")
    story.fill(0, "A", 4, 10, fee="0.5", by="x")
    story.fill(0, "B", 3, 5, by="y")

    result = story.result()
    parts = result.strategies

    assert list(parts) == ["x", "idle", "y"]
    assert parts["x"].final_equity == Decimal("107.5")
    assert parts["idle"].final_equity == Decimal(50)
    assert parts["idle"].sharpe is None
    assert parts["y"].positions == {"B": Decimal(3)}
    assert (parts["y"].total_return, parts["y"].max_drawdown) == (None, 0.0)
    assert result.final_equity == sum(part.final_equity for part in parts.values())
    assert result.fills == sum(part.fills for part in parts.values())


def test_the_json_has_plain_decimals_and_never_nan() -> None:
    story = Story(bars({"A": [10, 10], "B": [5, 4]}))
    story.capital("1E+5", to="x")
    story.fill(0, "A", "0.00000010", "10", by="x")
    story.fill(0, "B", 3, 5, by="x")
    story.fill(1, "B", -3, 5, by="x")

    found = json.loads(json.dumps(story.result(wall_s=0.5).to_json(), allow_nan=False))

    assert set(found) == KEYS
    assert set(found["strategies"]["x"]) == KEYS
    assert found["final_equity"] == "100000"
    assert found["cash"] == "99999.999999"
    assert found["commission"] == "0"
    assert found["positions"] == {"A": "0.0000001"}
    assert found["bars_per_s"] == 8.0
    assert found["sharpe"] is None
    assert found["strategies"]["x"]["strategies"] == {}


def test_several_currencies_are_refused_and_named() -> None:
    euros = Instrument(symbol="B", currency="EUR")
    story = Story(bars({"A": [1, 1], "B": [1, 1]}), {"B": euros})
    story.capital("100")
    story.fill(0, "A", 1, 1)
    story.result()
    story.fill(0, "B", 1, 1)

    with pytest.raises(InputError, match=r"EUR, USD"):
        story.result()


def test_a_fee_in_another_currency_is_refused() -> None:
    story = Story(bars({"A": [1, 1]}))
    story.capital("100")
    story.fill(0, "A", 1, 1, fee="0.1", currency="BNB")

    with pytest.raises(InputError, match=r"BNB, USD"):
        story.result()


def test_one_currency_is_enough_whichever_it_is() -> None:
    story = Story(bars({"B": [1, 1]}), {"B": Instrument(symbol="B", currency="EUR")})
    story.capital("100", currency="EUR")
    story.fill(0, "B", 1, 1, fee="1", currency="EUR")

    assert story.result().currency == "EUR"


# ---- against a computation that walks over every bar in plain Python ---------


def test_a_random_run_equals_a_walk_over_its_bars(sample: random.Random) -> None:
    for every in (timedelta(days=1), timedelta(hours=5)):
        story = random_story(sample, every)
        result = story.result()
        walked = walk(story)

        assert result.equity["equity"].to_list() == pytest.approx(walked, rel=1e-12)
        assert float(result.final_equity) == pytest.approx(walked[-1], rel=1e-12)
        assert result.max_drawdown == pytest.approx(deepest(walked), rel=1e-9)
        assert result.sharpe == pytest.approx(plain_sharpe(story, walked), rel=1e-6)
        for name in result.strategies:
            assert result.strategies[name].equity["equity"].to_list() == pytest.approx(
                walk(story, name), rel=1e-12
            )


def random_story(rng: random.Random, every: timedelta) -> Story:
    closes = {
        symbol: [NAN if rng.random() < 0.2 else rng.uniform(5, 15) for _ in range(200)]
        for symbol in "ABC"
    }
    story = Story(bars(closes, every=every))
    story.capital("1000", to="x")
    story.capital("500", to="y")
    for step in sorted(rng.randrange(30, len(story.data)) for _ in range(80)):
        units = rng.choice([-3, -1, 1, 2])
        price = round(rng.uniform(5, 15), 2)
        by, symbol = rng.choice("xy"), rng.choice("ABC")
        story.fill(step, symbol, units, price, fee="0.07", by=by)
    return story


def walk(story: Story, only: str | None = None) -> list[float]:
    """Equity at each step, one bar and one fill after the other."""
    cash, held, equity = 0.0, dict.fromkeys("ABC", 0.0), []
    waiting = list(story.entries)
    for step in range(len(story.data)):
        while waiting and step_of(waiting[0].cursor) <= step:
            event = waiting.pop(0).event
            match event:
                case CapitalAllotted(strategy=name, money=money):
                    cash += float(money.amount) if only in (None, name) else 0.0
                case OrderFilled(fill=fill) if only in (None, fill.strategy):
                    units = float(fill.quantity.value) * fill.side.sign
                    cash -= units * float(fill.price.value) + float(fill.fee.amount)
                    held[fill.instrument] += units
                case _:
                    pass
        equity.append(cash + sum(held[s] * last_close(story, s, step) for s in held))
    return equity


def last_close(story: Story, symbol: str, step: int) -> float:
    column, now = story.data.columns[symbol], story.data.times_us[step]
    ended = [row for row, end in enumerate(column.ends_us) if end <= now]
    return column.values["close"][ended[-1]] if ended else 0.0


def deepest(equity: list[float]) -> float:
    peaks = [max(equity[: row + 1]) for row in range(len(equity))]
    return min(value / peak - 1 for value, peak in zip(equity, peaks, strict=True))


def plain_sharpe(story: Story, equity: list[float]) -> float:
    days: dict[date, float] = {}
    stamps = story.result().equity["timestamp"]
    for stamp, value in zip(stamps, equity, strict=True):
        days[stamp.date()] = value
    last = list(days.values())
    returns = [after / before - 1 for before, after in itertools.pairwise(last)]
    return statistics.mean(returns) / statistics.stdev(returns) * math.sqrt(252)


def test_without_any_fill_the_result_is_the_capital() -> None:
    story = Story(bars({"A": [10]}))
    story.capital("100")

    result: RunResult = story.result()

    assert (result.final_equity, result.total_return) == (Decimal(100), 0.0)
    assert (result.max_drawdown, result.sharpe, result.bars_per_s) == (0.0, None, None)
    assert result.positions == {}
