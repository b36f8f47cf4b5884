"""Corrections and busts: each is booked once, as a difference, whatever comes first."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from holdfast_actors.requests import Asked, LookUp
from holdfast_domain import events as ev
from holdfast_domain.money import Quantity
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import Busted, Corrected, VenueEvent

from .desk import T0_US, D, acked, ended, executed, story
from .floor import Floor
from .tellings import bust, correction, execution

S = OrderState


def test_a_correction_is_booked_as_a_difference_once() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", execution(1, 4, 4))

    for asked in (Asked.STREAM, Asked.GAP):
        floor.hear(asked, "", correction(1, 3, price=99))
    floor.build()
    floor.up()
    floor.hear(Asked.GAP, "", execution(1, 4, 4), correction(1, 3, price=99))

    (corrected,) = floor.events(ev.FillCorrected)
    back, right = corrected.bookings
    assert (back.side, back.quantity.value, back.price.value) == (
        corrected.was.side.opposite,
        D(4),
        D(100),
    )
    assert (right.quantity.value, right.price.value) == (D(3), D(99))
    assert floor.row().filled == 3
    assert len(floor.events(ev.OrderFilled)) == 1


def test_a_correction_that_comes_before_its_execution_is_booked_in_its_place() -> None:
    floor = Floor()
    floor.placed()

    floor.hear(Asked.STREAM, "", correction(1, 3), execution(1, 4, 4), correction(1, 3))

    (only,) = floor.events(ev.OrderFilled)
    assert only.fill.quantity.value == 3
    (known,) = floor.events(ev.FillCorrected)
    assert (known.correction_id, known.bookings) == ("C1", ())
    assert floor.row().filled == 3


@pytest.mark.parametrize(
    "first", [(correction(1, 4, 101),), (execution(1, 4, 4), correction(1, 4))]
)
def test_a_correction_that_is_told_again_does_not_undo_a_later_one(
    first: tuple[VenueEvent, ...],
) -> None:
    """The first is booked as what it corrects, or it changes nothing."""
    floor = Floor()
    floor.placed()

    floor.hear(Asked.STREAM, "", *first, correction(1, 4, 102, name="C2"))
    floor.build()
    floor.up()
    floor.hear(Asked.GAP, "", *first, correction(1, 4, 102, name="C2"))

    fill = floor.orders._book.executions["paper"].fill_of("X1")
    assert fill is not None
    assert fill.price.value == 102


def test_a_correction_may_complete_an_order() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", execution(1, 9, 9), correction(1, 10))

    assert floor.state() is S.FILLED


def test_a_busted_execution_is_taken_back_and_never_booked_again() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", execution(1, 4, 4))

    for _ in range(2):
        floor.hear(Asked.STREAM, "", bust(1))
    floor.hear(Asked.GAP, "", executed("a", 1, 4))

    (busted,) = floor.events(ev.FillBusted)
    assert [each.quantity.value for each in busted.bookings] == [4]
    assert floor.row().filled == 0
    assert floor.row().left == 10


def test_a_bust_that_comes_first_keeps_its_execution_out() -> None:
    floor = Floor()
    floor.placed()

    floor.hear(Asked.STREAM, "", bust(1), executed("a", 1, 4))

    assert floor.events(ev.OrderFilled) == []
    assert floor.events(ev.FillBusted)[0].bookings == ()


def test_a_bust_after_the_end_is_booked_and_the_end_stays() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", execution(1, 4, 4), ended("a"))

    floor.hear(Asked.STREAM, "", bust(1))

    assert floor.state() is S.CANCELED
    assert floor.row().filled == 0


@pytest.mark.parametrize("first", [bust(1), correction(1, 3)])
def test_what_is_left_after_a_bust_is_the_venues_to_say(
    first: Busted | Corrected,
) -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", execution(1, 4, 4))

    floor.hear(Asked.STREAM, "", first)

    assert floor.state() is S.UNKNOWN
    assert floor.session.take() == [LookUp("a", T0_US)]
    told = story(acked("a"), execution(1, 4, 4), first, cumulative=floor.row().filled)
    floor.hear(Asked.LOOKUP, "a", story=told)
    after = S.PARTIALLY_FILLED if floor.row().filled else S.ACCEPTED
    assert floor.state() is after


def test_a_fill_after_a_bust_completes_nothing_that_the_venue_does_not() -> None:
    floor = Floor()
    floor.placed()
    # The venue counts what it took back: it will not trade more, and does not say so.
    floor.hear(Asked.STREAM, "", bust(1), execution(2, 6, 10))
    floor.build()
    floor.up()

    assert floor.state() is S.UNKNOWN
    end = replace(ended("a"), cumulative=Quantity.of(10))
    floor.hear(Asked.STREAM, "", end)
    assert floor.state() is S.UNKNOWN
    floor.hear(
        Asked.LOOKUP,
        "a",
        story=story(acked("a"), bust(1), execution(2, 6, 10), end, cumulative=6),
    )

    assert floor.state() is S.CANCELED
    assert floor.row().filled == 6
    floor.session.take()
    floor.later(60.0)
    assert floor.session.of(LookUp) == []
