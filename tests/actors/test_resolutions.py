"""A person's word on an order in doubt: taken as evidence, overruled by the venue."""

from __future__ import annotations

import pytest

from holdfast_actors.requests import Asked, Cancel, How, Resolve
from holdfast_actors.reservations import Reservations
from holdfast_domain import events as ev
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderState

from .desk import INSTRUMENTS, D, acked, capital, ended, executed, terms
from .floor import Floor

S = OrderState
NOT_PLACED = Resolve("a", None, None, "ann", "their page does not have it")


def filled(quantity: int, price: int = 99) -> Resolve:
    return Resolve("a", Quantity.of(quantity), Price.of(price), "ann", "their page")


def in_doubt() -> Floor:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms(10, limit=100)))
    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN)
    return floor


def test_a_person_says_that_an_order_was_not_placed() -> None:
    floor = in_doubt()

    assert floor.orders.handle(NOT_PLACED) == ""

    (word,) = floor.events(ev.OrderResolved)
    assert (word.by, word.outcome) == ("ann", "not_placed")
    assert floor.state() is S.NOT_PLACED


@pytest.mark.parametrize(
    ("quantity", "state"), [(10, S.FILLED), (4, S.CANCELED)], ids=["all", "a part"]
)
def test_a_person_says_what_was_filled_and_the_rest_has_ended(
    quantity: int, state: OrderState
) -> None:
    floor = in_doubt()

    assert floor.orders.handle(filled(quantity)) == ""

    (booked,) = floor.events(ev.OrderFilled)
    assert (booked.fill.quantity.value, booked.fill.price.value) == (D(quantity), D(99))
    assert booked.fill.execution_id == "person:a:1"
    assert floor.state() is state


def test_what_is_booked_already_is_not_booked_again() -> None:
    floor = in_doubt()
    floor.hear(Asked.STREAM, "", executed("a", 1, 3))
    floor.up(2)
    floor.journal.append(
        ev.OrderUnknown(order_id="a", strategy="one", why="by hand, for the test")
    )
    floor.build()

    assert floor.orders.handle(filled(10)) == ""

    assert [each.fill.quantity.value for each in floor.events(ev.OrderFilled)] == [3, 7]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (Resolve("b", None, None, "ann", "so"), "expected the id of an order, got 'b'"),
        (filled(11), "expected a quantity from 0 to 10, got 11"),
        (filled(0), "expected a quantity from 0 to 10, got 0"),
    ],
)
def test_a_word_that_cannot_be_is_refused_with_its_reason(
    message: Resolve, said: str
) -> None:
    floor = in_doubt()
    before = floor.kinds()

    assert said in str(floor.orders.handle(message))
    assert floor.kinds() == before


def test_only_an_unknown_order_can_be_resolved() -> None:
    floor = Floor()
    floor.placed()

    said = str(floor.orders.handle(NOT_PLACED))

    assert said == "a: expected an unknown order, was accepted"


def test_a_venue_that_speaks_later_overrules_that_it_was_not_placed() -> None:
    floor = in_doubt()
    floor.orders.handle(NOT_PLACED)

    floor.hear(Asked.STREAM, "", executed("a", 1, 4))

    assert floor.kinds()[-3:] == ["OrderResolved", "OrderReopened", "OrderFilled"]
    assert floor.state() is S.PARTIALLY_FILLED
    assert floor.row().left == 6


def test_a_venue_that_speaks_later_takes_back_what_a_person_said_was_filled() -> None:
    floor = in_doubt()
    floor.orders.handle(filled(10))

    floor.hear(Asked.STREAM, "", executed("a", 1, 6), ended("a"))

    (busted,) = floor.events(ev.FillBusted)
    assert busted.execution_id == "person:a:1"
    assert floor.row().filled == 6
    assert floor.state() is S.CANCELED
    floor.build()
    assert floor.row().filled == 6


def test_an_overruled_order_can_be_resolved_again() -> None:
    floor = in_doubt()
    floor.orders.handle(filled(4))
    floor.hear(Asked.STREAM, "", acked("a"))
    floor.journal.append(
        ev.OrderUnknown(order_id="a", strategy="one", why="by hand, for the test")
    )
    floor.build()

    assert floor.orders.handle(filled(5)) == ""

    ids = [each.fill.execution_id for each in floor.events(ev.OrderFilled)]
    assert ids == ["person:a:1", "person:a:2"]
    assert floor.row().filled == 5


def test_a_cancelled_order_that_never_left_and_is_there_is_cancelled_there() -> None:
    floor = Floor()
    floor.decide(1, ("a", terms()))
    floor.decide(2, cancels=("a",))
    floor.up()
    assert floor.state() is S.NOT_PLACED

    floor.hear(Asked.STREAM, "", acked("a"))

    assert floor.events(ev.OrderReopened)
    assert floor.state() is S.CANCEL_PENDING
    assert floor.session.of(Cancel) == [Cancel("a", 1)]


def test_a_rejection_agrees_with_not_placed() -> None:
    floor = in_doubt()
    floor.orders.handle(NOT_PLACED)

    floor.hear(Asked.STREAM, "", ended("a", "rejected"))

    assert floor.events(ev.OrderReopened) == []


def test_the_guard_sets_aside_again_what_was_reopened() -> None:
    floor = in_doubt()
    floor.orders.handle(filled(4))
    floor.hear(Asked.STREAM, "", executed("a", 1, 2))
    kept = Reservations(dict(INSTRUMENTS))

    for event in (capital("one", 1_000), *floor.journal):
        kept.apply(event)

    assert kept.open["a"].left == 8
    assert kept.accounts["one"].positions == {"SPY": 2}
    assert kept.accounts["one"].cash == 800
    assert kept.accounts["one"].reserved == kept.open["a"].money
