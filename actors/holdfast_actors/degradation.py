"""What is done when a venue has been away for long: a policy, and the guard's part.

That a venue is degraded is a record, so a restart knows it. What follows from it is
asked for again and again for as long as it is so, and not once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Literal, TypeAlias

import attrs
from msgspec import Struct

from holdfast_actors.clock import HaltGate
from holdfast_domain import events as ev
from holdfast_domain.windows import DailyWindow
from holdfast_runtime import Lane

Policy: TypeAlias = Literal["keep", "halt", "cancel", "paper"]
"""Go on as before; let no new order out; and cancel what rests there, too.

With ``paper`` no new order goes out either, and a twin of each strategy goes on with
books of its own.
"""

PAPER: Final = "paper"

By: TypeAlias = Literal["person", "venue"]
"""Who takes it back: a person, or the venue by being there again."""

VENUE: Final = "venue"


@attrs.frozen(kw_only=True)
class Degrading:
    """When a venue counts as degraded, and what is done then."""

    after_s: float = 60.0
    """How long it must have been away, or its breaker open."""

    policy: Policy = "keep"
    resume: By = "person"

    @property
    def resumes(self) -> By:
        """Who takes it back; where nothing is held, nobody has to."""
        return "venue" if self.policy == "keep" else self.resume


@attrs.frozen(kw_only=True)
class Maintenance:
    """When a venue is known to be away: nobody is called then, and nothing degraded."""

    window: DailyWindow
    refuses: bool
    """Whether new orders are refused then; otherwise they wait for the venue."""

    now_us: Callable[[], int]

    def is_on(self) -> bool:
        """Tell whether the venue is known to be away now."""
        return self.window.holds(self.now_us())

    def refusal(self) -> str:
        """Return why no new order passes now; empty if one may."""
        if not (self.refuses and self.is_on()):
            return ""
        return f"the venue is known to be away from {self.window}"


class Degrade(Struct, frozen=True):
    """A venue's breaker to the guard: it has been away for too long."""

    lane: ClassVar[Lane] = Lane.CONTROL
    venue: str
    plan: Degrading
    why: str


class Restore(Struct, frozen=True):
    """A venue is not degraded any more."""

    lane: ClassVar[Lane] = Lane.CONTROL
    venue: str
    reason: str
    by: str


class CancelResting(Struct, frozen=True):
    """To `orders`: cancel all of ours that works at a venue, or may."""

    venue: str
    by: str


class Degradations:
    """Which venues are degraded, by the journal and at the gate; the guard's alone."""

    def __init__(
        self,
        *,
        known: dict[str, ev.VenueDegraded],
        outages: dict[str, int],
        gate: HaltGate,
        record: Callable[[ev.Event], None],
        effect: Callable[[Callable[[], None]], None],
    ) -> None:
        """``known`` and ``outages`` are what the journal has, and change here."""
        self._known = known
        self._outages = outages
        self._gate = gate
        self._record = record
        self._effect = effect
        self._opening: set[str] = set()
        """Venues of which it is not durable yet that they are there again."""

    def handle(self, message: Degrade | Restore) -> None:
        """Take what is news, and pass over the rest: both are said more than once."""
        if isinstance(message, Degrade):
            if message.venue not in self._known:
                self._degrade(message)
        elif message.venue in self._known:
            self._restore(message)
        elif message.venue not in self._opening:
            # A guard before this one died of what it was to record.
            self._gate.restore(message.venue)

    def _degrade(self, message: Degrade) -> None:
        plan = message.plan
        nth = self._outages[message.venue] = self._outages.get(message.venue, 0) + 1
        event = ev.VenueDegraded(
            venue=message.venue,
            policy=plan.policy,
            resume=plan.resumes,
            why=message.why,
            after_ms=round(plan.after_s * 1000),
            nth=nth,
        )
        # As with a halt: the gate closes first, and what was passed before passes anew.
        self._known[message.venue] = self._gate.degraded[message.venue] = event
        self._gate.generation += bool(self._gate.holds(message.venue))
        self._record(event)

    def _restore(self, message: Restore) -> None:
        venue = message.venue
        del self._known[venue]
        self._record(
            ev.VenueRestored(venue=venue, reason=message.reason, by=message.by)
        )
        self._opening.add(venue)
        self._effect(lambda: self._open(venue))

    def _open(self, venue: str) -> None:
        """Let orders out, now that it is durable; unless it is away again."""
        self._opening.discard(venue)
        if venue not in self._known:
            self._gate.restore(venue)
