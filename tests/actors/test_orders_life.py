"""`orders`, called directly: fills, cancels and replacements."""

from __future__ import annotations

import pytest

from holdfast_actors.messages import (
    CancelOrder,
    Change,
    Readmit,
    Readmitted,
    Unchanged,
)
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    How,
    LookUp,
    Replace,
    Submit,
)
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState, OrderTerms
from holdfast_domain.ports import Replaced, VenuePromises

from .desk import T0_US, acked, ended, executed, terms
from .floor import Floor

S = OrderState


# --- fills --------------------------------------------------------------------


def test_an_execution_is_booked_once_from_however_many_sources() -> None:
    floor = Floor()
    floor.placed()

    for asked in (Asked.STREAM, Asked.LOOKUP, Asked.STREAM):
        floor.hear(asked, "a", executed("a", 1, 4))
    floor.build()
    floor.up()
    floor.hear(Asked.STREAM, "", executed("a", 1, 4))

    assert floor.kinds().count("OrderFilled") == 1
    assert floor.row().filled == 4


@pytest.mark.parametrize("how", ["canceled", "expired"])
def test_a_fill_that_comes_after_the_end_is_booked_and_the_end_stays(how: str) -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", ended("a", how))
    before = floor.state()

    floor.hear(Asked.STREAM, "", executed("a", 1, 4))

    assert floor.kinds()[-1] == "OrderFilled"
    assert floor.row().filled == 4
    assert floor.state() is before


def test_an_overfill_is_booked() -> None:
    floor = Floor()
    floor.placed()

    floor.hear(Asked.STREAM, "", executed("a", 1, 10), executed("a", 2, 5))

    assert floor.row().filled == 15
    assert floor.row().left == 0
    assert floor.state() is S.FILLED


def test_a_fill_of_a_rejected_order_is_booked() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.REFUSED)

    floor.hear(Asked.STREAM, "", executed("a", 1, 10))

    assert floor.row().filled == 10
    assert floor.kinds()[-1] == "OrderFilled"


def test_a_second_end_says_nothing_new() -> None:
    floor = Floor()
    floor.placed()

    for how in ("canceled", "expired", "rejected"):
        floor.hear(Asked.STREAM, "", ended("a", how))

    assert floor.state() is S.CANCELED
    assert floor.kinds().count("OrderExpired") == 0


# --- cancels ------------------------------------------------------------------


def test_an_order_that_waits_is_cancelled_without_the_venue() -> None:
    floor = Floor()
    floor.decide(1, ("a", terms()))

    floor.decide(2, cancels=("a",))
    floor.up()

    assert floor.state() is S.NOT_PLACED
    assert floor.session.of(Submit) == []
    assert floor.session.of(Cancel) == []


def test_an_order_that_was_not_sent_is_cancelled_without_the_venue() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)

    floor.decide(2, cancels=("a",))
    floor.orders.handle(Readmitted("a", "", 0))

    assert floor.state() is S.NOT_PLACED
    assert len(floor.session.of(Submit)) == 1


@pytest.mark.parametrize("dies", [False, True])
def test_an_order_on_its_way_is_cancelled_when_the_venue_has_it(dies: bool) -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms(limit=1)))

    floor.decide(2, cancels=("a",))
    assert floor.session.of(Cancel) == []
    if dies:
        floor.build()
        floor.up()
    floor.hear(Asked.SUBMIT, "a", acked("a"))

    assert floor.session.of(Cancel) == [Cancel("a", 1)]
    assert floor.state() is S.CANCEL_PENDING
    floor.hear(Asked.CANCEL, "a", ended("a"))
    assert floor.state() is S.CANCELED


def test_a_cancelled_order_that_never_left_is_not_sent_again() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.decide(2, cancels=("a",))

    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)

    assert floor.state() is S.NOT_PLACED
    assert floor.guard.of(Readmit) == []


def test_a_working_order_is_cancelled_once() -> None:
    floor = Floor()
    floor.placed()

    floor.decide(2, cancels=("a",))
    floor.orders.handle(CancelOrder("a", "somebody"))

    assert floor.session.take() == [Cancel("a", 1)]
    assert floor.kinds().count("CancelRequested") == 1


def test_a_person_may_cancel() -> None:
    floor = Floor()
    floor.placed()

    floor.orders.handle(CancelOrder("a", "somebody"))

    (asked,) = [each for each in floor.journal if isinstance(each, ev.CancelRequested)]
    assert asked.by == "somebody"


@pytest.mark.parametrize("order_id", ["a", "stranger"])
def test_a_cancel_of_what_is_not_open_does_nothing(order_id: str) -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", executed("a", 1, 10))
    before = floor.kinds()

    floor.orders.handle(CancelOrder(order_id, "somebody"))

    assert floor.kinds() == before
    assert floor.session.take() == []


def test_a_cancel_may_be_asked_for_in_doubt_and_again_when_it_is_over() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms(limit=1)))
    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN)

    floor.decide(2, cancels=("a",))
    assert floor.session.of(Cancel) == [Cancel("a", 1)]
    assert floor.state() is S.UNKNOWN
    floor.build()
    floor.up()
    floor.hear(Asked.LOOKUP, "a", acked("a"))

    assert floor.session.of(Cancel) == [Cancel("a", 1)]


def test_a_refused_cancel_leaves_the_order_working_and_asks_what_became_of_it() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    floor.session.take()

    floor.hear(Asked.CANCEL, "a", how=How.REFUSED)
    assert floor.state() is S.ACCEPTED
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(Asked.LOOKUP, "a", acked("a"), executed("a", 1, 10))

    assert floor.state() is S.FILLED


def test_a_cancel_that_was_not_sent_is_tried_again() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    floor.session.take()

    floor.hear(Asked.CANCEL, "a", how=How.NOT_SENT)
    assert floor.state() is S.CANCEL_PENDING

    assert floor.later() == [1.0]
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert floor.session.take() == [Cancel("a", 1)]


def test_a_cancel_that_a_dead_session_took_is_asked_for_again() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    floor.session.take()

    floor.up(2)

    assert floor.session.take() == [LookUp("a", T0_US), AskGap("")]
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert floor.session.take() == [Cancel("a", 2)]


def test_a_cancel_in_doubt_is_asked_for_again_when_the_venue_has_the_order() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    floor.hear(Asked.CANCEL, "a", how=How.UNKNOWN)
    floor.session.take()

    floor.hear(Asked.LOOKUP, "a", acked("a"))

    assert floor.session.take() == [Cancel("a", 1)]


# --- replacements -------------------------------------------------------------

NEW = terms(8, limit=101)


def change_to(wanted: OrderTerms, order_id: str = "a") -> tuple[Change, ...]:
    return (Change(order_id, wanted),)


def test_new_terms_hold_when_the_venue_has_taken_them() -> None:
    floor = Floor()
    floor.placed()

    floor.decide(2, changes=change_to(NEW))
    assert floor.session.take() == [Replace("a", NEW, 1)]
    assert floor.row().terms == terms(limit=100)
    floor.hear(Asked.REPLACE, "a", Replaced(order_id="a", terms=NEW))

    assert floor.state() is S.ACCEPTED
    assert floor.row().terms == NEW


@pytest.mark.parametrize("how", [How.REFUSED, How.NOT_SENT])
def test_new_terms_that_were_refused_leave_the_old(how: How) -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, changes=change_to(NEW))

    floor.hear(Asked.REPLACE, "a", how=how)

    assert floor.state() is S.ACCEPTED
    assert floor.row().terms == terms(limit=100)


def test_new_terms_in_doubt_stay_pending_until_the_venue_shows_them() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, changes=change_to(NEW))
    floor.session.take()

    floor.hear(Asked.REPLACE, "a", how=How.UNKNOWN)
    assert floor.state() is S.REPLACE_PENDING
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(Asked.LOOKUP, "a", acked("a"), Replaced(order_id="a", terms=NEW))

    assert floor.state() is S.ACCEPTED
    assert floor.row().terms == NEW


def test_new_terms_that_the_venue_never_got_are_asked_for_again_after_its_bound() -> (
    None
):
    slow = VenuePromises(proves_absence=True, processing_bound_s=5.0)
    floor = Floor(promises=slow)
    floor.placed()
    floor.decide(2, changes=change_to(NEW))
    floor.hear(Asked.REPLACE, "a", how=How.UNKNOWN)
    floor.session.take()

    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert floor.session.take() == []
    floor.later(5.0)
    floor.hear(Asked.LOOKUP, "a", acked("a"))

    assert floor.session.take() == [LookUp("a", T0_US), Replace("a", NEW, 1)]
    assert floor.state() is S.REPLACE_PENDING


def test_new_terms_that_died_with_their_session_are_asked_for_again() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, changes=change_to(NEW))
    floor.session.take()

    floor.build()
    floor.up(2)
    assert floor.session.of(Replace) == []
    floor.hear(Asked.LOOKUP, "a", acked("a"))

    assert floor.session.of(Replace) == [Replace("a", NEW, 2)]
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    assert len(floor.session.of(Replace)) == 1


def test_new_terms_that_a_dead_session_had_placed_are_not_asked_for_again() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, changes=change_to(NEW))

    floor.up(2)
    floor.session.take()
    old = Replaced(order_id="a", terms=terms(3, limit=99))
    floor.hear(Asked.LOOKUP, "a", acked("a"), old, Replaced(order_id="a", terms=NEW))

    assert floor.row().terms == NEW
    assert floor.state() is S.ACCEPTED
    assert floor.session.take() == []
    assert floor.kinds().count("OrderReplaced") == 1


def test_an_order_on_its_way_cannot_be_changed_and_the_guard_is_told() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms(limit=100)))

    floor.decide(2, changes=change_to(NEW))

    assert floor.guard.of(Unchanged) == [Unchanged("a")]
    assert floor.session.of(Replace) == []
    (refused,) = floor.events(ev.ChangeRefused)
    assert "was sent" in refused.reason


def test_a_change_that_the_guard_refused_is_not_passed_on() -> None:
    floor = Floor()
    floor.placed()

    floor.decide(2, changes=change_to(NEW), refused="not enough cash")

    assert floor.session.take() == []
    assert floor.guard.of(Unchanged) == []
    assert floor.state() is S.ACCEPTED


def test_an_order_whose_change_is_under_way_can_be_cancelled() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, changes=change_to(NEW))

    floor.decide(3, cancels=("a",))
    assert floor.state() is S.CANCEL_PENDING
    floor.hear(Asked.REPLACE, "a", Replaced(order_id="a", terms=NEW))
    assert floor.state() is S.CANCEL_PENDING
    floor.hear(Asked.CANCEL, "a", how=How.REFUSED)

    assert floor.row().terms == NEW
