"""The guard, called directly: cash, limits, positions and siblings."""

from __future__ import annotations

import pytest

from holdfast_actors.vetting import Limits, off_grid
from holdfast_domain import events as ev
from holdfast_domain.instruments import Band, Instrument
from holdfast_domain.money import Money

from .desk import T0_US, D, filled, intended, terms
from .gate import Gate

SECOND_US = 1_000_000


# --- cash ---------------------------------------------------------------------


def test_cash_covers_an_order_at_the_last_price_or_refuses_it() -> None:
    gate = Gate(cash=1_000)

    assert gate.reason(terms(10)) == ""
    assert gate.free() == 0
    assert gate.reason(terms(1)) == "not enough cash: needs 100, has 0"


def test_cash_must_cover_the_commission() -> None:
    gate = Gate(cash=1_000, limits=Limits(commission=D("0.001")))

    assert gate.reason(terms(10)) == "not enough cash: needs 1001, has 1000"
    assert gate.reason(terms(9)) == ""
    assert gate.free() == D("99.1")


@pytest.mark.parametrize(("limit", "need"), [(90, 900), (120, 1_000)])
def test_a_buy_limit_needs_its_limit_but_no_more_than_the_last_price(
    limit: int, need: int
) -> None:
    gate = Gate(cash=1_000)

    (verdict,) = gate.decide(terms(10, limit=limit))

    assert verdict.reserved == Money(D(need), "USD")


def test_orders_of_one_decision_do_not_spend_the_same_cash() -> None:
    gate = Gate(cash=1_000)

    verdicts = gate.decide(terms(6), terms(6), terms(4))

    assert [each.reason[:15] for each in verdicts] == ["", "not enough cash", ""]


def test_siblings_have_each_their_own_cash() -> None:
    gate = Gate(cash=1_000)

    assert gate.reason(terms(10), strategy="one") == ""
    assert gate.reason(terms(10), strategy="two") == ""
    assert gate.reason(terms(1), strategy="two").startswith("not enough cash")


def test_a_fill_moves_cash_from_the_reservation_to_the_position() -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(8))
    assert gate.free() == 200

    gate.commit(filled("one-1", terms(8), 8, 105, fee=10))

    assert gate.free() == 1_000 - 8 * 105 - 10


@pytest.mark.parametrize(
    "end",
    [
        ev.OrderCanceled(order_id="one-1", strategy="one", reason=""),
        ev.OrderExpired(order_id="one-1", strategy="one"),
        ev.OrderNotPlaced(order_id="one-1", strategy="one", reason=""),
        ev.OrderRejected(order_id="one-1", strategy="one", reason="", code=""),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_order_that_ends_gives_its_reservation_back(end: ev.Event) -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(8))

    gate.commit(end)

    assert gate.free() == 1_000


def test_before_the_first_price_nothing_is_let_through() -> None:
    gate = Gate()
    gate.prices.show(-1)

    assert gate.reason(terms(1)) == "no price of SPY yet"
    assert gate.reason(terms(1, instrument="GLD")) == "no price of GLD yet"


# --- grids and limits ---------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (terms("0.5"), "expected a multiple of the lot 1, was 0.5"),
        (
            terms(1, limit="1.005", instrument="QQQ"),
            "expected a multiple of the tick 0.01, was 1.005",
        ),
        (
            terms(1, stop="1.005", instrument="QQQ"),
            "expected a multiple of the tick 0.01, was 1.005",
        ),
    ],
)
def test_what_is_off_the_grid_is_refused(wanted: object, reason: str) -> None:
    assert Gate().reason(wanted) == reason  # type: ignore[arg-type]


def test_an_order_above_the_notional_limit_is_refused() -> None:
    gate = Gate(limits=Limits(max_order_notional=D(500)))

    assert gate.reason(terms(5)) == ""
    assert gate.reason(terms(6)) == "notional 600 is above the limit 500"
    assert gate.reason(terms(5, limit=101)) == "notional 505 is above the limit 500"


def test_more_orders_than_the_rate_are_refused_until_time_has_passed() -> None:
    gate = Gate(limits=Limits(orders=2, orders_period_s=60))

    assert [each.reason for each in gate.decide(terms(1), terms(1), terms(1))] == [
        "",
        "",
        "more than 2 orders in 60 s",
    ]
    assert gate.reason(terms(1), strategy="two") == ""
    gate.clock.now_us += 59 * SECOND_US
    gate.build()
    assert gate.reason(terms(1)) == "more than 2 orders in 60 s"
    gate.clock.now_us += SECOND_US
    assert gate.reason(terms(1)) == ""


def test_an_order_on_an_old_input_is_refused() -> None:
    gate = Gate(limits=Limits(stale_after_s=60))

    (fresh,) = gate.decide(terms(1), time_us=T0_US - 60 * SECOND_US)
    (stale,) = gate.decide(terms(1), time_us=T0_US - 61 * SECOND_US)

    assert (fresh.reason, stale.reason) == ("", "the input is too old")


# --- positions ----------------------------------------------------------------


def held(units: int, strategy: str = "one") -> list[ev.Event]:
    """Return records after which a strategy holds ``units`` of SPY at 100."""
    wanted = terms(units)
    return [
        intended(f"h{strategy}", wanted, strategy=strategy),
        filled(f"h{strategy}", wanted, abs(units), 100, strategy=strategy),
    ]


def test_closing_needs_no_cash() -> None:
    gate = Gate(*held(10), cash=1_000)

    (verdict,) = gate.decide(terms(-10))

    assert verdict.reserved == Money(D(0), "USD")


def test_only_what_opens_a_short_needs_equity() -> None:
    gate = Gate(*held(10), cash=1_000)

    (verdict,) = gate.decide(terms(-15))

    assert verdict.reserved == Money(D(500), "USD")


def test_two_sells_do_not_close_the_same_units() -> None:
    gate = Gate(*held(10), cash=1_000)

    first, second = gate.decide(terms(-10), terms(-10))

    assert first.reserved == Money(D(0), "USD")
    assert second.reserved == Money(D(1_000), "USD")


def test_selling_short_is_bounded_by_equity() -> None:
    gate = Gate(cash=1_000)

    assert gate.reason(terms(-11)) == "not enough equity to sell 1100 short"
    assert gate.reason(terms(-6)) == ""
    assert gate.reason(terms(-5)) == "not enough equity to sell 500 short"
    assert gate.reason(terms(-4)) == ""


def test_what_is_short_already_counts_at_the_last_price() -> None:
    gate = Gate(*held(-5), cash=1_000)
    gate.prices.show(1)

    # Equity is 1000 + 500 - 550, and 550 of it is short.
    assert gate.reason(terms(-4)) == "not enough equity to sell 440 short"
    assert gate.reason(terms(-3)) == ""


def test_reduce_only_reduces_the_own_position_and_no_more() -> None:
    gate = Gate(*held(10, "one"), *held(-10, "two"), cash=5_000)

    assert gate.reason(terms(5, reduce_only=True)).startswith("reduce-only")
    assert gate.reason(terms(-11, reduce_only=True)).startswith("reduce-only")
    assert gate.reason(terms(-10, reduce_only=True)) == ""
    assert gate.reason(terms(10, reduce_only=True), strategy="two") == ""


def test_two_reduce_only_orders_do_not_reduce_the_same_units() -> None:
    gate = Gate(*held(10), cash=5_000)

    assert gate.reason(terms(-6, reduce_only=True)) == ""
    assert gate.reason(terms(-6, reduce_only=True)) == (
        "reduce-only, but only 4 are left to close"
    )
    assert gate.reason(terms(-4, reduce_only=True)) == ""


# --- siblings -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("resting", "new", "crosses"),
    [
        (terms(1, limit=99), terms(-1), False),
        (terms(1, limit=100), terms(-1), True),
        (terms(1, limit=99), terms(-1, limit=99), True),
        (terms(1, limit=99), terms(-1, limit="99.5"), False),
        (terms(-1, limit=101), terms(1), False),
        (terms(-1, limit=101), terms(1, limit=101), True),
        (terms(-1, limit=101), terms(1, limit=100), False),
        (terms(1, limit=99), terms(1, limit=99), False),
        (terms(1, limit=99), terms(-1, limit=99, instrument="QQQ"), False),
        (terms(1), terms(-1), False),
    ],
)
def test_an_order_that_would_trade_with_a_siblings_is_refused(
    resting: object, new: object, crosses: bool
) -> None:
    gate = Gate()
    gate.decide(resting, strategy="two")  # type: ignore[arg-type]

    reason = gate.reason(new)  # type: ignore[arg-type]

    expected = "would trade with order two-1 of two" if crosses else ""
    assert reason == expected


def test_an_order_may_cross_an_own_one() -> None:
    gate = Gate()
    gate.decide(terms(1, limit=100))

    assert gate.reason(terms(-1, limit=100)) == ""


def test_a_price_between_two_steps_is_refused_by_the_step_at_that_price() -> None:
    bands = (Band(D(0), D("0.05")), Band(D(3), D("0.1")))
    option = Instrument(symbol="SPX", tick=D("0.05"), bands=bands)
    assert off_grid(option, terms(1, limit="2.95")) == ""
    assert off_grid(option, terms(1, limit="3.1")) == ""
    why = "expected a multiple of the tick 0.1, was 3.15"
    assert off_grid(option, terms(1, limit="3.15")) == why
