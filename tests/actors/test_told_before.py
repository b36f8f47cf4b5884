"""What a venue told the `orders` before a death: it waits for what died with it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from holdfast_actors.requests import Asked, How
from holdfast_domain import events as ev
from holdfast_domain.money import Quantity
from holdfast_domain.ports import Executed

from .desk import ended, executed, story
from .floor import Floor


def execution(number: int) -> Executed:
    return replace(executed("a", number, 4), cumulative=Quantity.of(4 * number))


def booked(floor: Floor) -> list[str]:
    return [each.fill.execution_id for each in floor.events(ev.OrderFilled)]


def left_over() -> Floor:
    """Return an `Orders` that finds the second fill; the first died with its writer."""
    floor = Floor()
    floor.placed()
    floor.build()
    floor.hear(Asked.STREAM, "", execution(2))
    return floor


def test_a_fill_that_was_told_before_a_death_waits_for_the_one_before_it() -> None:
    floor = left_over()
    floor.up()
    assert booked(floor) == []

    floor.hear(Asked.GAP, "", execution(1), execution(2), watermark="W2")

    assert booked(floor) == ["X1", "X2"]


def test_what_a_step_brought_about_is_told_again_and_taken_first() -> None:
    floor = left_over()
    floor.up()

    floor.hear(Asked.STREAM, "", execution(1), execution(2))

    assert booked(floor) == ["X1", "X2"]


def test_an_answer_is_taken_after_what_was_told_before_it() -> None:
    floor = left_over()
    floor.up()

    floor.hear(Asked.LOOKUP, "a", story=story(ended("a")))

    assert floor.kinds()[-2:] == ["OrderFilled", "OrderCanceled"]


@pytest.mark.parametrize("is_up", [True, False])
def test_where_the_venue_cannot_be_asked_nothing_waits(is_up: bool) -> None:
    floor = left_over()
    if is_up:
        floor.up()

    floor.hear(Asked.GAP, "", how=How.UNKNOWN)

    assert booked(floor) == ["X2"]
