"""How a strategy comes back: its last saved state, and what it missed since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import attrs
import msgspec

from holdfast_actors.messages import Committed, Quotes, Slice, Ticks, Triggered
from holdfast_actors.replaying import History
from holdfast_actors.scheduler import PastTriggers
from holdfast_actors.strategy.calling import Fires
from holdfast_actors.strategy.news import NEWS
from holdfast_actors.strategy.state import Symbols, decode
from holdfast_domain import events as ev
from holdfast_domain.cursor import QUOTES_SLOT, START, TICKS_SLOT, cursor_at
from holdfast_domain.ports import Tape

TOLD: frozenset[type] = frozenset({
    ev.OrderRefused,
    ev.OrderRejected,
    ev.OrderFilled,
    ev.FillCorrected,
    ev.FillBusted,
    ev.ChangeRefused,
    ev.ReplaceRefused,
    ev.OrderReplaced,
    ev.OrderResolved,
    ev.OrderReopened,
    ev.OrderCanceled,
    ev.OrderExpired,
    ev.OrderNotPlaced,
})  # fmt: skip
"""The records of its own orders that a running strategy is told."""

READ = TOLD | {ev.OrderIntended, ev.CapitalAllotted, ev.StrategyForked}
"""The records that a strategy reads when it comes back."""

_OF_ALL = frozenset({ev.SchedulesDeclared, ev.Quarantined, ev.QuarantineReleased})
"""The records that it reads whosoever they are."""

_read_state = msgspec.json.Decoder(dict[str, str | None]).decode
"""Reads the changed attributes of a decision."""


@attrs.define
class Past:
    """What the journal knows of one strategy."""

    strategy: str
    entries: list[ev.Entry] = attrs.field(factory=list)
    """Its own records, in order; with `settled`, only those that are not in there."""

    first: ev.Entry | None = None
    """The record of its capital, which comes before everything."""

    settled: dict[str, Any] | None = None
    """Portfolio and desk of a snapshot, as plain values."""

    cursor: int = START
    """The last input that its saved state has taken."""

    applied: int = 0
    """The last record that its saved state has taken."""

    number: int = 0
    """Its last decision."""

    time_us: int = 0
    """Market time of that state."""

    decided: dict[str, str] = attrs.field(factory=dict)
    """Attributes as of its last decision."""

    gone: set[str] = attrs.field(factory=set)
    """Attributes that were deleted since `initialize`, as of its last decision."""

    between: dict[str, str | None] = attrs.field(factory=dict)
    """All attributes as they were saved after that decision; None for a deleted one.

    The next decision says what changed since the one before, and not since this.
    """

    schedules: dict[str, Any] = attrs.field(factory=dict)
    quarantined: set[str] = attrs.field(factory=set)
    """Origins that its reader must not take."""

    is_first: bool = True
    read_to: int = 0
    """The last record of the journal."""

    @classmethod
    def read(cls, strategy: str, path: str, history: Iterable[ev.Entry]) -> Past:
        """Read the journal once, for one strategy at ``path`` of the tree.

        A `History` whose ``saved`` is a `Past` goes on from there.
        """
        saved = history.saved if isinstance(history, History) else None
        past = cls(strategy) if saved is None else saved
        for entry in history:
            past.take(entry, path)
        return past

    def take(self, entry: ev.Entry, path: str) -> None:
        """Take one record of the journal, for the reader at ``path``."""
        event = entry.event
        kind = type(event)
        self.read_to = entry.sequence
        if kind is ev.OrderFilled:
            if event.fill.strategy == self.strategy:  # type: ignore[union-attr]
                self.entries.append(entry)
        elif kind not in _OF_ALL:
            if getattr(event, "strategy", None) == self.strategy:
                self._take_own(entry)
            elif kind in NEWS:
                self.entries.append(entry)
        elif isinstance(event, ev.SchedulesDeclared):
            self.schedules[event.strategy] = event.schedules
        elif isinstance(event, ev.Quarantined) and event.reader == path:
            self.quarantined.add(event.origin)
        elif isinstance(event, ev.QuarantineReleased):
            self.quarantined.discard(event.origin)

    def _take_own(self, entry: ev.Entry) -> None:
        event = entry.event
        if isinstance(event, ev.DecisionMade):
            self._stands_at(event, entry.market_time_us)
            self._decided(event.state)
        elif isinstance(event, ev.StrategySaved):
            if event.number == self.number:
                self._stands_at(event, event.time_us)
                self.between = _read_state(event.state)
        elif isinstance(event, ev.CapitalAllotted) and self.first is None:
            self.first = entry
        elif isinstance(event, ev.StrategyForked):
            self._begin_as(event, entry)
        elif type(event) in READ:
            self.entries.append(entry)

    def _decided(self, state: str) -> None:
        """Take what a decision says of the attributes."""
        self.between = {}
        for name, text in _read_state(state).items():
            if text is None:
                self.decided.pop(name, None)
                self.gone.add(name)
            else:
                self.decided[name] = text
                self.gone.discard(name)

    def _begin_as(self, event: ev.StrategyForked, entry: ev.Entry) -> None:
        """Stand where the strategy stood from which this one was forked.

        Its decisions count from 1 again: they are of another journal.
        """
        self.is_first = False
        self.cursor, self.time_us = event.cursor, event.time_us
        self.applied = entry.sequence
        self._decided(event.state)
        self.entries.append(entry)

    def _stands_at(self, event: ev.DecisionMade | ev.StrategySaved, us: int) -> None:
        self.is_first = False
        self.cursor, self.applied = event.cursor, event.applied
        self.number, self.time_us = event.number, us

    def put_back(self, owner: Owner, symbols: Symbols) -> None:
        """Give back the attributes as they were at the last decision."""
        _put({**dict.fromkeys(self.gone), **self.decided}, owner, symbols)

    def put_back_between(self, owner: Owner, symbols: Symbols) -> None:
        """Give back what was saved after that decision, if something was."""
        _put(self.between, owner, symbols)


Owner: TypeAlias = tuple[object, object]
"""A strategy and its context."""


def _put(texts: Mapping[str, str | None], owner: Owner, symbols: Symbols) -> None:
    strategy, context = owner
    for name, text in texts.items():
        whose, _, attribute = name.partition(".")
        target = context if whose == "context" else strategy
        if text is None:
            vars(target).pop(attribute, None)
        else:
            object.__setattr__(target, attribute, decode(text, symbols))


def is_told(event: ev.Event, strategy: str) -> bool:
    """Tell whether a running ``strategy`` is told ``event``."""
    if isinstance(event, ev.OrderFilled):
        return event.fill.strategy == strategy
    kind = type(event)
    is_own = kind in TOLD and getattr(event, "strategy", None) == strategy
    return is_own or kind in NEWS


def missed(
    past: Past,
    tape: Tape,
    triggers: PastTriggers,
    until: int,
    fires: Fires | None,
) -> Iterator[Slice | Ticks | Quotes | Triggered | Committed]:
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
    fires: Fires | None,
) -> Iterator[Slice | Ticks | Quotes | Triggered]:
    due = triggers.of(past.strategy, past.cursor, until)
    trigger = next(due, None)
    for cursor, step, time_us in tape.slices(past.cursor, until):
        while trigger is not None and trigger.cursor < cursor:
            yield trigger
            trigger = next(due, None)
        for told in told_of(tape, step, time_us):
            if told.cursor > past.cursor:
                yield told
        if fires is None or fires[step]:
            yield Slice(cursor, step, time_us)
    while trigger is not None:
        yield trigger
        trigger = next(due, None)


def told_of(tape: Tape, step: int, time_us: int) -> Iterator[Ticks | Quotes]:
    """Yield what strategies are told of a step besides its bars, in order."""
    trades, quotes = tape.news(step)
    if trades:
        yield Ticks(cursor_at(step, TICKS_SLOT), time_us, trades)
    if quotes:
        yield Quotes(cursor_at(step, QUOTES_SLOT), time_us, quotes)
