"""A session whose account a newer engine has taken over: a zombie sends nothing."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

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
)
from holdfast_actors.session import AGES_S
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at
from holdfast_domain.errors import Fenced

from .desk import T0_US, terms
from .scripted import Line, ScriptedVenue, now, submit

TAKEN = Fenced("the engine of epoch 9 has taken over", 9)
WHY = "fenced off: the engine of epoch 9 has taken over"
ADVANCE = Advance(cursor_at(5, ADVANCE_SLOT), 5, T0_US)


def test_an_account_that_was_taken_over_is_seen_before_the_first_byte() -> None:
    line = Line()
    line.fence = "another engine has it"

    (told,) = line.ask(submit())

    why = "fenced off: another engine has it"
    assert told == Evidence("paper", Asked.SUBMIT, "a", How.NOT_SENT, (), why)
    assert line.venue.asked == []
    assert line.fenced == [why]


@pytest.mark.parametrize(
    "message",
    [
        submit(),
        Cancel("a"),
        Replace("a", terms(2)),
        LookUp("a"),
        AskGap(""),
        Greet(),
        ConnectAgain(3),
        ADVANCE,
    ],
)
def test_a_zombie_asks_its_venue_for_nothing_any_more(message: Any) -> None:
    line = Line(venue=ScriptedVenue(answers_at_once=False))
    line.venue.error = TAKEN
    line.ask(Cancel("b"))
    assert line.fenced == [WHY]
    line.venue.asked.clear()
    before_s = line.now_s

    told = line.ask(message)

    assert line.venue.asked == []
    assert all(each.how is How.NOT_SENT for each in told)
    assert line.fenced == [WHY]
    # Market time stands still: what a zombie sees of the market is of no use.
    slept_s = AGES_S if message is ADVANCE else 0.0
    assert line.now_s == before_s + slept_s


@attrs.define
class Away(ScriptedVenue):
    """A scripted venue to which the first connections fail."""

    failures: list[Exception] = attrs.field(factory=list)

    async def connect(self) -> None:
        await ScriptedVenue.connect(self)
        if self.failures:
            raise self.failures.pop(0)


def away(*failures: Exception) -> Line:
    return Line(up=False, venue=Away(failures=list(failures)))


def test_a_start_that_is_fenced_off_is_never_up() -> None:
    line = away(TAKEN)

    now(line.session.start())

    assert line.orders.take() == []
    assert (line.fenced, line.calls) == ([WHY], [])


def test_a_venue_that_cannot_be_reached_is_said_once() -> None:
    line = away(*[ConnectionRefusedError("nobody answers")] * 3)

    now(line.session.start())
    line.ask(ADVANCE)

    assert line.calls == ["paper: nobody answers; trying again until it does"]
    assert line.venue.asked[-1] == ("advance", ADVANCE.cursor, 5)
