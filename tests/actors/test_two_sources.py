"""Fills from the stream and from the polled list: each booked once, and all of them."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from holdfast_actors.executions import CORRECTABLE, Executions
from holdfast_actors.requests import Asked, AskGap, AskGapAgain, How, LookUp
from holdfast_actors.resolver import Patience
from holdfast_domain import events as ev
from holdfast_domain.money import Quantity
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import Ended, Executed

from .desk import T0_US, acked, filled, terms
from .floor import Floor
from .tellings import bust, execution

S = OrderState


# --- watermarks -----------------------------------------------------------------


def test_the_watermark_is_recorded_with_the_fills_that_it_covers() -> None:
    floor = Floor()
    floor.placed()

    floor.hear(Asked.GAP, "", execution(1, 4, 4), watermark="W1")

    assert floor.kinds()[-2:] == ["OrderFilled", "ExecutionsCovered"]
    floor.build()
    floor.up()
    assert floor.session.of(AskGap) == [AskGap("W1")]


def test_a_fill_of_the_stream_does_not_move_the_watermark() -> None:
    floor = Floor()
    floor.placed()

    # X1 was lost: to ask from X2 on would never find it.
    floor.hear(Asked.STREAM, "", execution(2, 4, 4))
    floor.up(2)

    assert floor.session.of(AskGap) == [AskGap("")]


def test_a_poll_that_shows_nothing_new_records_nothing() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.GAP, "", execution(1, 4, 4), watermark="W1")
    before = floor.kinds()

    floor.hear(Asked.GAP, "", execution(1, 4, 4), watermark="W1")

    assert floor.kinds() == before


def test_the_gap_is_asked_for_every_so_often_and_by_one_chain() -> None:
    floor = Floor(patience=Patience(gap_s=30.0))
    floor.up(1)
    floor.hear(Asked.GAP, "")
    floor.up(2)
    floor.hear(Asked.GAP, "")
    assert [pause for pause, _ in floor.timers.set] == [30.0, 30.0]
    floor.session.take()

    floor.later()

    assert floor.session.take() == [AskGap("")]


def test_a_timer_of_an_incarnation_before_asks_nothing() -> None:
    floor = Floor(patience=Patience(gap_s=30.0))
    floor.up()
    floor.hear(Asked.GAP, "")

    floor.build()
    floor.up()
    floor.session.take()
    floor.later()

    assert floor.session.take() == []


def test_a_gap_that_is_not_answered_is_asked_for_until_it_is() -> None:
    floor = Floor()
    floor.up()

    pauses = []
    for _ in range(3):
        floor.hear(Asked.GAP, "", how=How.UNKNOWN)
        pauses += floor.later()
    floor.hear(Asked.GAP, "")

    assert pauses == [1.0, 2.0, 4.0]
    assert floor.timers.set == []
    assert len(floor.session.of(AskGap)) == 4


def test_a_venue_that_does_not_know_its_word_any_more_is_asked_for_all() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.GAP, "", execution(1, 4, 4), watermark="W1")
    floor.up(2)

    floor.hear(Asked.GAP, "", how=How.REFUSED)
    floor.later()
    floor.hear(Asked.GAP, "", execution(1, 4, 4), watermark="W9")

    assert floor.session.of(AskGap) == [AskGap("W1"), AskGap("")]
    assert floor.row().filled == 4


def test_the_timer_names_who_set_it() -> None:
    floor = Floor(patience=Patience(gap_s=30.0))
    floor.up(7)
    floor.hear(Asked.GAP, "")

    assert floor.timers.set == [(30.0, AskGapAgain("paper", 1, 7))]


# --- completeness ---------------------------------------------------------------


def test_an_order_is_complete_when_its_fills_add_up_to_the_venues_count() -> None:
    floor = Floor()
    floor.placed()

    floor.hear(Asked.STREAM, "", execution(2, 6, 10))
    assert floor.state() is S.PARTIALLY_FILLED
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(Asked.GAP, "", execution(1, 4, 4), execution(2, 6, 10), watermark="W2")

    assert floor.state() is S.FILLED
    assert [each.complete for each in floor.events(ev.OrderFilled)] == [False, True]
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert floor.timers.set == []


def test_a_missing_fill_is_asked_for_until_it_is_there() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", execution(2, 3, 7))

    for _ in range(3):
        floor.hear(Asked.LOOKUP, "a", acked("a"), execution(2, 3, 7))
        floor.later()
    floor.hear(Asked.LOOKUP, "a", acked("a"), execution(1, 4, 4), execution(2, 3, 7))
    floor.session.take()
    floor.later()

    assert floor.row().filled == 7
    assert floor.session.take() == []


def test_an_end_is_taken_when_the_fills_before_it_are_there() -> None:
    floor = Floor()
    floor.placed()
    end = Ended(order_id="a", how="canceled", reason="", cumulative=Quantity.of(7))

    floor.hear(Asked.STREAM, "", execution(1, 4, 4), end)
    assert floor.state() is S.UNKNOWN
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(
        Asked.LOOKUP, "a", acked("a"), execution(1, 4, 4), execution(2, 3, 7), end
    )

    assert floor.state() is S.CANCELED
    assert floor.row().filled == 7


def test_an_end_without_a_fill_missing_is_taken_at_once() -> None:
    floor = Floor()
    floor.placed()
    end = Ended(order_id="a", how="expired", reason="", cumulative=Quantity.of(4))

    floor.hear(Asked.STREAM, "", execution(1, 4, 4), end)

    assert floor.state() is S.EXPIRED


FILLS = (execution(1, 2, 2), execution(2, 3, 5), execution(3, 5, 10))


@pytest.mark.parametrize("order", list(itertools.permutations(FILLS)))
@given(data=st.data())
def test_in_any_order_and_however_often_the_fills_are_booked_once(
    order: tuple[Executed, ...], data: st.DataObject
) -> None:
    floor = Floor()
    floor.placed()

    for event in order:
        for asked in data.draw(st.lists(st.sampled_from([Asked.STREAM, Asked.GAP]))):
            floor.hear(asked, "", event)
        floor.hear(Asked.STREAM, "", event)

    assert floor.row().filled == 10
    assert len(floor.events(ev.OrderFilled)) == 3
    assert floor.state() is S.FILLED


# --- what outlives a compaction -------------------------------------------------


def test_what_is_saved_keeps_everything_from_being_booked_again() -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.GAP, "", execution(1, 4, 4), bust(9), watermark="W1")

    saved = floor.orders._book.executions["paper"].saved()
    anew = Executions(saved)

    assert {"X1", "X9", "B1"} <= anew.ids.keys()
    assert anew.fill_of("X1") is not None
    assert anew.watermark == "W1"
    assert anew.saved() == saved


def test_old_fills_are_known_by_their_ids_alone() -> None:
    kept = Executions()
    first = filled("a", terms(), 1, 1, execution="F").fill

    kept.add(first)
    for number in range(2 * CORRECTABLE + 2):
        kept.add(replace(first, execution_id=str(number)))

    assert "F" in kept.ids
    assert kept.fill_of("F") is None
    assert kept.fill_of(str(2 * CORRECTABLE)) is not None
    assert Decimal(len(kept.saved().fills)) <= 2 * CORRECTABLE
