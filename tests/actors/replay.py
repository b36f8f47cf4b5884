"""A `ReplayFeed` and a `Scheduler` that talk to each other, and to inboxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast_actors.clock import MarketClock, PriceBoard, VenueInterest
from holdfast_actors.feed import ReplayFeed
from holdfast_actors.messages import Declare, NextDue, NextStep
from holdfast_actors.scheduler import Scheduler
from holdfast_domain import events as ev
from holdfast_domain.marketdata import MarketData
from holdfast_domain.schedules import Calendars, Schedule

from .desk import Inbox, Timers, entries


class Replay:
    """Plays data as an engine in lock-step does: one input, all that follows, the next.

    What strategies and the session are told is in ``told``, as (who, message).
    """

    def __init__(
        self,
        data: MarketData,
        calendars: Calendars,
        schedules: Mapping[str, Sequence[Schedule]],
        *,
        clock: MarketClock | None = None,
        wanted: Callable[[int], bool] = lambda _step: True,
        speed: float | None = None,
    ) -> None:
        self.data, self.calendars, self.schedules = data, calendars, schedules
        self.clock = clock or MarketClock()
        self.prices = PriceBoard(data)
        self.interest = VenueInterest(["paper"])
        self.wanted = wanted
        self.speed = speed
        self.journal: list[ev.Event] = []
        self.told: list[tuple[str, Any]] = []
        self.timers = Timers()
        self.finished = 0
        self.begin()

    def begin(self) -> None:
        """Build both actors anew, as a restart of both does."""
        self._effects: list[Callable[[], None]] = []
        self.to_feed, self.to_scheduler, self.session = Inbox(), Inbox(), Inbox()
        self.strategies = {name: Inbox() for name in self.schedules}
        self.build_scheduler()
        self.build_feed()

    def build_feed(self) -> None:
        """Build the feed anew."""
        self.feed = ReplayFeed(
            data=self.data,
            clock=self.clock,
            prices=self.prices,
            interest=self.interest,
            sessions={"paper": self.session.ref},
            scheduler=self.to_scheduler.ref,
            strategies=[inbox.ref for inbox in self.strategies.values()],
            me=self.to_feed.ref,
            effect=self._effects.append,
            record=self.journal.append,
            after=self.timers.after,
            speed=self.speed,
            finished=self._finish,
        )
        self.feed.start()

    def build_scheduler(self) -> None:
        """Build the scheduler anew, and let all strategies declare."""
        self.scheduler = Scheduler(
            history=entries(self.journal),
            calendars=self.calendars,
            clock=self.clock,
            strategies={name: inbox.ref for name, inbox in self.strategies.items()},
            feed=self.to_feed.ref,
            span_us=lambda: self.data.span_us,
            record=self.journal.append,
        )
        self.scheduler.start()
        for name, schedules in self.schedules.items():
            self.to_scheduler.tell(Declare(name, tuple(schedules)))

    def run(self, until: int | None = None) -> None:
        """Go on to the end, or until ``until`` inputs were published."""
        while not self.finished and (until is None or len(self.told) < until):
            if not self.step():
                return

    def step(self) -> bool:
        """Deliver one message; False when nothing is left."""
        # The feed's own next step comes last: it waits until all else is quiet.
        if self.to_scheduler.told:
            self.scheduler.handle(self.to_scheduler.told.pop(0))
        elif self.to_feed.told:
            wanted = self.wanted(self.clock.cursor >> 16)
            self.interest.say("paper", wanted=wanted)
            self.feed.handle(self._next_of_feed())
        else:
            return False
        effects, self._effects[:] = list(self._effects), []
        for effect in effects:
            effect()
        self._collect("session", self.session)
        for name, inbox in self.strategies.items():
            self._collect(name, inbox)
        return True

    def _next_of_feed(self) -> NextStep | NextDue:
        waiting = self.to_feed.told
        waiting.sort(key=lambda message: isinstance(message, NextStep))
        message: NextStep | NextDue = waiting.pop(0)
        return message

    def _collect(self, name: str, inbox: Inbox) -> None:
        self.told += [(name, message) for message in inbox.take()]

    def of(self, name: str, kind: type) -> list[Any]:
        """Return what one reader was told of one kind, in order."""
        return [m for who, m in self.told if who == name and isinstance(m, kind)]

    def _finish(self) -> None:
        self.finished += 1
