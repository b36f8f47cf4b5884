"""The scheduler: tells strategies when their schedules are due.

It owns what was declared (from the journal) and nothing else. Time comes to it from
the source, so that a replay fires the same triggers at the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_never

import attrs

from holdfast_actors.clock import MarketClock
from holdfast_actors.messages import (
    AskDue,
    AskSchedules,
    Declare,
    NextDue,
    TimeTo,
    Triggered,
)
from holdfast_actors.replaying import History
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at, step_of
from holdfast_domain.events import Entry, Event, SchedulesDeclared
from holdfast_domain.schedules import Calendars, Schedule, triggers_between
from holdfast_runtime import Ref


class Scheduler:
    """Fires triggers; rebuilt from the declarations in the journal."""

    def __init__(
        self,
        *,
        history: Iterable[Entry],
        calendars: Calendars,
        clock: MarketClock,
        strategies: Mapping[str, Ref[Any]],
        feed: Ref[Any],
        span_us: Callable[[], tuple[int, int]],
        record: Callable[[Event], None],
    ) -> None:
        """Look no further than ``span_us`` says: from after the one to the other."""
        known = history.saved if isinstance(history, History) else None
        self._declared: dict[str, tuple[Schedule, ...]] = {
            **(known or {}),
            **declared(entry.event for entry in history),
        }
        self._calendars = calendars
        self._clock = clock
        self._strategies = strategies
        self._feed = feed
        self._span_us = span_us
        self._record = record

    def start(self) -> None:
        """Ask for what an incarnation before may have taken with it."""
        for strategy in self._strategies.values():
            strategy.tell(AskSchedules())
        self._tell_next(self._clock.fired_us)

    def handle(self, message: Declare | TimeTo | AskDue) -> None:
        """Dispatch one message; every kind is named here."""
        match message:
            case Declare(strategy, schedules):
                self._declare(strategy, schedules)
            case TimeTo(cursor, time_us):
                self._fire(cursor, time_us)
            case AskDue(after_us):
                self._tell_next(after_us)
            case _:
                assert_never(message)

    def _declare(self, strategy: str, schedules: tuple[Schedule, ...]) -> None:
        if self._declared.get(strategy, ()) == schedules:
            return
        self._declared[strategy] = schedules
        self._record(SchedulesDeclared(strategy=strategy, schedules=schedules))
        self._tell_next(self._clock.fired_us)

    def _fire(self, cursor: int, time_us: int) -> None:
        for name, strategy in self._strategies.items():
            due = triggers_between(
                self._declared.get(name, ()), self._calendars, time_us - 1, time_us
            )
            names = tuple(trigger.name for trigger in due)
            if names:
                strategy.tell(Triggered(cursor, time_us, names))
        self._tell_next(time_us)

    def _tell_next(self, after_us: int) -> None:
        since_us, until_us = self._span_us()
        after_us = max(after_us, since_us)
        firsts = [
            next(triggers_between(each, self._calendars, after_us, until_us), None)
            for each in self._declared.values()
        ]
        times = [first.time_us for first in firsts if first is not None]
        self._feed.tell(NextDue(min(times) if times else None))


def declared(events: Iterable[Event]) -> dict[str, tuple[Schedule, ...]]:
    """Return the last declaration of each strategy."""
    return {
        event.strategy: event.schedules
        for event in events
        if isinstance(event, SchedulesDeclared)
    }


@attrs.frozen
class PastTriggers:
    """The triggers that a replay has fired, with the cursors it gave them."""

    declared: Mapping[str, Sequence[Schedule]]
    calendars: Calendars
    times_us: Sequence[int]
    begins: int = 0
    """With which step the run begins: nothing was due in what is before."""

    def of(self, strategy: str, after: int, until: int) -> Iterator[Triggered]:
        """Yield what ``strategy`` was told at cursors in (after, until], in order."""
        if not self.declared.get(strategy):
            return
        first = max(self.begins, step_of(after))
        for step in range(first, step_of(until) + 1):
            for told in self._in_step(strategy, step):
                if after < told.cursor <= until:
                    yield told

    def _in_step(self, strategy: str, step: int) -> Iterator[Triggered]:
        end_us = self.times_us[step]
        after_us = self.times_us[step - 1] if step else end_us - 1
        moments = sorted(
            {
                trigger.time_us
                for schedules in self.declared.values()
                for trigger in triggers_between(
                    schedules, self.calendars, after_us, end_us
                )
            }
        )
        for slot, time_us in enumerate(moments, start=1):
            at_end = time_us == end_us
            cursor = cursor_at(step, ADVANCE_SLOT + 1 if at_end else slot)
            own = triggers_between(
                self.declared[strategy], self.calendars, time_us - 1, time_us
            )
            names = tuple(trigger.name for trigger in own)
            if names:
                yield Triggered(cursor, time_us, names)
