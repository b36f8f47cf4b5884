"""Whole runs as their author sees them: siblings, schedules, callbacks, errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast import BarData, Context, InputError, Strategy, backtest, param
from holdfast.options import read_options
from holdfast.testing import columns, flat, market, market_of
from holdfast_actors.messages import Report
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData

from .simulations import run

D = Decimal


class Quiet(Strategy):
    """Does nothing, with what the data has."""

    def initialize(self, context: Context) -> None:
        context.a = self.symbols()[0]

    def handle_data(self, context: Context, data: BarData) -> None:
        """Do nothing."""


# --- siblings -----------------------------------------------------------------


class Buyer(Quiet):
    units = param(6)

    def handle_data(self, context: Context, _data: BarData) -> None:
        self.order(context.a, self.units)


class SecondBuyer(Buyer):
    """The same again, under another name."""


def test_siblings_share_the_capital_and_not_their_cash() -> None:
    ran = run(
        read_options(
            [Buyer, SecondBuyer], data=market(A=flat(10, 10, 10)), capital="200.01"
        )
    )

    cash = {name: part.cash["USD"] for name, part in ran.ledger.items()}
    assert {name: p.capital["USD"] for name, p in ran.ledger.items()} == {
        "Buyer": D("100.01"),
        "SecondBuyer": D("100"),
    }
    assert cash == {"Buyer": D("40.01"), "SecondBuyer": D(40)}
    assert len(ran.events(ev.OrderRefused)) == 4


def test_what_one_may_buy_does_not_depend_on_a_sibling() -> None:
    data = market(A=flat(10, 11, 12, 9, 10))
    alone = run(read_options(Buyer, data=data, capital=100))
    together = run(read_options([Buyer, SecondBuyer], data=data, capital=200))

    assert together.ledger["Buyer"] == alone.ledger["Buyer"]


def test_the_same_class_twice_is_two_strategies() -> None:
    ran = run(read_options([Buyer, Buyer], data=market(A=flat(10, 10)), capital=200))

    assert list(ran.ledger) == ["Buyer", "Buyer-2"]


# --- slices, days and schedules -----------------------------------------------


class Diary(Quiet):
    """Writes down when it was called."""

    diary: list[Any]

    def note(self, context: Context, what: str) -> None:
        self.diary.append(f"{what} {context.now:%d %H:%M}")

    def handle_data(self, context: Context, _data: BarData) -> None:
        self.note(context, "slice")

    def before_trading_start(self, context: Context, _data: BarData) -> None:
        self.note(context, "before")


def diary_of(base: type[Diary], data: MarketData, **options: Any) -> list[Any]:
    """Run a diary, and return it."""
    diary: list[Any] = []
    backtest(type("D", (base,), {"diary": diary}), data=data, **options)
    return diary


def hourly(symbol: str, *at: int) -> Any:
    return columns(symbol, flat(*[10.0] * len(at)), every=timedelta(hours=1), at=at)


def test_a_day_begins_with_its_first_slice() -> None:
    diary = diary_of(Diary, market_of(hourly("A", 22, 23, 25, 47)))

    assert diary == [
        "before 02 22:00",
        "slice 02 22:00",
        "slice 02 23:00",
        "before 03 01:00",
        "slice 03 01:00",
        "slice 03 23:00",
    ]


def test_a_slice_comes_when_a_subscribed_instrument_has_a_bar() -> None:
    class OfB(Diary):
        def initialize(self, context: Context) -> None:
            context.b = self.symbol("B")

    data = market_of(hourly("A", 1, 2, 3, 4), hourly("B", 2, 4))

    assert diary_of(OfB, data) == [
        "before 02 02:00",
        "slice 02 02:00",
        "slice 02 04:00",
    ]


def test_schedules_call_methods_by_cron_and_by_the_markets_calendar() -> None:
    class Scheduled(Diary):
        def initialize(self, context: Context) -> None:
            context.a = self.symbol("A")
            self.schedule(self.opening, at="market_open", asset=context.a)
            self.schedule(self.closing, at="market_close", offset_minutes=-30)
            self.schedule(at="0 12 * * *", timezone="Europe/Berlin")

        def opening(self, context: Context, _data: BarData) -> None:
            self.note(context, "open")

        def closing(self, context: Context, _data: BarData) -> None:
            self.note(context, "close")

        def on_scheduled_event(self, context: Context, _data: BarData) -> None:
            self.note(context, "cron")

        before_trading_start = None  # type: ignore[assignment]

        def handle_data(self, context: Context, data: BarData) -> None:
            """Write nothing."""

    spy = Instrument(symbol="A", calendar="XNYS")
    data = market_of(hourly("A", *range(49)))

    assert diary_of(Scheduled, data, instruments={"A": spy}) == [
        "cron 02 11:00",
        "open 02 14:30",
        "close 02 20:30",
        "cron 03 11:00",
        "open 03 14:30",
        "close 03 20:30",
    ]


def test_a_trigger_sees_the_prices_of_the_last_slice_and_their_age() -> None:
    class Between(Diary):
        def initialize(self, context: Context) -> None:
            context.a = self.symbols()[0]
            self.schedule(self.look, at="30 * * * *")

        def look(self, context: Context, data: BarData) -> None:
            self.diary.append((data.current(context.a), data.age(context.a)))

        def handle_data(self, context: Context, data: BarData) -> None:
            """Write nothing."""

        before_trading_start = None  # type: ignore[assignment]

    rows = [(float(at),) * 4 for at in (1, 2, 3)]
    data = market_of(columns("A", rows, every=timedelta(hours=1)))

    assert diary_of(Between, data) == [(1.0, 1_800.0), (2.0, 1_800.0)]


def test_on_data_is_another_name_for_handle_data() -> None:
    class Modern(Strategy):
        def initialize(self, context: Context) -> None:
            context.a = self.symbols()[0]

        def on_data(self, context: Context, _data: BarData) -> None:
            self.order(context.a, 1)

    assert backtest(Modern, data=market(A=flat(1, 1, 1))).fills == 2


# --- parameters and results ---------------------------------------------------


def test_parameters_are_set_before_initialize_and_checked() -> None:
    data = market(A=flat(10, 10, 10))

    result = backtest(Buyer, data=data, params={"units": "3"})

    assert result.positions == {"A": 6}
    with pytest.raises(InputError, match="--param unit: expected one of units"):
        backtest(Buyer, data=data, params={"unit": 3})
    with pytest.raises(InputError, match="expected a value of type int, got 'few'"):
        backtest(Buyer, data=data, params={"units": "few"})


def test_siblings_take_each_the_parameters_that_it_declares() -> None:
    data = market(A=flat(10, 10))

    ran = run(read_options([Buyer, Quiet], data=data, params={"units": 2}))

    assert ran.ledger["Buyer"].positions["A"].amount == 2
    with pytest.raises(InputError, match="expected one of units, got 'size'"):
        read_options([Buyer, Quiet], data=data, params={"size": 2})


def test_a_strategy_may_look_at_its_result() -> None:
    seen: list[Any] = []

    class Analyst(Buyer):
        def handle_data(self, context: Context, data: BarData) -> None:
            context.last = data.current(context.a)
            super().handle_data(context, data)

        def analyze(self, context: Context, result: Any) -> None:
            seen.append((context.last, result.fills))

    backtest(Analyst, data=market(A=flat(1, 2, 3)))

    assert seen == [(3.0, 2)]


def test_what_is_recorded_is_reported() -> None:
    class Recording(Quiet):
        def handle_data(self, context: Context, data: BarData) -> None:
            self.record(price=data.current(context.a))

    ran = run(read_options(Recording, data=market(A=flat(1, 2))))
    (cell,) = [c for p, c in ran.engine.cells.items() if "strategies" in p]

    assert cell.actor.handle(Report())["recorded"] == {"price": 2.0}


def test_money_is_kept_to_the_last_digit() -> None:
    data = market(A=[(0.1, 0.3, 0.1, 0.3)] * 3)

    result = backtest(Buyer, data=data, capital="2", commission="0.001")

    # Judged by the last close, 0.3; filled at the next open, 0.1.
    assert result.fills == 1
    assert result.cash == D("2") - D("0.6") * D("1.001")
    assert result.final_equity == result.cash + D("1.8")


# --- errors -------------------------------------------------------------------

SOURCE = """from holdfast import Strategy


class Broken(Strategy):
    def initialize(self, context):
        context.a = self.symbols()[0]
{initialize}
    def handle_data(self, context, data):
{handle_data}
"""


@pytest.fixture
def failing(tmp_path: Path) -> Callable[..., str]:
    """Return what a run of a strategy with a mistake in it says."""

    def run_it(initialize: str = "pass", handle_data: str = "pass") -> str:
        path = tmp_path / "broken.py"
        text = {"initialize": initialize, "handle_data": handle_data}
        lines = {name: f"        {body}" for name, body in text.items()}
        path.write_text(SOURCE.format(**lines))
        with pytest.raises(InputError) as refused:
            backtest(str(path), data=market(A=flat(1, 2, 3)))
        said = str(refused.value)
        assert "\n" not in said
        return said.replace(str(path), "broken.py")

    return run_it


def test_an_error_in_initialize_tells_its_line(failing: Callable[..., str]) -> None:
    assert failing(initialize="1 / 0") == (
        "broken.py:7: expected a strategy Broken that runs, "
        "got ZeroDivisionError: division by zero; correct it there"
    )


def test_an_error_in_handle_data_tells_its_line(failing: Callable[..., str]) -> None:
    assert failing(handle_data="data.current('B')") == (
        "broken.py:9: expected a strategy Broken that runs, "
        "got DomainError: expected one of A, got 'B'; correct it there"
    )


def test_an_error_inside_of_the_library_tells_the_line_that_called_it(
    failing: Callable[..., str],
) -> None:
    assert failing(handle_data="self.order('A', 1)").startswith("broken.py:9: ")
    assert (
        "AttributeError: context.missing was not set; set it in initialize"
    ) in failing(handle_data="context.missing")


def test_an_input_error_stays_what_it_is(failing: Callable[..., str]) -> None:
    assert failing(initialize="self.symbol('B')") == (
        "Broken.symbol: expected one of A, got 'B'; add its data with --data"
    )
    assert failing(
        handle_data="self.schedule(self.handle_data, at='0 0 * * *')"
    ).startswith("Broken.schedule: expected a call in initialize")
    assert "market_close" in failing(
        initialize="self.schedule(self.initialize, at='market_close')"
    )
    assert "'never'" in failing(initialize="self.schedule(self.initialize, at='never')")
    assert failing(
        handle_data="self.order(context.a, 1, 1, time_in_force='soon')"
    ).startswith(
        "time_in_force: expected one of day, gtc, ioc, fok, at_open, at_close, got soon"
    )


@pytest.mark.parametrize(
    ("where", "attribute"),
    [
        ({"initialize": "context.rows = [1, open]"}, "context.rows[1]"),
        ({"initialize": "self.lines = lambda: 1"}, "self.lines"),
        (
            {"handle_data": "context.data = data; self.order(context.a, 1)"},
            "context.data",
        ),
    ],
)
def test_what_cannot_be_saved_is_named(
    failing: Callable[..., str], where: dict[str, str], attribute: str
) -> None:
    said = failing(**where)

    assert attribute in said
    assert "expected a value that can be saved" in said


def test_the_engines_names_in_the_context_cannot_be_taken(
    failing: Callable[..., str],
) -> None:
    said = failing(initialize="context.portfolio = 1")

    assert "context.portfolio is the engine's" in said
    assert said.startswith("broken.py:7: ")


def test_an_error_in_a_callback_is_told_too() -> None:
    class Late(Buyer):
        def on_order_fill(self, *_: Any) -> None:
            message = "too late"
            raise RuntimeError(message)

    with pytest.raises(InputError, match="RuntimeError: too late"):
        backtest(Late, data=market(A=flat(1, 2, 3)))


# --- the same again -----------------------------------------------------------


def test_the_same_run_gives_the_same_journal() -> None:
    data = market(A=flat(*itertools.islice(itertools.cycle([9, 10, 11]), 20)))
    options = read_options([Buyer, SecondBuyer], data=data, capital=500)

    first, second = run(options), run(options)

    assert first.entries == second.entries


def test_market_time_is_the_datas_and_not_the_hosts() -> None:
    ran = run(read_options(Buyer, data=market(A=flat(10, 10))))

    made = [each for each in ran.entries if isinstance(each.event, ev.DecisionMade)]
    first = datetime.fromisoformat("2024-01-02T00:00:00+00:00")
    assert made[0].market_time_us == int(first.timestamp()) * 1_000_000
