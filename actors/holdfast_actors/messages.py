"""What the trading actors say to each other.

A command is a verb, an event a past participle. Messages with a ``turn`` are taken at
quiescence on an engine in lock-step (see `holdfast_runtime.messages`), in this order:
intents by the order of the configuration, then a venue's evidence, then the source's
next step.

All are frozen. Those that are made for each bar are `msgspec.Struct`, which is made in
a sixth of the time of an attrs class; all others are attrs.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable
from typing import ClassVar

import attrs
from msgspec import Struct

from holdfast_domain.events import Entry, Event
from holdfast_domain.marketdata import Quote, Trade
from holdfast_domain.money import Money
from holdfast_domain.orders import OrderTerms
from holdfast_domain.schedules import Schedule
from holdfast_runtime import Lane


class Turn(enum.IntEnum):
    """The order in which held messages are taken within a step."""

    INTENT = 0
    EVIDENCE = 1
    SOURCE = 2


# --- from the journal ---------------------------------------------------------


@attrs.frozen
class Committed:
    """A record is durable; told once to each of its readers, in order."""

    entry: Entry

    @property
    def origin(self) -> Hashable:
        """The record."""
        return ("journal", self.entry.sequence)


@attrs.frozen
class Note:
    """Journal ``event``; nobody waits for it."""

    event: Event


# --- from the source ----------------------------------------------------------


class NextStep(Struct, frozen=True):
    """The feed's own: go on; from its incarnation ``feed``, others have their own."""

    turn: ClassVar[int] = Turn.SOURCE
    lane: ClassVar[Lane] = Lane.DATA
    feed: int


@attrs.frozen
class Advance:
    """Market time came to the end of ``step``: match against its data."""

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    step: int
    time_us: int

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


class Slice(Struct, frozen=True):
    """The bars of ``step`` have ended.

    Up to the step ``until`` nothing but slices comes: a strategy goes on by itself,
    and moves the clock, as long as it decides nothing.
    """

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    step: int
    time_us: int
    until: int = -1

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


class Ticks(Struct, frozen=True):
    """Trades of the market, oldest first, in a batch."""

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    time_us: int
    trades: tuple[Trade, ...]

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


class Quotes(Struct, frozen=True):
    """Quotes of the market, oldest first, in a batch."""

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    time_us: int
    quotes: tuple[Quote, ...]

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


@attrs.frozen
class TimeTo:
    """Market time is ``time_us``: fire what is due at this very moment."""

    lane: ClassVar[Lane] = Lane.TIMERS
    cursor: int
    time_us: int

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


@attrs.frozen
class AskDue:
    """The feed asks the scheduler when the next trigger is due after ``after_us``."""

    after_us: int


@attrs.frozen
class NextDue:
    """The scheduler tells the feed when the next trigger is due; None is never."""

    time_us: int | None


@attrs.frozen
class Triggered:
    """Schedules of a strategy are due."""

    lane: ClassVar[Lane] = Lane.TIMERS
    cursor: int
    time_us: int
    names: tuple[str, ...]

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


@attrs.frozen
class Declare:
    """A strategy declares its schedules."""

    strategy: str
    schedules: tuple[Schedule, ...]


@attrs.frozen
class AskSchedules:
    """The scheduler is new, and asks a strategy to declare its schedules again."""


# --- from a strategy to the guard to orders -----------------------------------


@attrs.frozen
class Draft:
    """An order that a strategy wants; its place in the decision is its index."""

    order_id: str
    terms: OrderTerms


@attrs.frozen
class Change:
    """New terms that a strategy wants for an order of its own."""

    order_id: str
    terms: OrderTerms


@attrs.frozen(kw_only=True)
class Decision:
    """All that a strategy decided on one input."""

    turn: ClassVar[int] = Turn.INTENT
    strategy: str
    number: int
    cursor: int
    time_us: int
    applied: int
    phase: str
    drafts: tuple[Draft, ...]
    cancels: tuple[str, ...]
    changes: tuple[Change, ...]
    state: str

    @property
    def origin(self) -> Hashable:
        """The decision."""
        return ("decision", self.strategy, self.number)


@attrs.frozen
class Verdict:
    """The guard on one draft or change: a reservation, or a reason against it."""

    reserved: Money | None
    reason: str = ""


@attrs.frozen
class Vetted:
    """A decision with a verdict on each of its drafts, and on each of its changes."""

    decision: Decision
    drafts: tuple[Verdict, ...]
    changes: tuple[Verdict, ...]
    generation: int
    valid_until_us: int

    @property
    def origin(self) -> Hashable:
        """The decision."""
        return self.decision.origin


@attrs.frozen
class Resend:
    """`orders` asks a strategy for its decisions after ``number`` again.

    Up to ``sequence`` the journal is durable, but a journal that died may not have
    told it: the strategy reads there what it was not told.
    """

    number: int
    sequence: int = 0


@attrs.frozen
class Missed:
    """The guard is new, or one of a strategy's decisions did not come.

    `orders` asks for what it does not have: of ``strategy``, or of all.
    """

    strategy: str = ""


@attrs.frozen
class Unchanged:
    """`orders` did not pass on a change that the guard has reserved for."""

    order_id: str


@attrs.frozen
class Readmit:
    """`orders` asks the guard whether an order proven absent may go out now."""

    order_id: str
    strategy: str
    terms: OrderTerms
    valid_until_us: int

    @property
    def origin(self) -> Hashable:
        """The order: its question must not be lost with the guard."""
        return ("readmit", self.order_id)


@attrs.frozen
class Readmitted:
    """The guard's answer; an empty reason is a yes."""

    order_id: str
    reason: str
    generation: int


@attrs.frozen
class CancelOrder:
    """A person asks to cancel an order."""

    order_id: str
    by: str


# --- to the guard, from people ------------------------------------------------


@attrs.frozen
class Halt:
    """Throw the kill switch: nothing new is sent. Handled before all that waits."""

    lane: ClassVar[Lane] = Lane.CONTROL
    reason: str
    by: str


@attrs.frozen
class Resume:
    """Take the kill switch back."""

    lane: ClassVar[Lane] = Lane.CONTROL
    reason: str
    by: str


@attrs.frozen
class Report:
    """Ask an owner of state for what it holds, as plain values."""
