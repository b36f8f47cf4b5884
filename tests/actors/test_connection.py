"""A connection that is lost is made again for ever, and a venue's silence is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from holdfast_actors.clock import LONGER_S, VenueSilence
from holdfast_actors.connection import MARGIN_S, RECONNECTED
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    ConnectAgain,
    Evidence,
    Greet,
    How,
    LookUp,
    Replace,
    SessionUp,
)
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at
from holdfast_domain.errors import InputError, NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.ports import VenueEvent

from .desk import T0_US, executed, terms
from .scripted import Line, ScriptedVenue, now, submit

AT = cursor_at(5, ADVANCE_SLOT)


@attrs.define
class BrokenVenue(ScriptedVenue):
    """A venue of which some requests fail, the next one first."""

    breaks: dict[str, list[Exception]] = attrs.field(factory=dict)

    def _break(self, name: str) -> None:
        waiting = self.breaks.get(name)
        if waiting:
            self.asked.append((f"broken {name}",))
            raise waiting.pop(0)

    async def connect(self) -> None:
        self._break("connect")
        await ScriptedVenue.connect(self)

    async def resume(self, cursor: int) -> None:
        self._break("resume")
        await ScriptedVenue.resume(self, cursor)

    async def close(self) -> None:
        self._break("close")
        await ScriptedVenue.close(self)

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        self._break("advance")
        return await ScriptedVenue.advance(self, cursor, step)


def line_with(*, replays: bool = False, **breaks: list[Exception]) -> Line:
    """Return a line that has not been started, to a venue that breaks like this."""
    venue = BrokenVenue(breaks=breaks, answers_at_once=not replays)
    return Line(up=False, venue=venue, replays=replays)


def ups(told: Sequence[Any]) -> list[int]:
    return [each.incarnation for each in told if isinstance(each, SessionUp)]


def reset() -> ConnectionError:
    return ConnectionResetError("by peer")


@pytest.mark.parametrize(
    "error", [reset(), NotSent("no session"), OutcomeUnknown("the commit hangs")]
)
def test_a_connection_may_break_at_the_same_data_again_and_again(
    error: Exception,
) -> None:
    line = line_with(advance=[error] * 5)
    now(line.session.start())
    line.venue.said[AT] = [executed("a", 1, 1)]

    told = line.ask(Advance(AT, 5, T0_US))

    # At once, and then after 1, 2, 4 and 8 seconds.
    assert line.now_s == 5.0 + 15.0
    assert ups(told) == [3 + n * RECONNECTED for n in range(6)]
    assert told[-1] == Evidence(
        "paper", Asked.STREAM, "", How.ANSWERED, (executed("a", 1, 1),)
    )


def test_a_venue_that_refuses_its_data_crashes_the_session() -> None:
    line = line_with(advance=[VenueRefused("no such step")])
    now(line.session.start())

    with pytest.raises(VenueRefused):
        line.session.handle(Advance(AT, 5, T0_US)).send(None)


def test_data_that_a_session_died_of_is_not_given_unasked_again() -> None:
    """The message that brings it is blamed, and put aside; a greeting names none."""
    line = line_with(replays=True, advance=[VenueRefused("no such step")])
    now(line.session.start())
    line.clock.cursor = AT
    with pytest.raises(VenueRefused):
        now(line.session.handle(Advance(AT, 5, T0_US)))

    line.restart()
    assert (0, Greet()) not in line.timers.set

    line.clock.cursor = cursor_at(6, ADVANCE_SLOT)
    line.restart()
    assert (0, Greet()) in line.timers.set


def test_who_greets_a_venue_that_is_away_hears_that_there_are_no_executions() -> None:
    line = line_with(connect=[reset()] * 3)
    now(line.session.start())

    told = line.ask(Greet())

    assert [(each.asked, each.how) for each in told] == [(Asked.GAP, How.UNKNOWN)]
    assert told[0].again_s > 0


def test_where_nobody_listens_yet_it_is_tried_ever_more_slowly() -> None:
    line = line_with(connect=[ConnectionRefusedError("nobody there")] * 8)
    now(line.session.start())
    pauses: list[float] = []

    while not line.orders.told:
        ((pause_s, message),) = line.timers.set
        line.timers.set.clear()
        pauses.append(pause_s)
        line.now_s += pause_s
        now(line.session.handle(message))  # type: ignore[arg-type]

    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60]
    assert ups(line.orders.told) == [3]


def test_on_a_replay_market_time_waits_for_each_attempt() -> None:
    """None is a timer: the session is at work, or its next message waits."""
    line = line_with(replays=True, connect=[reset()] * 4)
    now(line.session.start())
    took: list[float] = []

    while not line.orders.told:
        ((pause_s, message),) = line.timers.set
        line.timers.set.clear()
        assert pause_s == 0
        began_s = line.now_s
        now(line.session.handle(message))  # type: ignore[arg-type]
        took.append(line.now_s - began_s)

    assert took == [0, 1, 2, 4]
    assert ups(line.orders.told) == [3]


def test_it_is_not_tried_before_its_time_nor_for_an_incarnation_that_is_gone() -> None:
    line = line_with(connect=[reset(), reset()])
    now(line.session.start())
    assert line.ask(ConnectAgain(session=2)) == []
    assert line.venue.asked == [("broken connect",)]

    line.ask(ConnectAgain(session=3))
    line.ask(ConnectAgain(session=3))

    assert line.venue.asked == [("broken connect",)] * 2
    line.now_s += 1.0
    assert ups(line.ask(ConnectAgain(session=3))) == [3]
    assert line.ask(ConnectAgain(session=3)) == []


def test_a_session_that_is_born_into_a_silence_keeps_to_it() -> None:
    line = line_with()
    line.silence.go_on(line.now_s + 30.0, 0.0)

    now(line.session.start())
    told = line.ask(submit())

    assert line.venue.asked == []
    assert (told[0].how, told[0].again_s) == (How.NOT_SENT, 30.0 + MARGIN_S)
    ((pause_s, message),) = line.timers.set
    line.now_s += pause_s
    assert ups(line.ask(message)) == [3]


def test_a_silence_is_told_when_it_grows() -> None:
    silence, told = VenueSilence(), []
    silence.on_longer = lambda: told.append(silence.left_s(0.0))

    silence.heed(60.0, cancels_too=False)
    silence.heed(30.0, cancels_too=False)
    silence.heed(60.0 + LONGER_S / 2, cancels_too=False)
    silence.heed(60.0, cancels_too=True)
    silence.heed(90.0, cancels_too=True)
    silence.go_on(300.0, 300.0)
    silence.heed(200.0, cancels_too=True)

    assert told == [60.0, 60.0 + LONGER_S / 2, 90.0]


def test_a_half_made_connection_counts_as_none() -> None:
    line = line_with(resume=[reset()])

    now(line.session.start())

    assert line.orders.told == []
    assert line.ask(Greet())[0] == SessionUp("paper", 3, line.venue.promises, False)


def test_what_is_wrong_with_the_venues_own_file_crashes_the_start() -> None:
    line = line_with(connect=[InputError("venue.sqlite", "a paper venue's", "text")])

    with pytest.raises(InputError):
        line.session.start().send(None)


def test_without_a_connection_nothing_is_sent_and_nothing_is_guessed() -> None:
    line = line_with(connect=[reset()] * 2)
    now(line.session.start())
    line.ask(ConnectAgain(session=3))
    wait: dict[str, Any] = {
        "again_s": 1.0,
        "reason": "paper: there is no connection",
    }

    for message, asked, how in (
        (submit(), Asked.SUBMIT, How.NOT_SENT),
        (Cancel("a"), Asked.CANCEL, How.NOT_SENT),
        (Replace("a", terms(2, limit=1)), Asked.REPLACE, How.NOT_SENT),
        (LookUp("a"), Asked.LOOKUP, How.UNKNOWN),
        (AskGap(""), Asked.GAP, How.UNKNOWN),
    ):
        order_id = "" if asked is Asked.GAP else "a"
        assert line.ask(message) == [Evidence("paper", asked, order_id, how, **wait)]
    assert line.venue.asked == [("broken connect",)] * 2


@pytest.mark.parametrize(
    ("message", "how"), [(submit(), How.UNKNOWN), (LookUp("a"), How.UNKNOWN)]
)
def test_a_request_at_which_the_connection_breaks_is_in_doubt(
    message: object, how: How
) -> None:
    line = Line()
    line.venue.error = reset()

    (told,) = line.ask(message)

    assert (told.how, told.reason) == (how, "paper: by peer")
    # It follows another session, so it greets itself; a new connection does not.
    assert line.timers.set == [(0, Greet()), (0, ConnectAgain(session=3))]
    line.venue.error = None
    assert ups(line.ask(ConnectAgain(session=3))) == [3 + RECONNECTED]


def test_a_connection_that_cannot_be_closed_is_left() -> None:
    line = line_with(close=[reset()])
    now(line.session.start())

    now(line.session.stop())


# --- a venue that wants to hear nothing ----------------------------------------


def test_a_ban_silences_all_until_it_ends() -> None:
    line = Line()
    line.venue.error = NotSent("banned", retry_after_s=60.0)
    (first,) = line.ask(submit())
    assert (first.how, first.reason) == (How.NOT_SENT, "banned")
    assert first.again_s == 60.0 + MARGIN_S
    line.venue.error = None
    line.venue.asked.clear()
    line.now_s += 20.0

    told = [
        line.ask(each)[0] for each in (submit(), LookUp("a"), Cancel("a"), AskGap(""))
    ]

    assert [each.again_s for each in told] == [pytest.approx(40.0 + MARGIN_S)] * 4
    assert line.venue.asked == []
    line.now_s += 40.0
    (late,) = line.ask(submit())
    assert late.how is How.ANSWERED


def test_a_limit_of_rates_leaves_cancels_their_reserve() -> None:
    line = Line()
    line.venue.error = OutcomeUnknown("429", retry_after_s=5.0, only_limits=True)
    line.ask(LookUp("a"))
    line.venue.error = None

    (cancelled,), (sent,) = line.ask(Cancel("a")), line.ask(submit())

    assert (cancelled.how, sent.how) == (How.ANSWERED, How.NOT_SENT)
    line.venue.error = NotSent("429", retry_after_s=3.0, only_limits=True)
    line.ask(Cancel("a"))
    line.venue.error = None
    (again,) = line.ask(Cancel("a"))
    assert (again.how, again.again_s) == (How.NOT_SENT, 3.0 + MARGIN_S)


def test_a_shorter_wish_does_not_end_a_longer_silence() -> None:
    line = Line()
    line.venue.error = NotSent("banned", retry_after_s=60.0)
    line.ask(LookUp("a"))

    line.silence.heed(line.now_s + 1.0, cancels_too=True)

    assert line.ask(submit())[0].again_s == 60.0 + MARGIN_S


def test_the_silence_outlives_the_session_and_holds_for_its_connects() -> None:
    line = line_with(connect=[NotSent("maintenance", retry_after_s=30.0)])
    now(line.session.start())

    assert line.timers.set == [(30.0 + MARGIN_S, ConnectAgain(session=3))]
    assert line.silence.left_s(line.now_s) == 30.0
    line.ask(LookUp("a"))
    line.now_s += 30.0 + MARGIN_S
    assert ups(line.ask(ConnectAgain(session=3))) == [3]


def test_data_is_given_to_a_venue_that_limits_requests() -> None:
    line = Line()
    line.venue.error = NotSent("429", retry_after_s=60.0)
    line.ask(LookUp("a"))

    line.ask(Advance(AT, 5, T0_US))

    assert ("advance", AT, 5) in line.venue.asked
