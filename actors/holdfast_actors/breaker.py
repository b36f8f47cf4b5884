"""A venue's breaker: looks how the venue is, and says aloud what has changed.

Limiter and breaker of requests are the adapter's, where they are looked at in the
statement before the first byte. Here they are only read: nothing waits for this actor,
and it holds nothing that a restart would lose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from msgspec import Struct

from holdfast_actors.clock import VenueReach, VenueSilence
from holdfast_domain.sight import VenueSight
from holdfast_runtime import Lane, Lifecycle

LOOK_S: Final = 1.0
"""The pause between two looks."""

GONE: Final = frozenset({"crashed", "parked", "stopped"})
"""What is told of a session that is not there."""

THERE: Final = frozenset({"started", "restarted"})


class Look(Struct, frozen=True):
    """Timer of a breaker, of one incarnation of it: look at the venue."""

    lane: ClassVar[Lane] = Lane.TIMERS
    incarnation: int


class VenueBreaker:
    """Watches one venue, from outside of its family: that may be parked."""

    def __init__(
        self,
        *,
        reach: VenueReach,
        silence: VenueSilence,
        sight: Callable[[], VenueSight],
        after: Callable[[float, object], object],
        now_s: Callable[[], float],
        incarnation: int,
        notice: Callable[[str, str], None],
    ) -> None:
        """Tell ``notice`` of each change: of what, and how it stands now."""
        self._reach = reach
        self._silence = silence
        self._sight = sight
        self._after = after
        self._now_s = now_s
        self._incarnation = incarnation
        self._notice = notice
        self._session = ""
        """What was told of the session, if it is not there."""

        self._told = dict.fromkeys(("connection", "limiter", "breaker"), "")
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
        self._say("connection", self._away())
        self._say("limiter", self._limited(now_s, seen))
        breaker = seen.breaker
        is_well = breaker is None or breaker.state == "closed"
        self._say("breaker", "" if is_well else breaker_words(seen))
        self._after(LOOK_S, Look(self._incarnation))

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


def breaker_words(seen: VenueSight) -> str:
    """Return how the breaker stands, in words that change with its state alone."""
    breaker = seen.breaker
    if breaker is None:
        return ""
    words = {"half_open": "half open", "open": "open", "closed": "closed"}
    return f"its breaker is {words[breaker.state]}"
