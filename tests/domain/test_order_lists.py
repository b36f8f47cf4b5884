"""Order lists: what may be bound, and what a venue says that it takes."""

from __future__ import annotations

import pytest

from holdfast_domain.errors import ImpossibleTransition
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orderlists import ListKind, OrderList
from holdfast_domain.orders import OrderTerms, OrderType, Side

BUY, SELL = Side.BUY, Side.SELL


def terms(
    side: Side,
    limit: int | None = None,
    stop: int | None = None,
    *,
    quantity: int = 10,
    symbol: str = "SPY",
) -> OrderTerms:
    kinds = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }
    return OrderTerms(
        instrument=symbol,
        side=side,
        quantity=Quantity.of(quantity),
        type=kinds[limit is not None, stop is not None],
        limit_price=None if limit is None else Price.of(limit),
        stop_price=None if stop is None else Price.of(stop),
    )


PROFIT, LOSS = terms(SELL, 110), terms(SELL, None, 90)
ENTRY = terms(BUY, 100)


def test_exits_have_the_market_between_them_whichever_side_they_are_on() -> None:
    OrderList(kind=ListKind.OCO, legs=(PROFIT, LOSS))
    OrderList(kind=ListKind.OCO, legs=(terms(BUY, 90), terms(BUY, 112, 110)))
    OrderList(kind=ListKind.BRACKET, legs=(ENTRY, PROFIT, LOSS))
    OrderList(kind=ListKind.BRACKET, legs=(terms(BUY), PROFIT, terms(SELL, 89, 90)))


@pytest.mark.parametrize(
    ("kind", "legs", "why"),
    [
        (ListKind.OCO, (ENTRY, PROFIT, LOSS), "2 legs, got 3"),
        (ListKind.BRACKET, (PROFIT, LOSS), "3 legs, got 2"),
        (ListKind.OCO, (LOSS, PROFIT), "a take-profit that is a limit order"),
        (ListKind.OCO, (PROFIT, terms(SELL, 90)), "a stop-loss that is a stop"),
        (ListKind.OCO, (terms(SELL, 90), terms(SELL, None, 90)), "other side"),
        (ListKind.OCO, (terms(BUY, 110), terms(BUY, None, 90)), "other side"),
        (ListKind.OCO, (PROFIT, terms(SELL, None, 90, quantity=9)), "other side"),
        (ListKind.OCO, (PROFIT, terms(BUY, None, 90)), "other side"),
        (ListKind.BRACKET, (terms(SELL, 100), PROFIT, LOSS), "no exits of the entry"),
        (ListKind.BRACKET, (terms(BUY, quantity=9), PROFIT, LOSS), "no exits"),
        (ListKind.BRACKET, (terms(BUY, symbol="QQQ"), PROFIT, LOSS), "no exits"),
    ],
)
def test_legs_that_do_not_belong_together_are_no_list(
    kind: ListKind, legs: tuple[OrderTerms, ...], why: str
) -> None:
    with pytest.raises(ImpossibleTransition, match=why):
        OrderList(kind=kind, legs=legs)


def test_a_venue_says_which_lists_it_takes_and_of_what() -> None:
    both = (ENTRY, PROFIT, LOSS)
    none, oco = OrderKinds(), OrderKinds(lists=frozenset({ListKind.OCO}))
    limits = OrderKinds(lists=frozenset(ListKind), entries=frozenset({OrderType.LIMIT}))
    stops = OrderKinds(
        lists=frozenset(ListKind), types=frozenset({OrderType.LIMIT, OrderType.STOP})
    )
    to_market = (terms(BUY), PROFIT, LOSS)
    with_limit = (PROFIT, terms(SELL, 89, 90))

    assert none.lacks_list(ListKind.OCO, both[1:]) == "order lists of the kind oco"
    assert oco.lacks_list(ListKind.OCO, both[1:]) == ""
    assert oco.lacks_list(ListKind.BRACKET, both) == (
        "order lists of the kind bracket; it takes oco"
    )
    assert limits.lacks_list(ListKind.BRACKET, both) == ""
    assert limits.lacks_list(ListKind.BRACKET, to_market) == (
        "brackets with a market entry; it takes limit"
    )
    assert stops.lacks_list(ListKind.OCO, with_limit) == (
        "stop_limit orders; it takes limit, stop"
    )
