"""`orders`, called directly: decisions, failures of requests, sessions that die."""

from __future__ import annotations

from holdfast_actors.messages import (
    CaughtUp,
    Missed,
    Readmit,
    Readmitted,
    Resend,
)
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Greet,
    How,
    LookUp,
    LookUpAgain,
    Submit,
)
from holdfast_actors.sending import WINDOW
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState

from .desk import T0_US, acked, ended, executed, terms
from .floor import Floor

S = OrderState


# --- decisions ----------------------------------------------------------------


def test_an_order_goes_its_way_from_intent_to_filled() -> None:
    floor = Floor()
    floor.up()

    floor.decide(1, ("a", terms(10)))
    assert floor.state() is S.SENT
    floor.hear(Asked.SUBMIT, "a", acked("a"))
    assert floor.state() is S.ACCEPTED
    floor.hear(Asked.STREAM, "", executed("a", 1, 4))
    assert floor.state() is S.PARTIALLY_FILLED
    floor.hear(Asked.STREAM, "", executed("a", 2, 6))

    assert floor.state() is S.FILLED
    assert floor.kinds() == [
        "DecisionMade",
        "OrderIntended",
        "OrderAccepted",
        "OrderFilled",
        "OrderFilled",
    ]
    fills = [each for each in floor.journal if isinstance(each, ev.OrderFilled)]
    assert [each.complete for each in fills] == [False, True]


def test_before_a_session_is_up_nothing_is_sent() -> None:
    floor = Floor()

    floor.decide(1, ("a", terms()))
    assert floor.session.of(Submit) == []
    assert floor.state() is S.INTENT
    floor.up()

    (sent,) = floor.session.of(Submit)
    assert (sent.order.order_id, sent.session) == ("a", 1)


def test_what_the_guard_refused_is_journaled_and_never_sent() -> None:
    floor = Floor()
    floor.up()

    floor.decide(1, ("a", terms()), refused="not enough cash")

    assert floor.state() is S.REFUSED
    assert floor.kinds() == ["DecisionMade", "OrderRefused"]
    assert floor.session.of(Submit) == []


def test_a_decision_is_taken_once() -> None:
    floor = Floor()
    floor.up()

    for _ in range(2):
        floor.decide(1, ("a", terms()))

    assert floor.kinds() == ["DecisionMade", "OrderIntended"]
    assert len(floor.session.of(Submit)) == 1


def test_a_decision_that_skips_one_is_not_taken_and_the_missing_one_asked_for() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1)
    floor.one.take()

    floor.decide(3, ("c", terms()))

    assert floor.one.take() == [Resend(1, 0)]
    assert floor.kinds() == ["DecisionMade"]
    floor.decide(2, ("b", terms()))
    floor.decide(3, ("c", terms()))
    assert [each.order.order_id for each in floor.session.of(Submit)] == ["b", "c"]


def test_a_new_incarnation_asks_all_strategies_for_what_it_does_not_have() -> None:
    floor = Floor()
    floor.decide(1)
    floor.decide(2)

    floor.build()

    # Up to record 2 the journal is durable, whoever may not have been told.
    assert floor.one.told == [Resend(2, 2)]
    assert floor.two.told == [Resend(0, 2)]
    assert floor.session.told == [Greet()]


def test_a_guard_that_missed_a_decision_has_it_asked_for_again() -> None:
    floor = Floor()
    floor.decide(1)
    floor.one.take()
    floor.two.take()

    floor.orders.handle(Missed("one"))
    assert (floor.one.take(), floor.two.take()) == ([Resend(1, 0)], [])
    floor.orders.handle(Missed())

    assert (floor.one.take(), floor.two.take()) == ([Resend(1, 0)], [Resend(0, 0)])


def test_a_guard_is_told_when_all_that_was_passed_before_it_is_durable() -> None:
    floor = Floor()
    assert floor.guard.take() == []

    floor.orders.handle(Missed(number=2))
    assert floor.guard.take() == [CaughtUp(2)]

    floor.build()
    assert floor.guard.take() == [CaughtUp()]


def test_no_more_than_a_window_is_in_flight() -> None:
    floor = Floor()
    floor.up()
    many = [(f"{at:03}", terms(limit=1)) for at in range(WINDOW + 3)]

    floor.decide(1, *many)
    assert len(floor.session.of(Submit)) == WINDOW
    floor.hear(Asked.SUBMIT, "000", acked("000"))
    floor.hear(Asked.SUBMIT, "001", how=How.REFUSED)

    ids = [each.order.order_id for each in floor.session.of(Submit)]
    assert ids == [f"{at:03}" for at in range(WINDOW + 2)]


# --- three ways to fail -------------------------------------------------------


def test_an_order_that_the_venue_refused_does_not_exist() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))

    floor.hear(Asked.SUBMIT, "a", how=How.REFUSED, reason="no such symbol")

    assert floor.state() is S.REJECTED
    assert floor.row().reason == "no such symbol"


def test_an_order_that_was_not_sent_goes_out_again_under_the_same_id() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.session.take()

    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)
    assert floor.state() is S.NOT_SENT
    (question,) = floor.guard.of(Readmit)
    assert floor.session.of(Submit) == []
    floor.orders.handle(Readmitted(question.order_id, "", 3))

    (sent,) = floor.session.of(Submit)
    assert (sent.order.order_id, sent.generation) == ("a", 3)
    assert floor.state() is S.SENT


def test_an_order_that_the_guard_does_not_readmit_is_given_up() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)

    floor.orders.handle(Readmitted("a", "halted: lunch", 1))

    assert floor.state() is S.NOT_PLACED
    assert floor.row().reason == "halted: lunch"
    assert len(floor.session.of(Submit)) == 1


def test_an_unknown_order_is_looked_up_and_never_sent_again() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))

    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN)
    assert floor.state() is S.UNKNOWN
    for delay_s in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
        assert floor.timers.set.pop() == (delay_s, LookUpAgain("a"))
        floor.orders.handle(LookUpAgain("a"))

    assert floor.state() is S.UNKNOWN
    assert len(floor.session.of(LookUp)) == 9
    assert len(floor.session.of(Submit)) == 1
    assert floor.guard.of(Readmit) == []


def test_a_lookup_of_a_working_order_is_repeated_until_it_is_answered() -> None:
    floor = Floor()
    floor.placed()
    floor.up(2)
    floor.session.take()

    floor.hear(Asked.LOOKUP, "a", how=How.UNKNOWN)
    ((_, again),) = floor.timers.set
    floor.orders.handle(again)  # type: ignore[arg-type]
    assert floor.session.take() == [LookUp("a", T0_US)]
    floor.hear(Asked.LOOKUP, "a", acked("a"))
    floor.orders.handle(again)  # type: ignore[arg-type]

    assert floor.session.take() == []
    assert floor.state() is S.ACCEPTED


def test_an_unknown_order_that_is_there_is_accepted() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN)

    floor.hear(Asked.LOOKUP, "a", acked("a"), executed("a", 1, 3))

    assert floor.state() is S.PARTIALLY_FILLED
    assert floor.row().filled == 3


def test_an_unknown_order_that_is_proven_absent_goes_out_again() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.UNKNOWN)
    floor.session.take()

    floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)
    assert floor.state() is S.NOT_SENT
    floor.orders.handle(Readmitted("a", "", 0))

    assert [each.order.order_id for each in floor.session.of(Submit)] == ["a"]


def test_an_order_that_the_venue_had_is_not_believed_to_be_absent() -> None:
    floor = Floor()
    floor.placed()
    floor.decide(2, cancels=("a",))
    floor.hear(Asked.CANCEL, "a", how=How.UNKNOWN)

    for _ in range(2):
        floor.hear(Asked.LOOKUP, "a", how=How.ABSENT)

    assert floor.state() is S.CANCEL_PENDING
    assert floor.guard.of(Readmit) == []
    assert floor.kinds().count("StrayEvidence") == 1
    assert len(floor.timers.set) == 1


def test_evidence_of_an_order_that_is_not_ours_is_kept() -> None:
    floor = Floor()
    floor.up()

    floor.hear(Asked.STREAM, "", executed("stranger", 1, 1))

    (stray,) = [each for each in floor.journal if isinstance(each, ev.StrayEvidence)]
    assert "stranger" in stray.text


# --- sessions -----------------------------------------------------------------


def test_what_a_dead_session_had_taken_is_in_doubt_and_looked_up() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()), ("b", terms(limit=1)))
    floor.hear(Asked.SUBMIT, "b", acked("b"))
    floor.session.take()

    floor.up(2)

    assert floor.state("a") is S.UNKNOWN
    assert floor.state("b") is S.ACCEPTED
    assert floor.session.take() == [LookUp("a", T0_US), AskGap(""), LookUp("b", T0_US)]


def test_a_session_that_says_twice_that_it_is_up_is_one_session() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()))
    floor.session.take()

    floor.up(1)

    assert floor.state() is S.SENT
    assert floor.session.take() == []


def test_an_end_that_was_not_heard_is_learned_by_the_lookup() -> None:
    floor = Floor()
    floor.placed()

    floor.up(2)
    floor.hear(Asked.LOOKUP, "a", acked("a"), ended("a", "expired"))

    assert floor.state() is S.EXPIRED


def test_on_a_rebuild_an_order_on_its_way_is_unknown_and_not_sent() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))

    floor.build()
    assert floor.state() is S.UNKNOWN
    floor.up(1)

    assert floor.session.of(Submit) == []
    assert floor.session.of(LookUp) == [LookUp("a", T0_US)]


def test_on_a_rebuild_an_order_that_was_not_sent_is_brought_to_the_guard() -> None:
    floor = Floor()
    floor.up()
    floor.decide(1, ("a", terms()))
    floor.hear(Asked.SUBMIT, "a", how=How.NOT_SENT)

    floor.build()

    assert [each.order_id for each in floor.guard.of(Readmit)] == ["a"]
