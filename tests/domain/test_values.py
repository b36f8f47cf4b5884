"""Money, prices, quantities, grids, positions, postings and ids."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from holdfast_actors.strategy.amount import Amount
from holdfast_domain.cursor import (
    ADVANCE_SLOT,
    SLICE_SLOT,
    START,
    cursor_at,
    slot_of,
    step_of,
)
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.fills import Fill, postings_of
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.instruments import (
    ROUND_DOWN_TO_TICK,
    ROUND_UP_TO_TICK,
    Band,
    Instrument,
)
from holdfast_domain.money import Money, Price, Quantity, to_decimal
from holdfast_domain.orders import Side
from holdfast_domain.positions import Position

D = Decimal
prices = st.integers(1, 10_000_00).map(lambda cents: D(cents) / 100)
units = st.integers(-1_000, 1_000).filter(bool).map(D)


# --- money --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1e-7, "1E-7"), (3, "3"), ("2.50", "2.50"), (D("1.0"), "1.0")],
)
def test_a_number_becomes_the_decimal_that_its_author_wrote(
    value: Any, text: str
) -> None:
    assert str(to_decimal(value)) == text


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "ten", "", None, object(), D("sNaN")]
)
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    with pytest.raises(DomainError, match="expected a"):
        to_decimal(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_from_its_decimal(value: float) -> None:
    assert float(to_decimal(value)) == value


def test_money_of_two_currencies_does_not_mix() -> None:
    dollars, euros = Money(D(1), "USD"), Money(D(1), "EUR")

    assert dollars + dollars - Money(D("0.5"), "USD") == Money(D("1.5"), "USD")
    assert -dollars < dollars
    with pytest.raises(DomainError, match="expected USD, got EUR"):
        dollars + euros
    with pytest.raises(DomainError, match="expected USD, got EUR"):
        dollars - euros
    with pytest.raises(DomainError, match="expected EUR, got USD"):
        assert euros < dollars


def test_a_quantity_is_never_negative_and_a_price_may_be() -> None:
    assert Price.of("-37.63").value == D("-37.63")
    assert Quantity.of(2) - Quantity.of("0.5") + Quantity.of(0) == Quantity.of("1.5")
    with pytest.raises(DomainError, match="at least 0, got -1"):
        Quantity.of(-1)
    with pytest.raises(DomainError):
        Quantity.of(1) - Quantity.of(2)


def test_an_input_error_is_one_line_that_says_what_to_do() -> None:
    error = InputError("bars.csv:3", "a price", "'ten'\n", "mend the\n row")

    assert str(error) == "bars.csv:3: expected a price, got 'ten' ; mend the row"
    assert (error.where, error.came) == ("bars.csv:3", "'ten'\n")


# --- instruments --------------------------------------------------------------


@given(prices, st.sampled_from(["0.01", "0.05", "0.25", "1", "0.3"]))
def test_a_rounded_price_is_on_the_grid_and_near(price: Decimal, tick: str) -> None:
    spy = Instrument(symbol="SPY", tick=D(tick))

    near = spy.round_price(price).value
    up = spy.round_price(price, ROUND_UP_TO_TICK).value
    down = spy.round_price(price, ROUND_DOWN_TO_TICK).value

    assert all(spy.is_on_tick(each) for each in (near, up, down))
    assert abs(near - price) <= D(tick) / 2
    assert down <= price <= up
    assert up - down in (0, D(tick))


def test_without_a_tick_every_price_is_on_the_grid() -> None:
    coin = Instrument(symbol="BTC", lot=D("0.001"))

    assert coin.is_on_tick(D("1.23456789"))
    assert coin.round_price(D("1.23456789")) == Price(D("1.23456789"))


@given(st.integers(0, 10**9), st.sampled_from(["1", "0.001", "100", "0.3"]))
def test_a_rounded_quantity_is_the_most_lots_that_fit(number: int, lot: str) -> None:
    quantity = D(number) / 1000
    coin = Instrument(symbol="BTC", lot=D(lot))

    rounded = coin.round_quantity(quantity).value

    assert coin.is_on_lot(rounded)
    assert rounded <= quantity < rounded + D(lot)


def test_the_notional_knows_the_multiplier_and_the_sign() -> None:
    future = Instrument(symbol="ES", multiplier=D(50))

    assert future.notional(D(4000), D(-2)) == D(-400_000)


# --- positions and postings ---------------------------------------------------


@given(st.lists(st.tuples(units, prices), max_size=30), prices)
def test_realised_and_unrealised_are_the_cash_flows(
    trades: list[tuple[Decimal, Decimal]], last: Decimal
) -> None:
    held, cash = Position(), D(0)
    for amount, price in trades:
        held = held.after(amount, price)
        cash -= amount * price

    unrealised = held.amount * (last - held.cost_basis)

    assert held.amount == sum((amount for amount, _ in trades), D(0))
    assert abs(held.realised + unrealised - (cash + held.amount * last)) < D("1e-15")
    assert held.amount or held.cost_basis == 0


def test_a_position_that_turns_round_starts_anew_at_the_price() -> None:
    held = Position().after(D(10), D(5)).after(D(-15), D(8))

    assert held == Position(D(-5), D(8), D(30))
    assert held.after(D(5), D(6)) == Position(D(0), D(0), D(40))


def test_adding_averages_the_cost_and_reducing_keeps_it() -> None:
    held = Position().after(D(-10), D(10)).after(D(-10), D(20))

    assert held.cost_basis == 15
    assert held.after(D(5), D(30)).cost_basis == 15


def fill_of(
    *, side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_in: str
) -> Fill:
    return Fill(
        execution_id="X1",
        order_id="1",
        strategy="momentum",
        instrument="SPY",
        side=side,
        quantity=Quantity(quantity),
        price=Price(price),
        fee=Money(fee, fee_in),
        filled_at=datetime(2024, 1, 1, tzinfo=UTC),
    )


fills = st.builds(
    fill_of,
    side=st.sampled_from(Side),
    quantity=units.map(abs),
    price=prices,
    fee=st.integers(-500, 500).map(lambda cents: D(cents) / 100),
    fee_in=st.sampled_from(["USD", "BNB"]),
)


@given(st.lists(fills, max_size=20), st.sampled_from(["1", "50", "0.1"]))
def test_postings_sum_to_zero_for_each_unit(many: list[Fill], multiplier: str) -> None:
    spy = Instrument(symbol="SPY", multiplier=D(multiplier))
    sums: dict[str, Decimal] = defaultdict(Decimal)

    for fill in many:
        for leg in postings_of(fill, spy, "paper"):
            sums[leg.unit] += leg.amount

    assert set(sums.values()) <= {D(0)}


def test_a_buy_posts_units_money_and_the_fee_in_its_own_currency() -> None:
    fill = fill_of(side=Side.BUY, quantity=D(3), price=D(10), fee=D(1), fee_in="BNB")

    legs = {
        (leg.account, leg.unit): leg.amount
        for leg in postings_of(fill, Instrument(symbol="SPY"), "paper")
    }

    assert legs == {
        ("strategy/momentum/position", "SPY"): 3,
        ("venue/paper/position", "SPY"): -3,
        ("strategy/momentum/cash", "USD"): -30,
        ("venue/paper/cash", "USD"): 30,
        ("strategy/momentum/cash", "BNB"): -1,
        ("venue/paper/fees", "BNB"): 1,
    }


def test_a_fee_in_kind_is_taken_of_the_units_and_not_of_cash() -> None:
    pair = Instrument(symbol="SPY", base="BNB")
    fill = fill_of(
        side=Side.BUY, quantity=D(3), price=D(10), fee=D("0.5"), fee_in="BNB"
    )

    legs = [
        (leg.account, leg.unit, leg.amount) for leg in postings_of(fill, pair, "paper")
    ]

    assert legs == [
        ("strategy/momentum/position", "SPY", 3),
        ("venue/paper/position", "SPY", -3),
        ("strategy/momentum/cash", "USD", -30),
        ("venue/paper/cash", "USD", 30),
        ("strategy/momentum/position", "SPY", D("-0.5")),
        ("venue/paper/fees/position", "SPY", D("0.5")),
    ]
    moved = (fill.traded(), fill.units(pair), fill.fee_value(pair))
    assert moved == (D(3), D("2.5"), D(5))
    taken_back = fill.reversed
    assert (taken_back.traded(), taken_back.units(pair)) == (D(-3), D("-2.5"))


def test_who_sells_may_pay_in_kind_too() -> None:
    pair = Instrument(symbol="SPY", base="BNB")
    fill = fill_of(
        side=Side.SELL, quantity=D(3), price=D(10), fee=D("0.5"), fee_in="BNB"
    )

    assert fill.units(pair) == D("-3.5")


def test_without_a_fee_there_is_no_posting_of_it() -> None:
    fill = fill_of(side=Side.SELL, quantity=D(1), price=D(1), fee=D(0), fee_in="BNB")

    assert len(postings_of(fill, Instrument(symbol="SPY"), "paper")) == 4


# --- ids and cursors ----------------------------------------------------------


def bits(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**count - 1)


@given(
    st.builds(
        ClientOrderId,
        engine=bits(32),
        epoch=bits(32),
        sequence=bits(48),
        strategy=bits(16),
    )
)
def test_an_id_comes_back_from_its_text(made: ClientOrderId) -> None:
    text = str(made)

    assert len(text) == 32
    assert set(text) <= set("0123456789abcdef")
    assert ClientOrderId.parse(text) == made


@pytest.mark.parametrize("text", ["", "a" * 31, "A" * 32, "g" * 32, "a" * 33])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(DomainError, match="32 lowercase hex digits"):
        ClientOrderId.parse(text)


@given(st.integers(0, 2**40), st.integers(0, SLICE_SLOT))
def test_a_cursor_has_a_step_and_a_slot(step: int, slot: int) -> None:
    cursor = cursor_at(step, slot)

    assert (step_of(cursor), slot_of(cursor)) == (step, slot)
    assert cursor > START


def test_cursors_are_in_the_order_of_the_run() -> None:
    run = [
        START,
        cursor_at(0, ADVANCE_SLOT),
        cursor_at(0, ADVANCE_SLOT + 1),
        cursor_at(0, SLICE_SLOT),
        cursor_at(1, 1),
        cursor_at(1, 2),
        cursor_at(1, ADVANCE_SLOT),
    ]

    assert run == sorted(run)
    assert step_of(START) == -1


def test_an_amount_of_a_strategy_becomes_a_plain_decimal() -> None:
    # A record with a decimal of another class could not be journaled.
    assert type(to_decimal(Amount("1.5"))) is Decimal


BANDS = (Band(D(0), D("0.05")), Band(D(3), D("0.1")), Band(D(10), D(1)))


@pytest.mark.parametrize(
    ("price", "tick", "rounded"),
    [
        ("-0.02", "0.05", "0"),
        ("2.96", "0.05", "2.95"),
        ("2.98", "0.05", "3"),
        ("3", "0.1", "3"),
        ("3.05", "0.1", "3"),
        ("9.97", "0.1", "10"),
        ("10.4", "1", "10"),
    ],
)
def test_where_there_are_bands_the_tick_is_that_of_the_price(
    price: str, tick: str, rounded: str
) -> None:
    option = Instrument(symbol="SPX", tick=D("0.05"), bands=BANDS)
    assert option.tick_at(D(price)) == D(tick)
    assert option.round_price(D(price)).value == D(rounded)
    assert option.is_on_tick(D(rounded))


def test_bands_change_no_identity_of_what_has_none() -> None:
    assert "bands" not in repr(Instrument(symbol="SPY"))
