"""A venue's breaker: looks how the venue is, and says what has changed, and for long.

Limiter and breaker of requests are the adapter's, where they are looked at in the
statement before the first byte. Here they are only read: nothing waits for this actor,
and it holds nothing that a restart would lose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from msgspec import Struct

from holdfast_actors.clock import HaltGate, VenueReach, VenueSilence
from holdfast_actors.degradation import (
    VENUE,
    CancelResting,
    Degrade,
    Degrading,
    Restore,
)
from holdfast_domain.events import VenueDegraded
from holdfast_domain.sight import VenueSight
from holdfast_runtime import Lane, Lifecycle, Ref

LOOK_S: Final = 1.0
"""The pause between two looks."""

GONE: Final = frozenset({"crashed", "parked", "stopped"})
"""What is told of a session that is not there."""

THERE: Final = frozenset({"started", "restarted"})


class Look(Struct, frozen=True):
    """Timer of a breaker, of one incarnation of it: look at the venue."""

    lane: ClassVar[Lane] = Lane.TIMERS
    incarnation: int


CANCEL_AGAIN_S: Final = 10.0
"""How often it is asked again that all is canceled."""


class VenueBreaker:
    """Watches one venue, from outside of its family: that may be parked."""

    def __init__(
        self,
        *,
        venue: str,
        plan: Degrading,
        gate: HaltGate,
        guard: Ref[Any],
        orders: Ref[Any],
        reach: VenueReach,
        silence: VenueSilence,
        sight: Callable[[], VenueSight],
        after: Callable[[float, object], object],
        now_s: Callable[[], float],
        incarnation: int,
        notice: Callable[[str, str], None],
        is_known_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """Tell ``notice`` of each change: of what, and how it stands now.

        The ``guard`` is told when the venue is degraded by ``plan``, and when it is
        not any more; what it knows of that is at the ``gate``. While it
        ``is_known_away`` nothing is said of that, and no time counts.
        """
        self._is_known_away = is_known_away
        self._venue = venue
        self._plan = plan
        self._gate = gate
        self._guard = guard
        self._orders = orders
        self._reach = reach
        self._silence = silence
        self._sight = sight
        self._after = after
        self._now_s = now_s
        self._incarnation = incarnation
        self._notice = notice
        self._session = ""
        """What was told of the session, if it is not there."""

        self._since_s: float | None = None
        """Since when it has been away, as far as this incarnation has seen."""

        self._was_degraded = False
        """Whether it was at the last look."""

        self._cancel_s = 0.0
        """When all is to be canceled next."""

        self._told = dict.fromkeys(("connection", "limiter", "breaker", "degraded"), "")
        """How each stood when that was said; empty as long as it was well."""

    def start(self) -> None:
        """Look, from now on."""
        self._look()

    def handle(self, message: Look | Lifecycle) -> None:
        """Look, or take what happened to the session."""
        if isinstance(message, Look):
            if message.incarnation == self._incarnation:
                self._look()
        elif message.what in GONE:
            self._session = message.what
        elif message.what in THERE:
            self._session = ""

    def _look(self) -> None:
        now_s, seen = self._now_s(), self._sight()
        away, is_known = self._away(), self._is_known_away()
        if not is_known:
            self._say("connection", away)
            self._say("breaker", open_words(seen))
        self._say("limiter", self._limited(now_s, seen))
        self._judge(now_s, away or open_words(seen), is_known=is_known)
        self._say("degraded", degraded_words(self._gate.degraded.get(self._venue)))
        self._after(LOOK_S, Look(self._incarnation))

    def _judge(self, now_s: float, why: str, *, is_known: bool) -> None:
        """Say again and again how it is: who is told may die before it is durable."""
        known = self._gate.degraded.get(self._venue)
        if not why:
            self._since_s = None
            if known is not None and known.resume == VENUE:
                self._guard.tell(Restore(self._venue, "it is there again", VENUE))
                return
        elif self._since_s is None or (self._was_degraded and known is None):
            # Who takes it back although it is away has as long as the first time.
            self._since_s = now_s
        self._was_degraded = known is not None
        if is_known:
            self._since_s = None
        elif why and now_s - (self._since_s or 0.0) >= self._plan.after_s:
            self._guard.tell(Degrade(self._venue, self._plan, why))
        if known is not None and known.policy == "cancel" and now_s >= self._cancel_s:
            self._cancel_s = now_s + CANCEL_AGAIN_S
            self._orders.tell(CancelResting(self._venue, "degraded"))

    def _away(self) -> str:
        if self._session:
            return f"its session is {self._session}"
        return "" if self._reach.lost_s is None else "its session is away"

    def _limited(self, now_s: float, seen: VenueSight) -> str:
        if self._silence.left_s(now_s, cancel=True):
            return "it wants to hear nothing"
        if self._silence.left_s(now_s):
            return "it wants to hear nothing but cancels"
        if seen.limiter is not None and seen.limiter.is_used_up:
            return "its limit is used up to the reserve"
        return ""

    def _say(self, what: str, how: str) -> None:
        was, self._told[what] = self._told[what], how
        if how != was:
            self._notice(what, how or f"well again, after: {was}")


def open_words(seen: VenueSight) -> str:
    """Return how the breaker stands, unless it is closed; they change with it alone."""
    breaker = seen.breaker
    if breaker is None or breaker.state == "closed":
        return ""
    return f"its breaker is {'open' if breaker.state == 'open' else 'half open'}"


def degraded_words(known: VenueDegraded | None) -> str:
    """Return how a venue is degraded; empty if it is not."""
    if known is None:
        return ""
    words = {
        "keep": "orders go on",
        "halt": "no new order goes out",
        "cancel": "no new order goes out, and what rests there is canceled",
        "paper": "no new order goes out, and a twin goes on on paper",
    }[known.policy]
    until = "" if known.policy == "keep" else f" until a {known.resume} takes it back"
    if known.holds and known.resume == VENUE:
        until = " until it is there again"
    return f"{known.why}, for {known.after_ms / 1000:g} s: {words}{until}"
