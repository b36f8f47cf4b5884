"""Legs of which a venue tells what nobody here has asked for."""

from __future__ import annotations

from holdfast_actors.requests import Asked, How, LookUp
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState as S, Side
from holdfast_domain.ports import Replaced

from .desk import T0_US, acked, ended, executed, story, terms
from .floor import Floor
from .test_order_lists import LEGS, decided


def test_a_size_that_the_venue_changes_by_itself_is_looked_up_and_believed() -> None:
    floor = decided()
    floor.hear(Asked.SUBMIT, "e", *[acked(name) for name in LEGS])
    floor.hear(Asked.STREAM, "", executed("e", 1, 4))
    smaller = terms(-4, limit=110)
    floor.session.take()

    floor.hear(Asked.STREAM, "", Replaced(order_id="p", terms=smaller))

    assert floor.session.take() == [LookUp("p", T0_US)]
    assert floor.row("p").terms.quantity.value == 10  # the stream may be late
    told = story(Replaced(order_id="p", terms=smaller), quantity=4, side=Side.SELL)
    floor.hear(Asked.LOOKUP, "p", story=told)
    assert floor.row("p").terms == smaller
    floor.hear(Asked.STREAM, "", executed("p", 2, 4, 110))
    assert floor.state("p") is S.FILLED


def test_what_the_venue_has_for_no_more_than_is_filled_has_ended() -> None:
    floor = decided()
    floor.hear(Asked.SUBMIT, "e", *[acked(name) for name in LEGS])
    floor.hear(Asked.STREAM, "", executed("e", 1, 4), executed("p", 2, 4, 110))
    smaller = Replaced(order_id="p", terms=terms(-4, limit=110))

    floor.hear(Asked.STREAM, "", smaller)
    told = story(smaller, quantity=4, side=Side.SELL)
    floor.hear(Asked.LOOKUP, "p", story=told)

    assert floor.state("p") is S.CANCELED
    (end,) = floor.events(ev.OrderCanceled)
    assert end.reason == "the venue has it for 4, which is filled"
    assert floor.session.of(LookUp) == [LookUp("p", T0_US)]


def test_a_size_that_is_not_told_is_no_other_order() -> None:
    floor = decided()
    floor.hear(Asked.SUBMIT, "e", how=How.UNKNOWN)

    told = story(acked("e"), ended("e"), quantity=0)
    floor.hear(Asked.LOOKUP, "e", story=told)

    assert floor.state("e") is S.CANCELED


def beyond() -> Floor:
    """Return `orders` whose exit has traded 10, where the entry has 4."""
    floor = decided()
    floor.hear(Asked.SUBMIT, "e", *[acked(name) for name in LEGS])
    floor.hear(Asked.STREAM, "", executed("e", 1, 4))
    floor.session.take()
    floor.hear(Asked.STREAM, "", executed("s", 2, 10, 90))
    return floor


def test_exits_that_traded_more_than_their_entry_call_a_person_once() -> None:
    floor = beyond()

    assert floor.session.take() == [LookUp("e", T0_US)]
    # What is answered now may have been asked before.
    floor.hear(Asked.LOOKUP, "e", story=story(acked("e"), executed("e", 1, 4)))
    assert not floor.called
    assert floor.later(1.0) == [1.0]
    assert floor.session.take() == [LookUp("e", T0_US)]
    floor.hear(Asked.LOOKUP, "e", story=story(acked("e"), executed("e", 1, 4)))

    why = "the exits of its list have traded 10, its entry 4"
    assert [each.why for each in floor.events(ev.AttentionNeeded)] == [why]
    assert floor.called == [f"order s: {why}"]
    floor.hear(Asked.LOOKUP, "e", story=story(acked("e"), executed("e", 1, 4)))
    assert len(floor.called) == 1


def test_an_entry_whose_fill_comes_late_calls_nobody() -> None:
    floor = beyond()

    told = [executed("e", 1, 4), executed("e", 3, 3), executed("e", 4, 3)]
    floor.hear(Asked.LOOKUP, "e", story=story(acked("e"), *told))

    assert not floor.called
    assert floor.states("e", "s") == [S.FILLED, S.FILLED]


def test_exits_that_trade_on_behind_an_entry_that_ended_call_a_person() -> None:
    floor = decided()
    floor.hear(Asked.SUBMIT, "e", *[acked(name) for name in LEGS])
    floor.hear(Asked.STREAM, "", executed("e", 1, 4), ended("e"))

    floor.hear(Asked.STREAM, "", executed("s", 2, 4, 90))
    assert not floor.called
    floor.hear(Asked.STREAM, "", executed("s", 3, 6, 90))

    assert floor.called == [
        "order s: the exits of its list have traded 10, its entry 4"
    ]


def test_the_next_process_calls_a_person_if_this_one_died_before() -> None:
    floor = beyond()

    floor.build()
    floor.up(2)
    floor.now_s += 1
    floor.hear(Asked.LOOKUP, "e", story=story(acked("e"), executed("e", 1, 4)))

    (call,) = floor.called
    assert call == "order s: the exits of its list have traded 10, its entry 4"
