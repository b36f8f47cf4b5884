"""How a strategy comes back: its last saved state, and what it missed since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from holdfast_actors.messages import Committed, Slice, Triggered
from holdfast_actors.scheduler import PastTriggers, declared
from holdfast_actors.strategy.state import Symbols, decode
from holdfast_domain import events as ev
from holdfast_domain.cursor import START
from holdfast_domain.ports import Tape

TOLD: frozenset[type] = frozenset({
    ev.OrderRefused,
    ev.OrderRejected,
    ev.OrderFilled,
    ev.OrderReplaced,
    ev.OrderCanceled,
    ev.OrderExpired,
    ev.OrderNotPlaced,
})  # fmt: skip
"""The records of its own orders that a running strategy is told."""

READ = TOLD | {ev.OrderIntended, ev.CapitalAllotted}
"""The records that a strategy reads when it comes back."""


@attrs.define
class Past:
    """What the journal knows of one strategy."""

    strategy: str
    entries: list[ev.Entry] = attrs.field(factory=list)
    """Its own records, in order."""

    cursor: int = START
    """The last input that its saved state has taken."""

    applied: int = 0
    """The last record that its saved state has taken."""

    number: int = 0
    """Its last decision."""

    time_us: int = 0
    """Market time of that decision."""

    saved: dict[str, str] = attrs.field(factory=dict)
    gone: set[str] = attrs.field(factory=set)
    """Attributes that were deleted since `initialize`."""

    schedules: dict[str, Any] = attrs.field(factory=dict)
    quarantined: set[str] = attrs.field(factory=set)
    """Origins that its reader must not take."""

    is_first: bool = True
    read_to: int = 0
    """The last record of the journal."""

    @classmethod
    def read(cls, strategy: str, path: str, history: Iterable[ev.Entry]) -> Past:
        """Read the journal once, for one strategy at ``path`` of the tree."""
        past = cls(strategy)
        every = []
        for entry in history:
            event = entry.event
            past.read_to = entry.sequence
            if isinstance(event, ev.SchedulesDeclared):
                every.append(event)
            elif isinstance(event, ev.OrderFilled):
                if event.fill.strategy == strategy:
                    past.entries.append(entry)
            elif isinstance(event, ev.Quarantined) and event.reader == path:
                past.quarantined.add(event.origin)
            elif isinstance(event, ev.QuarantineReleased):
                past.quarantined.discard(event.origin)
            elif getattr(event, "strategy", None) == strategy:
                past._take(entry)
        past.schedules = dict(declared(every))
        return past

    def _take(self, entry: ev.Entry) -> None:
        event = entry.event
        if isinstance(event, ev.DecisionMade | ev.StrategySaved):
            self.is_first = False
            self.cursor = event.cursor
            self.time_us = entry.market_time_us
            self.applied = event.applied
            self.number = event.number
            for name, text in json.loads(event.state).items():
                if text is None:
                    self.saved.pop(name, None)
                    self.gone.add(name)
                else:
                    self.saved[name] = text
                    self.gone.discard(name)
        if type(event) in READ:
            self.entries.append(entry)

    def state(self, symbols: Symbols) -> dict[str, Any]:
        """Return the saved attributes as values."""
        return {name: decode(text, symbols) for name, text in self.saved.items()}


def is_told(event: ev.Event, strategy: str) -> bool:
    """Tell whether a running ``strategy`` is told ``event``."""
    if isinstance(event, ev.OrderFilled):
        return event.fill.strategy == strategy
    return type(event) in TOLD and getattr(event, "strategy", None) == strategy


def missed(
    past: Past,
    tape: Tape,
    triggers: PastTriggers,
    until: int,
    fires: bytearray | None,
) -> Iterator[Slice | Triggered | Committed]:
    """Yield what a strategy took after its saved state, in the order of the run.

    Inputs up to the cursor ``until`` come from the tape and the schedules, records
    from the journal; a record belongs after the input at whose cursor it was made.
    """
    entries = iter([e for e in past.entries if e.sequence > past.applied])
    waiting = next(entries, None)
    for told in _published(past, tape, triggers, until, fires):
        while waiting is not None and waiting.cursor < told.cursor:
            yield Committed(waiting)
            waiting = next(entries, None)
        yield told
    while waiting is not None:
        yield Committed(waiting)
        waiting = next(entries, None)


def _published(
    past: Past,
    tape: Tape,
    triggers: PastTriggers,
    until: int,
    fires: bytearray | None,
) -> Iterator[Slice | Triggered]:
    due = triggers.of(past.strategy, past.cursor, until)
    trigger = next(due, None)
    for cursor, step, time_us in tape.slices(past.cursor, until):
        while trigger is not None and trigger.cursor < cursor:
            yield trigger
            trigger = next(due, None)
        if fires is None or fires[step]:
            yield Slice(cursor, step, time_us)
    while trigger is not None:
        yield trigger
        trigger = next(due, None)
