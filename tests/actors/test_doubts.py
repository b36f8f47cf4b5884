"""`orders` in doubt: what proves what, how it is asked for ever, whom it calls."""

from __future__ import annotations

import pytest

from holdfast_actors.messages import CancelOrder, Readmit, Readmitted
from holdfast_actors.requests import Asked, Cancel, How, LookUp, Submit, TryAgain
from holdfast_actors.resolver import Patience
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState, Side
from holdfast_domain.ports import Busted, Found, VenueEvent, VenuePromises

from .desk import T0_US, acked, ended, executed, story, terms
from .floor import Floor

S = OrderState
SLOW = VenuePromises(proves_absence=True, processing_bound_s=5.0)
SILENT = VenuePromises(proves_absence=False, processing_bound_s=5.0)


def in_doubt(
    promises: VenuePromises = SLOW,
    patience: Patience = Patience(),  # noqa: B008
) -> Floor:
    """Return a floor whose order has left, without an answer."""
    floor = Floor(promises=promises, patience=patience)
    floor.up()
    floor.decide(1, ("a", terms(10, limit=100)))
    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN, reason="no answer within 30 s")
    floor.session.take()
    return floor


# --- absence --------------------------------------------------------------------


def test_not_found_is_no_proof_before_the_venue_must_have_processed_it() -> None:
    floor = in_doubt()

    floor.now_s += 4.9
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    assert floor.state() is S.UNKNOWN
    assert floor.guard.of(Readmit) == []
    floor.now_s += 0.1
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)

    assert floor.state() is S.NOT_SENT
    assert [each.order_id for each in floor.guard.of(Readmit)] == ["a"]


def test_the_next_question_is_one_that_can_prove_something() -> None:
    floor = in_doubt()
    floor.now_s += 1.0

    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)

    ((pause_s, _),) = floor.timers.set
    assert pause_s == pytest.approx(4.0)


def test_the_bound_counts_anew_from_a_rebuild() -> None:
    floor = in_doubt()
    floor.now_s += 100.0

    floor.build()
    floor.up()
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)

    assert floor.state() is S.UNKNOWN


def test_where_a_venue_proves_no_absence_not_found_never_ends_the_doubt() -> None:
    floor = in_doubt(SILENT)

    for _ in range(20):
        floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
        floor.later(60.0)

    assert floor.state() is S.UNKNOWN
    assert len(floor.session.of(LookUp)) == 20
    assert floor.session.of(Submit) == []


def test_a_failed_lookup_proves_nothing_however_often() -> None:
    floor = in_doubt()

    for _ in range(30):
        floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
        floor.later(60.0)

    assert floor.state() is S.UNKNOWN
    assert floor.session.of(Submit) == []


def test_a_submit_that_its_session_did_not_send_is_a_proof_in_doubt_too() -> None:
    floor = Floor(promises=SILENT)
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.build()
    assert floor.state() is S.UNKNOWN

    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)
    floor.up()
    floor.hear(Asked.GAP, "")

    assert floor.state() is S.NOT_SENT


def test_an_answer_without_a_word_of_the_order_is_a_doubt() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))

    floor.hear(Asked.SUBMIT, "a")

    assert floor.state() is S.UNKNOWN
    assert floor.session.of(LookUp) == [LookUp("a", T0_US)]


X1 = executed("a", 1, 4)
BUST = Busted(order_id="a", execution_id="X1", correction_id="B1", reason="error")


@pytest.mark.parametrize(
    ("told", "state"), [([], S.REJECTED), ([X1], S.CANCELED), ([X1, BUST], S.CANCELED)]
)
def test_a_rejection_of_what_has_traded_is_the_end_of_its_rest(
    told: list[VenueEvent], state: OrderState
) -> None:
    floor = Floor()
    floor.placed()

    floor.hear(Asked.STREAM, "", *told, ended("a", "rejected", "out of the blue"))

    assert (floor.state(), floor.row().reason) == (state, "out of the blue")


# --- what is found --------------------------------------------------------------

STRANGERS = {
    "instrument": story(acked("a"), instrument="QQQ"),
    "side": story(acked("a"), side=Side.SELL),
    "quantity": story(acked("a"), quantity=11),
    "time": story(acked("a"), placed_at_us=T0_US - 2_000_001),
}


@pytest.mark.parametrize("found", STRANGERS.values(), ids=STRANGERS)
def test_an_order_that_cannot_be_ours_is_no_evidence(found: Found) -> None:
    skewed = VenuePromises(
        proves_absence=True, processing_bound_s=0.0, clock_skew_s=2.0
    )
    floor = in_doubt(skewed)

    for _ in range(2):
        floor.hear(Asked.LOOKUP, "a", story=found)

    assert floor.state() is S.UNKNOWN
    assert len(floor.events(ev.StrayEvidence)) == 1
    assert len(floor.timers.set) == 1


def test_an_order_within_the_clocks_skew_is_ours() -> None:
    skewed = VenuePromises(
        proves_absence=True, processing_bound_s=0.0, clock_skew_s=2.0
    )
    floor = in_doubt(skewed)

    floor.hear(
        Asked.LOOKUP, "a", story=story(acked("a"), placed_at_us=T0_US - 2_000_000)
    )

    assert floor.state() is S.ACCEPTED


# --- what could not leave -------------------------------------------------------


def test_what_cannot_leave_is_tried_ever_more_slowly() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    pauses = []

    for _ in range(4):
        floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)
        pauses += floor.later()
        floor.orders.handle(Readmitted("a", "", 0))

    assert pauses == [1.0, 2.0, 4.0]
    assert len(floor.session.of(Submit)) == 5


def test_a_cancel_while_it_waits_to_be_tried_again_ends_it() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)

    floor.orders.handle(CancelOrder("a", "ann"))
    floor.orders.handle(TryAgain("a"))

    (given_up,) = floor.events(ev.OrderNotPlaced)
    assert given_up.canceled
    assert len(floor.guard.of(Readmit)) == 1


# --- a person -------------------------------------------------------------------


def test_a_person_is_called_after_so_many_tries_and_once() -> None:
    patience = Patience(call_after_tries=3, call_after_s=1e9)
    floor = in_doubt(patience=patience)

    called = []
    for _ in range(5):
        floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
        called.append(len(floor.called))
        floor.later()

    assert called == [0, 0, 1, 1, 1]
    (needed,) = floor.events(ev.AttentionNeeded)
    assert (needed.order_id, needed.tries) == ("a", 3)
    assert floor.row().called


def test_a_person_is_called_after_so_long() -> None:
    floor = in_doubt(patience=Patience(call_after_tries=10**6, call_after_s=90.0))

    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
    floor.later(89.0)
    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
    assert floor.called == []
    floor.later(1.0)
    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)

    assert len(floor.called) == 1


def test_a_restart_does_not_call_again_and_a_new_doubt_does() -> None:
    patience = Patience(call_after_tries=1)
    floor = in_doubt(patience=patience)
    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)

    floor.build()
    floor.up()
    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
    assert len(floor.events(ev.AttentionNeeded)) == 1
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    floor.decide(2, cancels=("a",))
    floor.hear(Asked.CANCEL, "a", how=How.UNKNOWN)

    assert len(floor.events(ev.AttentionNeeded)) == 2


# --- cancels --------------------------------------------------------------------


def test_a_cancel_without_an_outcome_leaves_the_order_and_is_looked_up() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    floor.session.take()

    floor.hear(Asked.CANCEL, "a", how=How.UNKNOWN)
    assert floor.state() is S.CANCEL_PENDING
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(Asked.LOOKUP, "a", acked("a"), ended("a"))

    assert floor.state() is S.CANCELED


def test_a_cancel_that_never_succeeds_is_asked_for_ever_more_slowly() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    pauses = []

    for _ in range(4):
        floor.hear(Asked.CANCEL, "a", how=How.UNKNOWN)
        pauses += floor.later()
        floor.hear(Asked.LOOKUP, "a", acked("a"))

    # The first time at once; then each question waits for its timer.
    assert pauses == [1.0, 2.0, 4.0]
    assert floor.state() is S.CANCEL_PENDING
    assert len(floor.session.of(LookUp)) == 4
    assert len(floor.session.of(Cancel)) == 5


@pytest.mark.parametrize("how", [How.REFUSED, How.NOT_SENT])
def test_a_partly_filled_order_is_so_again_after_a_refused_request(how: How) -> None:
    floor = Floor()
    floor.placed()
    floor.hear(Asked.STREAM, "", executed("a", 1, 4))
    floor.decide(2, cancels=("a",))

    floor.hear(Asked.CANCEL, "a", how=how)
    floor.hear(Asked.CANCEL, "a", how=How.REFUSED)

    assert floor.state() is S.PARTIALLY_FILLED


# --- what was said to the incarnation before ------------------------------------


@pytest.mark.parametrize("how", [How.NOT_SENT, How.REFUSED, How.UNKNOWN])
def test_the_end_of_a_submit_is_not_taken_for_that_of_the_next(how: How) -> None:
    """It is kept until the list of executions is there, and meanwhile outlived."""
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.build()
    floor.hear(Asked.SUBMIT, "a", how=how)
    floor.up()
    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    floor.orders.handle(Readmitted("a", "", 0))
    assert floor.session.of(Submit)

    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN)
    floor.guard.take()
    floor.hear(Asked.GAP, "", watermark="W")

    assert floor.state() is OrderState.UNKNOWN
    assert floor.guard.of(Readmit) == []


def test_the_end_of_a_submit_counts_if_nothing_left_since() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.build()
    floor.hear(Asked.SUBMIT, "a", how=How.REFUSED)
    floor.up()

    floor.hear(Asked.GAP, "", watermark="W")

    assert floor.state() is OrderState.REJECTED
