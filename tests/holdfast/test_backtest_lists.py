"""Order lists in whole runs: what the strategy asks for, and what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast import BarData, Context, Strategy, backtest
from holdfast_domain.errors import InputError

from .test_backtest_orders import QUIET, Act, D, bars, order, play

TO_PROFIT = (10, 12, 10, 12)
TO_LOSS = (10, 10, 8, 8)


def oco(quantity: float, limit: float, stop: float, **how: object) -> Act:
    return lambda self, context, _: self.order_oco(
        context.a,
        quantity,
        limit_price=limit,
        stop_price=stop,
        **how,  # type: ignore[arg-type]
    )


def bracket(quantity: float, *prices: float, **how: object) -> Act:
    exits = {"take_profit_price": 12, "stop_loss_price": 8}
    return lambda self, context, _: self.order_bracket(
        context.a,
        quantity,
        *prices,
        **{**exits, **how},  # type: ignore[arg-type]
    )


def test_a_bracket_goes_in_and_out_again_and_its_other_exit_ends() -> None:
    diary, result = play(bars(QUIET, QUIET, TO_PROFIT, QUIET), {1: bracket(5)})

    assert [told[:3] for told in diary] == [
        ("fill", 1, 5),
        ("fill", 2, -5),
        ("cancel", 2, -5),
    ]
    assert diary[2][3] == "the take_profit of its list was filled"
    assert result.cash == D(100_000) + 5 * 2


def test_what_a_bracket_loses_it_loses_once() -> None:
    rows = (QUIET, QUIET, TO_LOSS, (8, 12, 8, 12))
    diary, result = play(bars(*rows), {1: bracket(5)})

    assert sorted(told[0] for told in diary) == ["cancel", "fill", "fill"]
    assert result.cash == D(100_000) - 5 * 2


def test_a_short_bracket_has_its_exits_the_other_way_round() -> None:
    act = bracket(-5, take_profit_price=8, stop_loss_price=12)
    _, result = play(bars(QUIET, QUIET, TO_LOSS, TO_PROFIT), {1: act})

    assert result.cash == D(100_000) + 5 * 2


def test_an_oco_closes_what_is_held() -> None:
    rows = (QUIET, QUIET, TO_PROFIT, TO_LOSS)
    diary, result = play(bars(*rows), {1: order(5), 2: oco(-5, 11, 9)})

    assert [told[0] for told in diary] == ["fill", "fill", "cancel"]
    assert result.cash == D(100_000) + 5


def test_a_cancel_of_one_leg_ends_both() -> None:
    def cancel(self: Strategy, context: Context, data: BarData) -> None:
        for each in self.get_open_orders():
            if each.role == "stop_loss":
                self.cancel_order(each)

    rows = (QUIET, QUIET, QUIET, QUIET, TO_PROFIT)
    diary, result = play(bars(*rows), {1: order(5), 2: oco(-5, 11, 9), 3: cancel})

    assert [told[0] for told in diary] == ["fill", "cancel", "cancel"]
    assert {told[3] for told in diary[1:]} == {
        "on request",
        "the stop_loss of its list was canceled",
    }
    assert result.cash == D(100_000) - 50


def test_an_oco_around_no_price_is_rejected_leg_by_leg() -> None:
    diary, _ = play(bars(QUIET, QUIET, QUIET), {1: oco(5, 5, 8)})

    assert [told[0] for told in diary] == ["reject", "reject"]
    assert "expected the last price 10" in diary[0][3]


def test_a_list_that_is_too_dear_is_refused_whole() -> None:
    diary, result = play(bars(QUIET, QUIET, QUIET), {1: bracket(50_000)})

    assert [told[0] for told in diary] == ["reject"] * 3
    assert {told[3] for told in diary} == {diary[0][3]}
    assert "not enough cash" in diary[0][3]
    assert result.fills == 0


def test_the_ids_say_which_is_which_and_nothing_is_asked_for_zero() -> None:
    seen: list[object] = []

    def look(self: Strategy, context: Context, data: BarData) -> None:
        asset = context.a
        made = self.order_bracket(asset, 1, take_profit_price=12, stop_loss_price=8)
        pair = self.order_oco(asset, 1, limit_price=8, stop_price=12)
        assert made is not None
        assert pair is not None
        roles = {each.id: each.role for each in self.get_open_orders()}
        seen.append([roles[each] for each in (*made, *pair)])
        seen.append(self.order_oco(asset, 0, limit_price=12, stop_price=8))
        none = self.order_bracket(asset, 0, take_profit_price=1, stop_loss_price=2)
        seen.append(none)

    play(bars(QUIET, QUIET), {1: look})

    exits = ["take_profit", "stop_loss"]
    assert seen == [["entry", *exits, *exits], None, None]


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (
            oco(-5, 9, 11),
            r"limit_price: expected a price above stop_price \(11\) to sell, got 9",
        ),
        (
            oco(5, 11, 9),
            r"limit_price: expected a price below stop_price \(9\) to buy, got 11",
        ),
        (
            bracket(5, take_profit_price=8, stop_loss_price=12),
            r"take_profit_price: expected a price above stop_loss_price \(12\)",
        ),
        (
            oco(-5, 12, 8, time_in_force="ioc"),
            "time_in_force: expected gtc or day, got ioc",
        ),
    ],
)
def test_words_that_make_no_list_are_one_clear_line(act: Act, why: str) -> None:
    with pytest.raises(InputError, match=why):
        play(bars(QUIET, QUIET), {1: act})


def test_a_leg_takes_no_new_terms() -> None:
    def change(self: Strategy, context: Context, data: BarData) -> None:
        (first, *_) = self.get_open_orders()
        self.modify_order(first, limit_price=11.5)

    rows = bars(QUIET, QUIET, QUIET, QUIET)
    script = {1: order(5), 2: oco(-5, 12, 8), 3: change}
    why = "modify_order: expected an order alone, got the take_profit of a list"
    with pytest.raises(InputError, match=why):
        play(rows, script)


EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_example_goes_in_and_out_by_its_brackets() -> None:
    dip = str(EXAMPLES / "strategies" / "bracket.py")

    result = backtest(dip, data=EXAMPLES / "data" / "AAPL.parquet")

    assert result.fills > 50
    assert result.fills % 2 == 0 or result.positions
