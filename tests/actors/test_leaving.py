"""Orders leave as they were meant, whoever dies."""

from __future__ import annotations

import pytest

from holdfast_actors.messages import Change, Readmit, Readmitted
from holdfast_actors.orderbook import OrderBook
from holdfast_actors.requests import (
    GATES,
    Asked,
    Cancel,
    How,
    Replace,
    Submit,
    TryAgain,
)
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import VenuePromises

from .desk import acked, intended, terms
from .floor import Floor


def submitted(floor: Floor) -> list[str]:
    """Return which orders were given to the session since the last look."""
    told = floor.session.take()
    return [each.order.order_id for each in told if isinstance(each, Submit)]


def restarted(*, before_up: bool = False, in_step: bool = True) -> Floor:
    """Return the `Orders` after a death with ``a`` on its way; ``b`` came after it."""
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()))
    floor.build()
    if before_up:
        floor.decide(1, ("b", terms()), strategy="two")
    floor.up(2, in_step=in_step)
    if not before_up:
        floor.decide(1, ("b", terms()), strategy="two")
    return floor


def readmit(floor: Floor, order_id: str, reason: str = "") -> None:
    """Let the guard answer; it was asked."""
    assert order_id in [each.order_id for each in floor.guard.of(Readmit)]
    floor.orders.handle(Readmitted(order_id, reason, 0))


def test_a_later_order_waits_until_one_in_doubt_is_asked_about_and_out_again() -> None:
    for before_up in (False, True):
        floor = restarted(before_up=before_up)
        assert submitted(floor) == []
        floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
        assert submitted(floor) == []
        readmit(floor, "a")
        assert submitted(floor) == ["a", "b"]


def test_where_time_goes_on_it_waits_for_no_other_instrument() -> None:
    floor = restarted(in_step=False)
    floor.decide(2, ("c", terms(instrument="QQQ")), strategy="two")
    assert submitted(floor) == ["c"]


def test_an_order_of_another_instrument_waits_too() -> None:
    floor = restarted()
    floor.decide(2, ("c", terms(instrument="QQQ")), strategy="two")
    assert submitted(floor) == []
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert submitted(floor) == ["b", "c"]


def test_what_is_asked_about_a_cancel_keeps_its_place() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, ("b", terms()), cancels=("a",))
    floor.session.take()
    floor.up(2)
    floor.hear(Asked.SUBMIT, "b", how=How.NOT_SENT, reason=GATES[0])
    readmit(floor, "b")
    assert submitted(floor) == []

    floor.hear(Asked.LOOKUP, "a", acked("a"))

    assert [type(each) for each in floor.session.take()][-2:] == [Cancel, Submit]


def test_it_waits_for_the_first_answer_alone() -> None:
    floor = restarted()
    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
    assert submitted(floor) == ["b"]
    assert floor.state("a") is OrderState.UNKNOWN


def test_it_leaves_when_the_first_is_found() -> None:
    floor = restarted()
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert submitted(floor) == ["b"]


def test_it_leaves_when_the_guard_gives_the_first_up() -> None:
    floor = restarted()
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    readmit(floor, "a", "halted")
    assert submitted(floor) == ["b"]


def test_it_leaves_when_the_first_is_canceled() -> None:
    floor = restarted()
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    floor.decide(2, cancels=("a",))
    assert floor.state("a") is OrderState.NOT_PLACED
    assert submitted(floor) == ["b"]


def test_what_a_gate_held_back_keeps_its_place_behind_one_in_doubt() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()), ("b", terms()))
    floor.up(2)
    submitted(floor)
    # The session that died had taken the first; the new one holds back the second.
    floor.hear(Asked.SUBMIT, "b", how=How.NOT_SENT, reason=GATES[0])
    readmit(floor, "b")
    assert submitted(floor) == []
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    floor.hear(Asked.LOOKUP, "b", how=How.ABSENT)
    readmit(floor, "a")
    assert submitted(floor) == ["a", "b"]


def test_what_pauses_holds_up_nobody() -> None:
    floor = restarted()
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    readmit(floor, "a")
    assert submitted(floor) == ["a", "b"]
    floor.decide(2, ("c", terms()), strategy="two")
    floor.hear(Asked.SUBMIT, "b", acked("b"))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT, reason="the line is down")
    floor.decide(3, ("d", terms()), strategy="two")
    assert submitted(floor) == ["c", "d"]
    assert floor.timers.set[-1][0] == floor.patience.first_s


def test_what_pauses_goes_out_by_the_next_connection() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()), ("b", terms()))
    for order_id in ("a", "b", "a", "b"):
        floor.hear(Asked.SUBMIT, order_id, how=How.NOT_SENT, reason="the line is down")
        if floor.guard.of(Readmit):
            readmit(floor, order_id)
        floor.guard.take()
    assert floor.state("a") is floor.state("b") is OrderState.NOT_SENT
    submitted(floor)

    floor.up(2)

    floor.decide(1, ("c", terms()), strategy="two")
    assert submitted(floor) == []
    readmit(floor, "b")
    assert submitted(floor) == []
    readmit(floor, "a")
    assert submitted(floor) == ["a", "b", "c"]


def test_a_place_does_not_depend_on_the_rows_that_are_there() -> None:
    book, anew = OrderBook(), OrderBook()
    for name in ("a", "b"):
        book.apply(intended(name, terms()))
    del book.rows["a"]

    anew.load(book.save())
    anew.apply(intended("c", terms()))

    assert {name: row.place for name, row in anew.rows.items()} == {"b": 1, "c": 2}


# --- a venue that wants to hear nothing ----------------------------------------


def test_while_the_venue_listens_to_nobody_orders_wait_as_rows() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT, again_s=60.0)
    floor.decide(2, ("b", terms(instrument="QQQ")))

    assert submitted(floor) == ["a"]
    assert floor.states("a", "b") == [OrderState.NOT_SENT, OrderState.INTENT]
    assert floor.guard.of(Readmit) == []
    floor.later(60.0)
    readmit(floor, "a")
    assert submitted(floor) == ["b", "a"]


def test_a_new_session_may_be_sent_to_at_once() -> None:
    floor = Floor()
    floor.up(1)
    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN, again_s=60.0)
    floor.decide(1, ("b", terms()))
    assert submitted(floor) == []

    floor.up(2)

    assert submitted(floor) == ["b"]


def test_questions_and_cancels_wait_as_long() -> None:
    floor = Floor()
    floor.placed("a")
    floor.decide(2, cancels=("a",))

    floor.hear(Asked.CANCEL, "a", how=How.NOT_SENT, again_s=60.0)
    floor.hear(Asked.GAP, "", how=How.UNKNOWN, again_s=90.0)

    assert sorted(floor.later()) == [60.0, 60.0, 90.0, 90.0]


@pytest.mark.parametrize("is_new", [False, True])
def test_a_second_try_waits_unless_it_is_over_a_new_connection(is_new: bool) -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms(1)))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)
    floor.orders.handle(Readmitted("a", "", 0))
    if is_new:
        floor.up(2)
    floor.timers.set.clear()
    floor.guard.take()

    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)

    waits = [m for _, m in floor.timers.set if isinstance(m, TryAgain)]
    assert len(waits) == (0 if is_new else 1)
    assert len(floor.guard.of(Readmit)) == (1 if is_new else 0)


NEW = terms(limit=101)
SLOW = VenuePromises(proves_absence=True, processing_bound_s=5.0)


@pytest.mark.parametrize("asked", [Asked.CANCEL, Asked.REPLACE])
def test_what_was_meant_for_a_dead_session_is_not_refused(asked: Asked) -> None:
    floor = Floor(promises=SLOW)
    floor.placed()
    is_cancel = asked is Asked.CANCEL
    changes = () if is_cancel else (Change("a", NEW),)
    floor.decide(2, cancels=("a",) if is_cancel else (), changes=changes)
    floor.up(2)
    floor.session.take()

    floor.hear(asked, "a", how=How.NOT_SENT, reason=GATES[0])
    floor.hear(Asked.LOOKUP, "a", acked("a"))

    again = Cancel("a", 2) if is_cancel else Replace("a", NEW, 2)
    assert floor.session.take() == [again]
    assert "ReplaceRefused" not in floor.kinds()


def test_new_terms_that_left_after_all_are_in_doubt_as_any_are() -> None:
    floor = Floor(promises=SLOW)
    floor.placed()
    floor.decide(2, changes=(Change("a", NEW),))
    floor.up(2)
    floor.hear(Asked.REPLACE, "a", how=How.NOT_SENT, reason=GATES[0])
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    floor.session.take()

    floor.hear(Asked.REPLACE, "a", how=How.UNKNOWN)
    floor.hear(Asked.LOOKUP, "a", acked("a"))

    assert floor.session.of(Replace) == []
    floor.later(5.0)
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert floor.session.of(Replace) == [Replace("a", NEW, 2)]
