"""A venue's session, called directly: it says truthfully how each request ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast_actors.atonce import SessionAtOnce
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    Evidence,
    Greet,
    How,
    LookUp,
    Replace,
    SessionUp,
    Submit,
)
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.errors import DomainError, NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderType, TimeInForce
from holdfast_domain.ports import VenueEvent

from .desk import T0_US, acked, ended, executed, story, terms
from .scripted import (
    NOW,
    PROVES_AT_ONCE,
    Line,
    ScriptedVenue,
    evidence,
    now,
    submit,
    waits_once,
)


def test_a_session_connects_hides_the_future_and_says_that_it_is_up() -> None:
    line = Line(up=False)

    now(line.session.start())

    assert line.venue.asked == [("connect",), ("resume", NOW)]
    assert line.orders.told == [SessionUp("paper", 3, PROVES_AT_ONCE)]
    now(line.session.stop())
    assert line.venue.asked[-1] == ("close",)


REQUESTS = [
    (submit(), Asked.SUBMIT),
    (Cancel("a"), Asked.CANCEL),
    (Replace("a", terms(2, limit=1)), Asked.REPLACE),
]


@pytest.mark.parametrize(("request_", "asked"), REQUESTS)
def test_an_answer_is_passed_on(request_: object, asked: Asked) -> None:
    line = Line()
    line.venue.answer = [acked("a"), executed("a", 1, 1)]

    told = line.ask(request_)

    assert told == [evidence(asked, How.ANSWERED, acked("a"), executed("a", 1, 1))]


@pytest.mark.parametrize(("request_", "asked"), REQUESTS)
@pytest.mark.parametrize(
    ("error", "how", "more"),
    [
        (
            VenueRefused("no such symbol", "17"),
            How.REFUSED,
            {"reason": "no such symbol", "code": "17"},
        ),
        (NotSent("no route"), How.NOT_SENT, {"reason": "no route"}),
        (OutcomeUnknown("timed out"), How.UNKNOWN, {"reason": "timed out"}),
    ],
    ids=["refused", "not sent", "unknown"],
)
def test_there_are_three_ways_to_fail(
    request_: object, asked: Asked, error: Exception, how: How, more: dict[str, Any]
) -> None:
    line = Line()
    line.venue.error = error

    assert line.ask(request_) == [evidence(asked, how, **more)]
    assert len(line.venue.asked) == 1


@pytest.mark.parametrize("error", [NotSent("no route"), OutcomeUnknown("timed out")])
def test_a_lookup_without_an_answer_proves_nothing(error: Exception) -> None:
    line = Line()
    line.venue.error = error

    (told,) = line.ask(LookUp("a"))

    assert told == evidence(Asked.LOOKUP, How.UNKNOWN, reason=str(error), asked_s=5.0)


def test_a_lookup_proves_absence_or_tells_the_whole_story() -> None:
    line = Line()
    line.venue.answer = None
    (absent,) = line.ask(LookUp("a"))
    line.venue.answer = [acked("a"), ended("a")]

    (known,) = line.ask(LookUp("a"))

    assert absent.how is How.ABSENT
    said = acked("a"), ended("a")
    assert known == evidence(
        Asked.LOOKUP, How.ANSWERED, *said, asked_s=5.0, story=story(*said)
    )


# --- the last gate ------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "halted", "reason"),
    [
        (submit(session=2), False, "meant for a session that is gone"),
        (submit(orders=2), False, "sent by an engine's part that is gone"),
        (submit(), True, "halted"),
        (submit(generation=1), False, "halted"),
        (submit(valid_until_us=T0_US - 1), False, "its time to be sent has passed"),
    ],
)
def test_a_stale_submit_is_not_sent(message: Submit, halted: bool, reason: str) -> None:
    line = Line()
    line.gate.halted = halted

    told = line.ask(message)

    assert told == [evidence(Asked.SUBMIT, How.NOT_SENT, reason=reason)]
    assert line.venue.asked == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"post_only": True}, "paper takes no post-only orders"),
        ({"shown": Quantity.of(1)}, "paper takes no orders of which only a part"),
        (
            {"time_in_force": TimeInForce.AT_OPEN},
            "paper takes no at_open orders; it takes day, fok, gtc, ioc",
        ),
        (
            {
                "type": OrderType.TRAILING_STOP,
                "trail": Price.of(1),
                "limit_price": None,
            },
            "paper takes no trailing_stop orders; it takes limit, market, stop",
        ),
    ],
)
def test_a_kind_of_order_that_is_not_declared_never_leaves(
    wanted: dict[str, Any], words: str
) -> None:
    line, asked = Line(), submit()
    order = replace(asked.order, terms=replace(terms(1, limit=9), **wanted))

    (told,) = line.ask(replace(asked, order=order))

    assert (told.how, told.code) == (How.REFUSED, "order_kind")
    assert told.reason.startswith(words)
    assert line.venue.asked == []


def test_a_venue_that_answers_at_once_needs_no_task() -> None:
    line = Line()
    SessionAtOnce(line.session).handle(submit())

    (told,) = line.orders.told
    assert told == evidence(Asked.SUBMIT, How.ANSWERED)


def test_a_venue_that_waits_after_all_is_refused() -> None:
    line = Line()

    class Slow(ScriptedVenue):
        async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
            await waits_once()
            return await super().cancel(order_id)

    line.session._venue = line.session._requests._venue = Slow()
    with pytest.raises(DomainError, match="paper: expected an answer at once to Can"):
        SessionAtOnce(line.session).handle(Cancel("a"))
    assert line.orders.told == []


def test_nothing_comes_between_the_gate_and_the_send() -> None:
    line = Line()

    class Halting(ScriptedVenue):
        async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
            line.gate.halted = True
            return await super().advance(cursor, step)

    line.session._venue = line.session._requests._venue = Halting()
    line.clock.move(T0_US, cursor_at(5, SLICE_SLOT))

    (told,) = line.ask(submit())

    assert told.how is How.NOT_SENT


def test_new_terms_are_not_sent_while_halted_and_a_cancel_is() -> None:
    line = Line()
    line.gate.halted = True

    (replaced,) = line.ask(Replace("a", terms(2, limit=1)))
    (cancelled,) = line.ask(Cancel("a"))

    assert replaced.how is How.NOT_SENT
    assert cancelled.how is How.ANSWERED
    assert line.venue.asked == [("cancel", "a")]


@pytest.mark.parametrize("replays", [True, False])
def test_what_was_asked_for_before_a_session_died_waits_in_step_alone(
    replays: bool,
) -> None:
    line = Line(replays=replays)
    at_once, number = How.NOT_SENT if replays else How.ANSWERED, 3

    (before,) = line.ask(Cancel("a", number - 1))
    (after,) = line.ask(Cancel("b", number))
    (whenever,) = line.ask(Cancel("c"))

    assert (before.how, after.how, whenever.how) == (
        at_once,
        How.ANSWERED,
        How.ANSWERED,
    )


# --- market data --------------------------------------------------------------


def test_what_a_step_brought_about_is_streamed() -> None:
    line = Line()
    at = cursor_at(5, ADVANCE_SLOT)
    line.venue.said[at] = [executed("a", 1, 1)]

    told = line.ask(Advance(at, 5, T0_US))

    assert told == [evidence(Asked.STREAM, How.ANSWERED, executed("a", 1, 1))]


def test_a_step_that_brought_about_nothing_is_not_spoken_of() -> None:
    assert Line().ask(Advance(cursor_at(5, ADVANCE_SLOT), 5, T0_US)) == []


def test_a_venue_that_wanted_no_data_comes_up_before_it_is_sent_to() -> None:
    line = Line()
    line.clock.move(T0_US, cursor_at(7, 2))

    line.ask(submit())

    assert line.venue.asked == [
        ("advance", cursor_at(6, ADVANCE_SLOT), 6),
        ("submit", "a"),
    ]


def test_the_venues_interest_is_kept_for_the_feed() -> None:
    line = Line()
    line.venue.wants_data = False
    line.ask(Cancel("a"))
    assert not line.interest.wanted

    line.venue.wants_data = True
    line.ask(submit())

    assert line.interest.wanted


def test_a_gap_is_told_with_from_where_to_ask_next() -> None:
    line = Line()
    line.venue.answer = [executed("a", 2, 1)]

    told = line.ask(AskGap("X1"))

    gap = Evidence(
        "paper", Asked.GAP, "", How.ANSWERED, (executed("a", 2, 1),), watermark="W"
    )
    assert told == [gap]
    assert line.venue.asked == [("since", "X1")]


def test_who_greets_is_told_again_what_the_step_brought_about() -> None:
    line = Line()
    line.venue.said[cursor_at(4, ADVANCE_SLOT)] = [ended("a", "expired")]

    told = line.ask(Greet())

    assert told == [
        SessionUp("paper", 3, PROVES_AT_ONCE),
        evidence(Asked.STREAM, How.ANSWERED, ended("a", "expired")),
    ]


def test_before_the_first_step_a_greeting_is_answered_without_data() -> None:
    line = Line()
    line.clock.move(0, 0)

    assert line.ask(Greet()) == [SessionUp("paper", 3, PROVES_AT_ONCE)]
    assert line.venue.asked == []
