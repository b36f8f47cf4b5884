"""Parameters, sizes, amounts, and the desk: the small parts of a strategy."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import astuple, replace

from holdfast import Amount, param
from holdfast_actors.strategy.orders import INDEX_BITS, Desk
from holdfast_actors.strategy.params import declared_params, parse_params
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_actors.strategy.sizing import (
    units_between,
    units_for_value,
    units_to_target,
)
from holdfast_domain import events as ev
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.instruments import Instrument

from .desk import INSTRUMENTS, SPY, D, filled, intended, terms

# --- parameters ---------------------------------------------------------------


class Base:
    window = param(30)
    name = param("SPY")


class Momentum(Base):
    window = param(50, "How many bars.")
    share = param(0.5)
    cash = param(Decimal("1.5"))
    short = param(False)
    days: Any = param([1, 2])


def test_a_parameter_is_its_default_until_it_is_set() -> None:
    one, two = Momentum(), Momentum()

    vars(one)["window"] = 7

    assert (one.window, two.window, Base().window) == (7, 50, 30)
    assert (one.share, one.cash, one.name) == (0.5, Decimal("1.5"), "SPY")


def test_the_parameters_of_bases_are_declared_too() -> None:
    declared = declared_params(Momentum)

    assert list(declared) == ["window", "name", "share", "cash", "short", "days"]
    assert declared["window"].default == 50
    assert declared["window"].__doc__ == "How many bars."


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("window", "20", 20),
        ("share", "0.25", 0.25),
        ("share", "1", 1.0),
        ("cash", "2.50", Decimal("2.50")),
        ("name", "20", "20"),
        ("short", "TRUE", True),
        ("short", "0", False),
        ("window", 20, 20),
        ("share", 1, 1.0),
        ("cash", 2, Decimal(2)),
        ("cash", 0.1, Decimal("0.1")),
        ("days", (3,), (3,)),
    ],
)
def test_what_is_given_becomes_a_value_of_the_defaults_type(
    name: str, text: object, value: object
) -> None:
    parsed = parse_params(Momentum, {name: text})

    assert parsed == {name: value}
    assert type(parsed[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("window", "ten", "--param window: expected a value of type int, got 'ten'"),
        ("window", "1.5", "--param window: expected a value of type int, got '1.5'"),
        ("cash", "much", "--param cash: expected a value of type Decimal, got 'much'"),
        ("window", 1.5, "--param window: expected a value of type int, got 1.5"),
        ("window", True, "--param window: expected a value of type int, got True"),
        ("short", 1, "--param short: expected a value of type bool, got 1"),
        ("name", 5, "--param name: expected a value of type str, got 5"),
        ("short", "maybe", "--param short: expected a value of type bool, got 'maybe'"),
    ],
)
def test_a_value_of_another_type_is_refused(
    name: str, text: object, message: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse_params(Momentum, {name: text})

    assert str(refused.value) == message


def test_a_name_that_is_not_declared_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match="expected one of cash, days, name, share"):
        parse_params(Momentum, {"widow": "20"})
    with pytest.raises(InputError, match="none"):
        parse_params(object, {"window": "20"})


# --- sizes --------------------------------------------------------------------

cents = st.integers(1, 10_000_00).map(lambda each: D(each) / 100)
rates = st.sampled_from([D(0), D("0.001"), D("0.0025"), D("0.1")])
lots = st.sampled_from([D(1), D("0.001"), D(100)])


@given(cents, cents, rates, lots, st.integers(-20, 20))
def test_what_a_value_buys_never_costs_more_with_its_commission(
    value: Decimal, price: Decimal, rate: Decimal, lot: Decimal, held: int
) -> None:
    spy = Instrument(symbol="SPY", lot=lot)

    units = units_for_value(spy, value, price, held * lot, rate)

    assert units >= 0
    assert spy.is_on_lot(units)
    assert units * price * (1 + rate) <= value
    assert (units + lot) * price * (1 + rate) > value


@given(cents, cents, rates, st.integers(0, 1_000))
def test_a_sale_by_value_closes_without_room_for_a_commission(
    value: Decimal, price: Decimal, rate: Decimal, held: int
) -> None:
    units = units_for_value(SPY, -value, price, D(held), rate)

    whole = (value / price).to_integral_value(ROUND_DOWN)
    assert -whole <= units <= 0
    if whole <= held:
        assert units == -whole


@given(cents, cents, rates, st.integers(-500, 500))
def test_a_target_is_not_overshot(
    target: Decimal, price: Decimal, rate: Decimal, held: int
) -> None:
    for wanted in (target, -target):
        units = units_to_target(SPY, wanted, price, D(held), rate)
        before, after = held * price, (held + units) * price
        assert min(before, wanted) <= after <= max(before, wanted)


def test_a_target_of_nothing_closes_all_whatever_the_price() -> None:
    assert units_to_target(SPY, D(0), D(0), D("7"), D("0.1")) == D("-7")


@pytest.mark.parametrize(
    ("held", "target", "units"),
    [("7.4", "0", "-7"), ("-7.4", "0", "7"), ("0.4", "0", "0"), ("7.4", "9", "1")],
)
def test_a_part_of_a_lot_that_a_fee_left_stays(
    held: str, target: str, units: str
) -> None:
    assert units_between(SPY, D(held), D(target)) == D(units)


def test_a_target_that_is_no_lot_is_refused_and_not_rounded() -> None:
    assert units_between(SPY, D(7), D("7.5")) == D("0.5")


def test_a_price_of_nothing_buys_nothing() -> None:
    assert units_for_value(SPY, D(100), D(0), D(0), D(0)) == 0


def test_the_multiplier_counts() -> None:
    future = Instrument(symbol="ES", multiplier=D(50))

    assert units_for_value(future, D(10_000), D(100), D(0), D(0)) == 2


# --- amounts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (Amount("100") * 0.1, "10.0"),
        (0.1 * Amount("100"), "10.0"),
        (Amount("1") + 0.1, "1.1"),
        (0.1 + Amount("1"), "1.1"),
        (Amount("1") - 0.1, "0.9"),
        (0.1 - Amount("1"), "-0.9"),
        (Amount("1") / 0.25, "4"),
        (1.0 / Amount("0.25"), "4"),
        (Amount("7") // 2.0, "3"),
        (-Amount("2"), "-2"),
        (abs(Amount("-2")), "2"),
        (Amount("2") + 1, "3"),
        (Amount("2") + Decimal("0.5"), "2.5"),
        (Decimal("0.5") + Amount("2"), "2.5"),
        (7.5 // Amount("2"), "3"),
        (Amount("7") % 2.5, "2.0"),
        (7.0 % Amount("2.5"), "2.0"),
        (round(Amount("2.345"), 2), "2.34"),
        (+Amount("2"), "2"),
        (sum([Amount("1"), Amount("2")]), "3"),
    ],
)
def test_an_amount_takes_floats_as_their_author_wrote_them(
    result: object, text: str
) -> None:
    assert type(result) is Amount
    assert str(result) == text


def test_amounts_are_compared_with_floats() -> None:
    assert Amount("0.5") == 0.5
    assert Amount("0.1") < 0.2 < Amount("0.3")
    assert max(Amount("1"), 2.0) == 2.0
    assert float(Amount("0.1")) == 0.1
    assert repr(Amount("1.50")) == "Amount('1.50')"


def test_an_amount_does_not_mix_with_what_is_no_number() -> None:
    with pytest.raises(TypeError):
        Amount("1") + "1"


# --- the desk -----------------------------------------------------------------


def desk() -> Desk:
    return Desk(engine=1, epoch=2, index=3, instruments=INSTRUMENTS)


def test_ids_tell_engine_epoch_decision_place_and_strategy() -> None:
    made = desk()
    made.number = 41

    ids = [ClientOrderId.parse(made.place(terms(1))) for _ in range(2)]

    assert [astuple(each) for each in ids] == [
        (1, 2, 42 << INDEX_BITS, 3),
        (1, 2, (42 << INDEX_BITS) + 1, 3),
    ]


def test_a_decision_that_is_made_again_is_the_same_decision() -> None:
    assert desk().place(terms(1)) == desk().place(terms(1))


def test_an_order_is_open_until_it_ends() -> None:
    made = desk()
    order_id = made.place(terms(-10, limit=5))
    (view,) = made.open.values()
    assert (view.amount, view.limit, view.stop) == (D(-10), D(5), None)
    assert view.status == "open"

    made.apply(intended(order_id, terms(-10, limit=5)))
    made.apply(filled(order_id, terms(-10), 4, 5, complete=False))
    assert (view.filled, view.status) == (D(-4), "open")
    made.apply(filled(order_id, terms(-10), 6, 5))

    assert (view.filled, view.status) == (D(-10), "filled")
    assert made.open == {}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (ev.OrderRejected(order_id="a", strategy="", reason="", code=""), "rejected"),
        (ev.OrderNotPlaced(order_id="a", strategy="", reason=""), "rejected"),
        (ev.OrderCanceled(order_id="a", strategy="", reason=""), "canceled"),
        (ev.OrderExpired(order_id="a", strategy=""), "expired"),
    ],
)
def test_an_order_that_ends_says_how(event: ev.Event, status: str) -> None:
    made = desk()
    made.apply(intended("a", terms(1)))

    view = made.apply(event)

    assert view is not None
    assert view.status == status
    assert made.open == {}
    assert made.apply(event) is None


def test_a_cancel_of_what_is_not_open_is_no_wish() -> None:
    made = desk()
    made.apply(intended("a", terms(1)))

    for order_id in ("a", "a", "gone"):
        made.cancel(order_id)

    assert made.cancels == ("a",)


def test_changes_of_one_call_are_one_change() -> None:
    made = desk()
    made.apply(intended("a", terms(10, limit=5)))

    made.change("a", None, 6, None)
    made.change("a", 7, None, None)

    assert [each.terms for each in made.changes] == [terms(7, limit=6)]


def test_a_change_of_an_order_of_the_same_call_is_that_order() -> None:
    made = desk()
    order_id = made.place(terms(10, limit=5))

    made.change(order_id, 7, 6, None)

    assert made.changes == ()
    assert [each.terms for each in made.drafts] == [terms(7, limit=6)]
    assert made.open[order_id].amount == 7


def test_a_change_of_what_is_not_open_is_an_error() -> None:
    with pytest.raises(DomainError, match="expected an open order, got gone"):
        desk().change("gone", 1, None, None)


# --- the portfolio ------------------------------------------------------------


def test_a_portfolio_is_its_cash_and_positions_at_the_last_prices() -> None:
    prices = {"SPY": D(12)}
    made = Portfolio(INSTRUMENTS, prices.get)
    made.allot(D(1_000))

    made.fill(filled("a", terms(10), 10, 10, fee=1).fill)
    made.fill(filled("b", terms(-4), 4, 11, fee=1).fill)

    assert made.cash == 1_000 - 100 + 44 - 2
    assert made.portfolio_value == made.cash + 6 * 12
    position = made.positions[SPY]
    assert (position.amount, position.cost_basis, position.last_sale_price) == (
        D(6),
        D(10),
        D(12),
    )
    assert list(made.positions) == [SPY]
    assert SPY in made.positions
    assert made.positions["QQQ"].amount == 0
    assert made.starting_cash == 1_000


def test_a_fee_in_another_currency_is_not_taken_from_the_cash() -> None:
    made = Portfolio(INSTRUMENTS, lambda _: None)
    fill = filled("a", terms(1), 1, 10).fill
    fee = replace(fill.fee, currency="BNB", amount=D(1))

    made.fill(replace(fill, fee=fee))

    assert made.cash == -10
