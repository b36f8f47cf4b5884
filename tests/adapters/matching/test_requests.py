"""What the engine refuses, and what cancels and replacements do."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from msgspec.structs import replace

from holdfast_adapters.matching import FillModel, LastBar, MatchingEngine
from holdfast_domain.errors import DuplicateOrder, VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Ended, Executed, Replaced, VenueEvent, VenueOrder

D = Decimal
HOUR_US = 3_600_000_000
BTC = Instrument(
    symbol="BTC", tick=D("0.5"), lot=D("0.001"), min_notional=D(10), currency="USDT"
)


@attrs.define
class Market:
    """A market that stands at one price."""

    close: float | None = 100.0
    time_us: int = 0

    def last(self, _symbol: str) -> LastBar | None:
        return None if self.close is None else LastBar(self.close, 1.0, 0)


def limit_of(quantity: str = "1", price: str = "100") -> OrderTerms:
    return OrderTerms(
        instrument="BTC",
        side=Side.BUY,
        quantity=Quantity.of(quantity),
        type=OrderType.LIMIT,
        limit_price=Price.of(price),
    )


def market_of(quantity: str) -> OrderTerms:
    return replace(limit_of(quantity), type=OrderType.MARKET, limit_price=None)


def stop_of(price: str) -> OrderTerms:
    return replace(
        limit_of(), type=OrderType.STOP, limit_price=None, stop_price=Price.of(price)
    )


def order_of(terms: OrderTerms, order_id: str = "a") -> VenueOrder:
    return VenueOrder(order_id=order_id, terms=terms, placed_at_us=0)


def engine() -> MatchingEngine:
    return MatchingEngine({"BTC": BTC}, FillModel())


def bar_at(book: MatchingEngine, price: float, opened_at_us: int) -> list[VenueEvent]:
    return book.on_bar(
        "BTC",
        open_=price,
        high=price,
        low=price,
        close=price,
        volume=1.0,
        opened_at_us=opened_at_us,
        ended_at_us=opened_at_us + HOUR_US,
    )


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (replace(limit_of(), instrument="ETH"), "unknown_symbol"),
        (limit_of(quantity="0"), "quantity"),
        (limit_of(quantity="1.0005"), "lot"),
        (limit_of(quantity="1e40"), "lot"),
        (limit_of(price="100.25"), "tick"),
        (limit_of(price="0"), "price"),
        (limit_of(price="-1"), "price"),
        (stop_of("100.1"), "tick"),
        (stop_of("0"), "price"),
        (limit_of(quantity="0.099"), "min_notional"),
        (market_of("0.099"), "min_notional"),
    ],
)
def test_an_order_that_the_market_does_not_take_is_refused(
    terms: OrderTerms, code: str
) -> None:
    book = engine()
    with pytest.raises(VenueRefused) as caught:
        book.submit(order_of(terms), Market())
    assert caught.value.code == code
    assert not book.has_open("BTC")
    book.submit(order_of(limit_of()), Market())


def test_a_market_order_before_the_first_price_passes() -> None:
    assert engine().submit(order_of(market_of("0.099")), Market(None))


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_client_order_id_is_refused_a_second_time_for_ever(has_ended: bool) -> None:
    book = engine()
    book.submit(order_of(limit_of()), Market())
    if has_ended:
        book.cancel("a")
    with pytest.raises(DuplicateOrder):
        book.submit(order_of(limit_of()), Market())


def test_a_cancel_ends_the_order_once() -> None:
    book = engine()
    book.submit(order_of(limit_of()), Market())
    (ended,) = book.cancel("a")
    assert isinstance(ended, Ended)
    assert ended.how == "canceled"
    for order_id, code in (("a", "not_working"), ("b", "unknown_order")):
        with pytest.raises(VenueRefused) as caught:
            book.cancel(order_id)
        assert caught.value.code == code


def test_new_terms_hold_from_the_moment_of_the_replacement() -> None:
    book = engine()
    book.submit(order_of(limit_of(price="90")), Market())
    terms = limit_of(quantity="2", price="110")
    assert book.replace("a", terms, Market(time_us=1)) == [
        Replaced(order_id="a", terms=terms)
    ]
    assert bar_at(book, 105.0, 0) == []
    (fill,) = bar_at(book, 105.0, HOUR_US)
    assert isinstance(fill, Executed)
    assert fill.quantity == Quantity.of(2)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (replace(limit_of(), side=Side.SELL), "terms"),
        (market_of("1"), "terms"),
        (limit_of(quantity="0"), "quantity"),
        (limit_of(price="100.1"), "tick"),
    ],
)
def test_a_replacement_by_what_is_not_allowed_is_refused(
    terms: OrderTerms, code: str
) -> None:
    book = engine()
    book.submit(order_of(limit_of(price="90")), Market())
    with pytest.raises(VenueRefused) as caught:
        book.replace("a", terms, Market())
    assert caught.value.code == code
    (fill,) = bar_at(book, 80.0, 0)
    assert isinstance(fill, Executed)
    with pytest.raises(VenueRefused):
        book.replace("a", limit_of(), Market())


def test_a_replacement_can_change_how_long_the_order_waits() -> None:
    book = engine()
    book.submit(order_of(limit_of(price="90")), Market())
    day = replace(limit_of(price="90"), time_in_force=TimeInForce.DAY)
    book.replace("a", day, Market())
    assert bar_at(book, 100.0, 23 * HOUR_US) == []
    (ended,) = bar_at(book, 100.0, 24 * HOUR_US)
    assert isinstance(ended, Ended)
    assert ended.how == "expired"
