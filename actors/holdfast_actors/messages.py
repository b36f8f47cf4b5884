"""What the trading actors say to each other.

A command is a verb, an event a past participle. Messages with a ``turn`` are taken at
quiescence on an engine in lock-step (see `holdfast_runtime.messages`), in this order:
intents by the order of the configuration, then a venue's evidence, then the source's
next step.

All are frozen. They are `msgspec.Struct`, which is made in a sixth of the time of an
attrs class: an order is a dozen messages.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable
from typing import ClassVar, TypeAlias, final

from msgspec import Struct

from holdfast_domain.events import Entry, Event
from holdfast_domain.marketdata import Quote, Trade
from holdfast_domain.money import Money
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms
from holdfast_domain.schedules import Schedule
from holdfast_runtime import Lane


class Turn(enum.IntEnum):
    """The order in which held messages are taken within a step."""

    INTENT = 0
    EVIDENCE = 1
    SOURCE = 2


# --- from the journal ---------------------------------------------------------


@final
class Committed(Struct, frozen=True, gc=False):
    """A record is durable; told once to each of its readers, in order."""

    entry: Entry

    @property
    def origin(self) -> Hashable:
        """The record."""
        return ("journal", self.entry.sequence)

    @property
    def correlation(self) -> Hashable:
        """The input at which it was made."""
        return ("input", self.entry.cursor)


class Note(Struct, frozen=True):
    """Journal ``event``; nobody waits for it."""

    event: Event


# --- from the source ----------------------------------------------------------


class NextStep(Struct, frozen=True):
    """The feed's own: go on; from its incarnation ``feed``, others have their own."""

    turn: ClassVar[int] = Turn.SOURCE
    lane: ClassVar[Lane] = Lane.DATA
    feed: int


class Grown(Struct, frozen=True):
    """There is more data: a feed that came to the end of it goes on."""

    lane: ClassVar[Lane] = Lane.DATA


class Advance(Struct, frozen=True):
    """Market time came to the end of ``step``: match against its data."""

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    step: int
    time_us: int

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


@final
class Slice(Struct, frozen=True, gc=False):
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


@final
class Ticks(Struct, frozen=True, gc=False):
    """Trades of the market, oldest first, in a batch."""

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    time_us: int
    trades: tuple[Trade, ...]

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


@final
class Quotes(Struct, frozen=True, gc=False):
    """Quotes of the market, oldest first, in a batch."""

    lane: ClassVar[Lane] = Lane.DATA
    cursor: int
    time_us: int
    quotes: tuple[Quote, ...]

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


class TimeTo(Struct, frozen=True):
    """Market time is ``time_us``: fire what is due at this very moment."""

    lane: ClassVar[Lane] = Lane.TIMERS
    cursor: int
    time_us: int

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


class AskDue(Struct, frozen=True):
    """The feed asks the scheduler when the next trigger is due after ``after_us``."""

    after_us: int


class NextDue(Struct, frozen=True):
    """The scheduler tells the feed when the next trigger is due; None is never."""

    time_us: int | None


@final
class Triggered(Struct, frozen=True):
    """Schedules of a strategy are due."""

    lane: ClassVar[Lane] = Lane.TIMERS
    cursor: int
    time_us: int
    names: tuple[str, ...]

    @property
    def origin(self) -> Hashable:
        """The input."""
        return ("input", self.cursor)


class Declare(Struct, frozen=True):
    """A strategy declares its schedules."""

    strategy: str
    schedules: tuple[Schedule, ...]


class AskSchedules(Struct, frozen=True):
    """The scheduler is new, and asks a strategy to declare its schedules again."""


# --- from a strategy to the guard to orders -----------------------------------


class Draft(Struct, frozen=True, gc=False):
    """An order that a strategy wants; its place in the decision is its index."""

    order_id: str
    terms: OrderTerms
    leg: Leg | None = None
    """What binds it to the drafts beside it: the legs of a list stand together."""


class Change(Struct, frozen=True, gc=False):
    """New terms that a strategy wants for an order of its own."""

    order_id: str
    terms: OrderTerms


@final
class Decision(Struct, frozen=True, kw_only=True, gc=False):
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

    @property
    def correlation(self) -> Hashable:
        """The input on which it was made."""
        return ("input", self.cursor)


class Verdict(Struct, frozen=True, gc=False):
    """The guard on one draft or change: a reservation, or a reason against it."""

    reserved: Money | None
    reason: str = ""


@final
class Vetted(Struct, frozen=True, gc=False):
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

    @property
    def correlation(self) -> Hashable:
        """The input on which the decision was made."""
        return self.decision.correlation


@final
class Resend(Struct, frozen=True):
    """`orders` asks a strategy for its decisions after ``number`` again.

    Up to ``sequence`` the journal is durable, but a journal that died may not have
    told it: the strategy reads there what it was not told.
    """

    number: int
    sequence: int = 0


class Missed(Struct, frozen=True):
    """The guard is new, or one of a strategy's decisions did not come.

    `orders` asks for what it does not have: of ``strategy``, or of all. A guard that
    was built anew gives its ``number``, and is told by `CaughtUp`.
    """

    strategy: str = ""
    number: int = 0


class CaughtUp(Struct, frozen=True):
    """What guards before the one of that ``number`` passed is durable, and was told.

    0 if `orders` is new, and does not know who has asked.
    """

    number: int = 0


class Unchanged(Struct, frozen=True):
    """`orders` did not pass on a change that the guard has reserved for."""

    order_id: str


class Readmit(Struct, frozen=True):
    """`orders` asks the guard whether an order proven absent may go out now."""

    order_id: str
    strategy: str
    terms: OrderTerms
    valid_until_us: int

    @property
    def origin(self) -> Hashable:
        """The order: its question must not be lost with the guard."""
        return ("readmit", self.order_id)


class Readmitted(Struct, frozen=True):
    """The guard's answer; an empty reason is a yes."""

    order_id: str
    reason: str
    generation: int


class CancelOrder(Struct, frozen=True):
    """A person asks to cancel an order."""

    order_id: str
    by: str


# --- to the guard, from people ------------------------------------------------


class Halt(Struct, frozen=True):
    """Throw the kill switch: nothing new is sent. Handled before all that waits."""

    lane: ClassVar[Lane] = Lane.CONTROL
    reason: str
    by: str


class Resume(Struct, frozen=True):
    """Take the kill switch back."""

    lane: ClassVar[Lane] = Lane.CONTROL
    reason: str
    by: str


class Report(Struct, frozen=True):
    """Ask an owner of state for what it holds, as plain values."""


class Save(Struct, frozen=True):
    """Ask a strategy to journal its whole state now."""


StrategyMessage: TypeAlias = (
    Slice
    | Ticks
    | Quotes
    | Committed
    | Triggered
    | Resend
    | AskSchedules
    | Report
    | Save
)
"""What a strategy's actor takes."""
