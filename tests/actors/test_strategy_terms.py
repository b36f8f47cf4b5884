"""The words of an order: how they become terms, and which do not go together."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_actors.strategy.orders import terms_of
from holdfast_domain.errors import InputError
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderType, Side, TimeInForce

from .desk import SPY, D


@pytest.mark.parametrize(
    ("limit", "stop", "kind"),
    [
        (None, None, OrderType.MARKET),
        (1, None, OrderType.LIMIT),
        (None, 2, OrderType.STOP),
        (1, 2, OrderType.STOP_LIMIT),
    ],
)
def test_prices_say_what_kind_of_order_it_is(
    limit: int | None, stop: int | None, kind: OrderType
) -> None:
    made = terms_of(SPY, -2.5, limit, stop, "day", reduce_only=True)

    assert made is not None
    assert made.type is kind
    assert (made.side, made.quantity.value) == (Side.SELL, D("2.5"))
    assert made.time_in_force is TimeInForce.DAY
    assert made.reduce_only


def test_an_unknown_time_in_force_is_refused_with_those_that_are_known() -> None:
    known = "one of day, gtc, ioc, fok, at_open, at_close, got forever"
    with pytest.raises(InputError, match=known):
        terms_of(SPY, 1, None, None, "forever")


def test_an_order_may_be_post_only_trail_or_show_a_part() -> None:
    maker = terms_of(SPY, 1, 9, None, "gtc", post_only=True, shown=2)
    trailing = terms_of(SPY, -1, None, None, "gtc", trail="0.5")
    relative = terms_of(SPY, -1, None, None, "gtc", trail_bps=150)

    assert maker is not None
    assert (maker.type, maker.post_only) == (OrderType.LIMIT, True)
    assert maker.shown == Quantity.of(2)
    assert trailing is not None
    assert (trailing.type, trailing.trail) == (OrderType.TRAILING_STOP, Price.of("0.5"))
    assert relative is not None
    assert (relative.type, relative.trail_bps) == (OrderType.TRAILING_STOP, 150)


@pytest.mark.parametrize(
    ("limit", "stop", "force", "how"),
    [
        (None, None, "gtc", {"post_only": True}),
        (1, 2, "gtc", {"post_only": True}),
        (1, None, "ioc", {"post_only": True}),
        (None, None, "gtc", {"shown": 1}),
        (1, None, "gtc", {"trail": 1}),
        (None, 2, "gtc", {"trail": 1}),
        (1, None, "gtc", {"trail_bps": 1}),
        (None, None, "gtc", {"trail": 1, "trail_bps": 1}),
        (None, None, "gtc", {"trail": 0}),
        (None, None, "gtc", {"trail_bps": -1}),
        (None, None, "gtc", {"trail_bps": 1.5}),
    ],
)
def test_words_that_do_not_go_together_are_refused_in_one_line(
    limit: int | None, stop: int | None, force: str, how: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+: expected [^\n]+, got [^\n]+$"):
        terms_of(SPY, 1, limit, stop, force, **how)
