"""New quantities beside fills: what is asked for may trade, and be all that trades."""

from __future__ import annotations

import pytest

from holdfast_actors.messages import Change
from holdfast_actors.requests import Asked, How
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState, OrderTerms
from holdfast_domain.ports import Replaced

from .desk import acked, story, terms
from .floor import Floor
from .tellings import correction, execution

S = OrderState
LARGER, SMALLER = terms(20, limit=100), terms(5, limit=100)


def asked_for(wanted: OrderTerms) -> Floor:
    """Return a floor whose order works for 10, and is asked to be ``wanted``."""
    floor = Floor()
    floor.placed()
    floor.decide(2, changes=(Change("a", wanted),))
    return floor


def test_an_order_that_is_to_grow_is_not_filled_by_its_old_quantity() -> None:
    floor = asked_for(LARGER)

    floor.hear(Asked.STREAM, "", execution(1, 10, 10))
    assert floor.state() is S.REPLACE_PENDING
    floor.hear(Asked.REPLACE, "a", Replaced(order_id="a", terms=LARGER))
    assert floor.state() is S.PARTIALLY_FILLED
    floor.hear(Asked.STREAM, "", execution(2, 10, 20))

    assert floor.state() is S.FILLED
    assert [each.complete for each in floor.events(ev.OrderFilled)] == [False, True]


def test_an_order_that_may_not_grow_ends_when_a_lookup_shows_that_it_is_filled() -> (
    None
):
    floor = asked_for(LARGER)
    floor.hear(Asked.STREAM, "", execution(1, 10, 10))

    floor.hear(Asked.REPLACE, "a", how=How.REFUSED, reason="it is filled")
    assert floor.state() is S.PARTIALLY_FILLED
    told = story(acked("a"), execution(1, 10, 10), quantity=10, cumulative=10)
    floor.hear(Asked.LOOKUP, "a", story=told)

    assert not floor.row().is_open
    assert floor.row().filled == 10


@pytest.mark.parametrize("asked", [Asked.REPLACE, Asked.STREAM, Asked.LOOKUP])
def test_an_order_that_was_made_as_small_as_its_fills_ends(asked: Asked) -> None:
    floor = asked_for(SMALLER)
    floor.hear(Asked.STREAM, "", execution(1, 5, 5))

    floor.hear(asked, "a", acked("a"), Replaced(order_id="a", terms=SMALLER))

    assert not floor.row().is_open
    assert floor.kinds()[-1] == "OrderCanceled"


def test_a_correction_completes_no_order_that_is_to_grow() -> None:
    floor = asked_for(LARGER)
    floor.hear(Asked.STREAM, "", execution(1, 9, 9))

    floor.hear(Asked.STREAM, "", correction(1, 10))

    assert floor.row().is_open
    assert floor.row().filled == 10
