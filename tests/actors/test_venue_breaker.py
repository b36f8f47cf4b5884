"""A venue's breaker looks, and says each change once."""

from __future__ import annotations

import pytest

from holdfast_actors.breaker import LOOK_S, Look, VenueBreaker
from holdfast_actors.clock import VenueReach, VenueSilence
from holdfast_domain.sight import BreakerSight, Limiter, VenueSight
from holdfast_runtime import Lifecycle

from .desk import Timers

SESSION = "engine/trading/venues/binance/session"


class Watched:
    """A breaker, called directly, and what it looks at."""

    def __init__(self) -> None:
        self.reach, self.silence = VenueReach(), VenueSilence()
        self.sight = VenueSight()
        self.timers, self.said = Timers(), list[tuple[str, str]]()
        self.now_s = 100.0
        self.build(1)

    def build(self, incarnation: int) -> None:
        self.breaker = VenueBreaker(
            reach=self.reach,
            silence=self.silence,
            sight=lambda: self.sight,
            after=self.timers.after,
            now_s=lambda: self.now_s,
            incarnation=incarnation,
            notice=lambda what, how: self.said.append((what, how)),
        )
        self.breaker.start()

    def look(self, times: int = 1) -> list[tuple[str, str]]:
        """Look again; return what was said."""
        for _ in range(times):
            due, self.timers.set = self.timers.set, []
            assert [pause_s for pause_s, _ in due] == [LOOK_S]
            self.now_s += LOOK_S
            for _, message in due:
                assert isinstance(message, Look)
                self.breaker.handle(message)
        said, self.said = self.said, []
        return said

    def session(self, what: str) -> None:
        self.breaker.handle(Lifecycle(path=SESSION, what=what, incarnation=1))


def test_what_is_well_is_not_spoken_of() -> None:
    assert Watched().look(3) == []


def test_a_connection_that_is_lost_is_said_once_and_its_return_too() -> None:
    watched = Watched()
    watched.reach.lose(watched.now_s)
    assert watched.look(3) == [("connection", "its session is away")]
    watched.reach.find()
    well = "well again, after: its session is away"
    assert watched.look(2) == [("connection", well)]


@pytest.mark.parametrize("what", ["crashed", "parked", "stopped"])
def test_a_session_that_is_gone_is_away_whatever_its_connection_was(what: str) -> None:
    watched = Watched()
    watched.session(what)
    watched.session("end_failed")
    assert watched.look() == [("connection", f"its session is {what}")]
    watched.session("restarted")
    assert watched.look()[0][1].startswith("well again")


def test_each_state_of_the_breaker_is_said_once() -> None:
    watched, said = Watched(), []
    for state, failures in (
        ("closed", 3),
        ("open", 5),
        ("open", 5),
        ("half_open", 5),
        ("closed", 0),
    ):
        left_s = 60.0 if state == "open" else 0.0
        seen = BreakerSight(state=state, failures=failures, left_s=left_s)  # type: ignore[arg-type]
        watched.sight = VenueSight(breaker=seen)
        said += watched.look()
    assert said == [
        ("breaker", "its breaker is open"),
        ("breaker", "its breaker is half open"),
        ("breaker", "well again, after: its breaker is half open"),
    ]


def test_a_limit_that_is_used_up_and_a_silence_are_said() -> None:
    watched = Watched()
    watched.sight = VenueSight(limiter=limiter(used=79))
    assert watched.look() == []
    watched.sight = VenueSight(limiter=limiter(used=80))
    assert watched.look() == [("limiter", "its limit is used up to the reserve")]
    watched.silence.heed(watched.now_s + 10, cancels_too=False)
    assert watched.look() == [("limiter", "it wants to hear nothing but cancels")]
    watched.silence.heed(watched.now_s + 10, cancels_too=True)
    assert watched.look() == [("limiter", "it wants to hear nothing")]
    watched.sight = VenueSight()
    watched.now_s += 10
    well = "well again, after: it wants to hear nothing"
    assert watched.look() == [("limiter", well)]


def test_a_new_incarnation_does_not_heed_the_timer_of_the_one_before() -> None:
    watched = Watched()
    old, watched.timers.set = watched.timers.set, []
    watched.build(2)
    for _, message in old:
        watched.breaker.handle(message)  # type: ignore[arg-type]
    assert len(watched.timers.set) == 1


def limiter(used: int) -> Limiter:
    return Limiter(used=used, limit=100, window_s=60.0, for_orders=20, for_cancels=10)
