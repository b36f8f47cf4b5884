"""A venue's breaker looks, and says each change once."""

from __future__ import annotations

import pytest

from holdfast_actors.breaker import LOOK_S, Look, VenueBreaker
from holdfast_actors.clock import HaltGate, VenueReach, VenueSilence
from holdfast_actors.degradation import CancelResting, Degrade, Degrading, Restore
from holdfast_domain.events import VenueDegraded
from holdfast_domain.sight import BreakerSight, Limiter, VenueSight
from holdfast_runtime import Lifecycle

from .desk import Inbox, Timers

SESSION = "engine/trading/venues/binance/session"


class Watched:
    """A breaker, called directly, and what it looks at."""

    def __init__(self, plan: Degrading | None = None) -> None:
        self.reach, self.silence = VenueReach(), VenueSilence()
        self.gate, self.guard, self.orders = HaltGate(), Inbox(), Inbox()
        self.plan = Degrading(after_s=30.0) if plan is None else plan
        self.sight = VenueSight()
        self.timers, self.said = Timers(), list[tuple[str, str]]()
        self.now_s = 100.0
        self.is_known_away = False
        self.build(1)

    def build(self, incarnation: int) -> None:
        self.breaker = VenueBreaker(
            venue="binance",
            plan=self.plan,
            gate=self.gate,
            guard=self.guard.ref,
            orders=self.orders.ref,
            reach=self.reach,
            silence=self.silence,
            sight=lambda: self.sight,
            after=self.timers.after,
            now_s=lambda: self.now_s,
            incarnation=incarnation,
            notice=lambda what, how: self.said.append((what, how)),
            is_known_away=lambda: self.is_known_away,
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


# --- degradation ----------------------------------------------------------------


def degraded(policy: str, resume: str = "person") -> VenueDegraded:
    why = "its session is away"
    return VenueDegraded(
        venue="binance", policy=policy, resume=resume, why=why, after_ms=30_000
    )


def test_who_is_away_for_long_is_degraded_and_it_is_said_until_the_guard_knows() -> (
    None
):
    plan = Degrading(after_s=30.0, policy="halt")
    watched = Watched(plan)
    watched.reach.lose(watched.now_s)
    watched.look(30)
    assert watched.guard.take() == []
    watched.look(3)
    assert watched.guard.take() == [Degrade("binance", plan, "its session is away")] * 3
    assert watched.orders.take() == []


def test_a_breaker_that_is_open_or_half_open_counts_as_away() -> None:
    watched = Watched()
    for state in ("open", "half_open") * 16:
        seen = BreakerSight(state=state, failures=5, left_s=0.0)
        watched.sight = VenueSight(breaker=seen)
        watched.look()
    assert {each.why for each in watched.guard.of(Degrade)} == {
        "its breaker is open",
        "its breaker is half open",
    }


def test_who_comes_back_in_time_is_not_degraded() -> None:
    watched = Watched()
    for _ in range(3):
        watched.reach.lose(watched.now_s)
        watched.look(29)
        watched.reach.find()
        watched.look()
    assert watched.guard.take() == []


def test_a_person_who_takes_it_back_while_it_is_away_has_the_same_time_again() -> None:
    watched = Watched(Degrading(after_s=30.0, policy="halt"))
    watched.reach.lose(watched.now_s)
    watched.look(33)
    watched.gate.degraded["binance"] = degraded("halt")
    watched.look()
    watched.gate.restore("binance")
    watched.guard.take()
    watched.look(30)
    assert watched.guard.take() == []
    watched.look(2)
    assert len(watched.guard.of(Degrade)) == 2


def test_who_is_known_to_be_away_is_neither_spoken_of_nor_degraded() -> None:
    watched = Watched(Degrading(after_s=30.0, policy="halt"))
    watched.is_known_away = True
    watched.reach.lose(watched.now_s)
    seen = BreakerSight(state="open", failures=5, left_s=60.0)
    watched.sight = VenueSight(breaker=seen)
    assert watched.look(3600) == []
    assert watched.guard.take() == []
    # From its end on, time counts.
    watched.is_known_away = False
    assert watched.look(30) == [
        ("connection", "its session is away"),
        ("breaker", "its breaker is open"),
    ]
    assert watched.guard.take() == []
    watched.look()
    assert len(watched.guard.take()) == 1


def test_what_was_degraded_before_is_taken_back_and_canceled_all_the_same() -> None:
    watched = Watched()
    watched.is_known_away = True
    watched.gate.degraded["binance"] = degraded("cancel", "venue")
    watched.reach.lose(watched.now_s)
    watched.look()
    assert watched.orders.take() == [CancelResting("binance", "degraded")]
    watched.reach.find()
    watched.look()
    assert watched.guard.of(Restore) != []


@pytest.mark.parametrize(
    ("known", "restores"),
    [
        (degraded("keep", "venue"), True),
        (degraded("halt", "venue"), True),
        (degraded("halt"), False),
        (degraded("cancel"), False),
    ],
)
def test_the_venue_takes_back_what_it_may(known: VenueDegraded, restores: bool) -> None:
    watched = Watched()
    watched.gate.degraded["binance"] = known
    watched.look(2)
    told = [Restore("binance", "it is there again", "venue")] * 2
    assert watched.guard.take() == (told if restores else [])


def test_what_rests_is_canceled_again_and_again_whoever_is_there() -> None:
    watched = Watched()
    watched.gate.degraded["binance"] = degraded("cancel")
    watched.reach.lose(watched.now_s)
    watched.look(21)
    assert watched.orders.take() == [CancelResting("binance", "degraded")] * 3


def test_how_it_is_degraded_is_said_in_words() -> None:
    watched = Watched()
    words = []
    for known in (
        degraded("keep", "venue"),
        degraded("halt"),
        degraded("cancel", "venue"),
        degraded("paper"),
    ):
        watched.gate.degraded["binance"] = known
        words += [how for _, how in watched.look()]
    away = "its session is away, for 30 s"
    assert words == [
        f"{away}: orders go on",
        f"{away}: no new order goes out until a person takes it back",
        f"{away}: no new order goes out, and what rests there is canceled until it is "
        "there again",
        f"{away}: no new order goes out, and a twin goes on on paper until a person "
        "takes it back",
    ]
