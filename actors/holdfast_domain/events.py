"""What is journaled: the records from which every state is built.

Each class is one kind of record. A projection takes those it knows and ignores the
others; nothing else may be journaled.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from holdfast_domain.forks import StrategyForked
from holdfast_domain.money import Money
from holdfast_domain.order_events import (
    AttentionNeeded,
    CancelRefused,
    CancelRequested,
    ChangeRefused,
    ExecutionsCovered,
    FillBusted,
    FillCorrected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderNotPlaced,
    OrderNotSent,
    OrderReadmitted,
    OrderRefused,
    OrderRejected,
    OrderReopened,
    OrderReplaced,
    OrderResolved,
    OrderUnknown,
    ReplaceRefused,
    ReplaceRequested,
    StrayEvidence,
)
from holdfast_domain.reconciliation import (
    BooksAdjusted,
    ExternalFilled,
    ExternalOrderAdopted,
    ExternalOrderGone,
    Reconciled,
    ReconcilePolicySet,
)
from holdfast_domain.schedules import Schedule


class EngineStarted(Struct, frozen=True, kw_only=True, gc=False):
    """A process took over the journal: the first record of each epoch."""

    engine: int
    """The engine's identity, drawn once with the journal."""

    mode: str
    pid: int
    options: str
    """What must not differ between starts, as canonical JSON."""


class CapitalAllotted(Struct, frozen=True, kw_only=True, gc=False):
    """A strategy got its share of the capital, once."""

    strategy: str
    money: Money


class DecisionMade(Struct, frozen=True, kw_only=True, gc=False):
    """A strategy decided; its orders follow in the same commit."""

    strategy: str
    number: int
    """Counts the strategy's decisions from 1; the key by which none is taken twice."""

    cursor: int
    """The last published input that the strategy had taken."""

    applied: int
    """The sequence of the last journal record that the strategy had taken."""

    phase: str
    """What called the strategy, such as ``slice``, ``fill`` or ``trigger:report``."""

    orders: tuple[str, ...]
    """The ids of the orders it made, in the order in which it made them."""

    cancels: tuple[str, ...]
    """The ids of the orders that it asked to cancel."""

    replaces: tuple[str, ...]
    """The ids of the orders for which it asked new terms."""

    state: str
    """The strategy's changed state, as JSON: attribute to encoded value."""


class StrategySaved(Struct, frozen=True, kw_only=True, gc=False):
    """A strategy's whole state between two decisions, so that a restart is quick.

    It counts only if the decision ``number`` is the last one before it.
    """

    strategy: str
    number: int
    cursor: int
    applied: int
    time_us: int
    """Market time of the strategy."""

    state: str


class Halted(Struct, frozen=True, kw_only=True, gc=False):
    """The kill switch is on: nothing new is sent."""

    reason: str
    by: str
    generation: int


class Resumed(Struct, frozen=True, kw_only=True, gc=False):
    """The kill switch is off again."""

    reason: str
    by: str


class SchedulesDeclared(Struct, frozen=True, kw_only=True, gc=False):
    """A strategy's schedules, whenever they differ from those declared before."""

    strategy: str
    schedules: tuple[Schedule, ...]


class ActorRestarted(Struct, frozen=True, kw_only=True, gc=False):
    """Supervision built an actor anew."""

    path: str
    incarnation: int
    error: str


class ActorParked(Struct, frozen=True, kw_only=True, gc=False):
    """A family went beyond its limit and was stopped, aloud."""

    path: str
    error: str


class VenueSilenced(Struct, frozen=True, kw_only=True, gc=False):
    """A venue wants to hear nothing for a while; a start within it keeps to that.

    The times are the host's, for no other clock outlives a process.
    """

    venue: str
    until: datetime
    cancels_until: datetime
    """The same of cancels; it lies in the past where they may go out."""


class VenueDegraded(Struct, frozen=True, kw_only=True, gc=False):
    """A venue has been away for longer than was configured."""

    venue: str
    policy: str
    """``keep``, ``halt``, ``cancel`` or ``paper``."""

    resume: str
    """Who takes it back: a ``person``, or the ``venue`` by being there again."""

    why: str
    after_ms: int
    """How long it was to be away for that."""

    nth: int = 0
    """How often it has been by now; 0 in records that are older than the count."""

    @property
    def holds(self) -> bool:
        """Whether no new order passes."""
        return self.policy != "keep"


class VenueRestored(Struct, frozen=True, kw_only=True, gc=False):
    """A venue is not degraded any more."""

    venue: str
    reason: str
    by: str


class Quarantined(Struct, frozen=True, kw_only=True, gc=False):
    """A record crashed its reader twice: it stays, unapplied, and trading stops."""

    subject: str
    """``instrument/SPY`` or ``strategy/momentum``."""

    reader: str
    """The reader's place in the tree."""

    origin: str
    """What it could not take: ``journal:17`` or ``input:65535``."""

    error: str


class QuarantineReleased(Struct, frozen=True, kw_only=True, gc=False):
    """A person released a quarantined record; its reader takes it at its restart."""

    subject: str
    origin: str
    by: str


class RunFinished(Struct, frozen=True, kw_only=True, gc=False):
    """The replayed data came to its end."""

    at: datetime
    bars: int


Event: TypeAlias = (
    EngineStarted
    | CapitalAllotted
    | StrategyForked
    | DecisionMade
    | StrategySaved
    | OrderIntended
    | OrderRefused
    | OrderAccepted
    | OrderRejected
    | OrderFilled
    | FillCorrected
    | FillBusted
    | ExecutionsCovered
    | CancelRequested
    | CancelRefused
    | ReplaceRequested
    | ChangeRefused
    | ReplaceRefused
    | OrderReplaced
    | OrderCanceled
    | OrderExpired
    | OrderUnknown
    | OrderNotSent
    | OrderReadmitted
    | OrderNotPlaced
    | AttentionNeeded
    | OrderResolved
    | OrderReopened
    | StrayEvidence
    | ExternalFilled
    | ExternalOrderAdopted
    | ExternalOrderGone
    | BooksAdjusted
    | Reconciled
    | ReconcilePolicySet
    | Halted
    | Resumed
    | SchedulesDeclared
    | ActorRestarted
    | ActorParked
    | VenueSilenced
    | VenueDegraded
    | VenueRestored
    | Quarantined
    | QuarantineReleased
    | RunFinished
)
"""Everything that a journal may hold."""

OPERATIONAL: tuple[type, ...] = (
    EngineStarted,
    ActorRestarted,
    ActorParked,
    VenueSilenced,
    StrategySaved,
    ExecutionsCovered,
    Reconciled,
)
"""Records of how the engine ran, not of what it traded.

Two runs are compared without them.
"""


class Entry(Struct, frozen=True, gc=False):
    """One record of the journal."""

    sequence: int
    """From 1, without a gap."""

    epoch: int
    """Which start of the engine wrote it; the first is 1."""

    cursor: int
    """How far the inputs had come."""

    market_time_us: int
    """Market time in microseconds UTC."""

    wall_time_us: int
    """The host's clock, for people; nothing is computed from it."""

    event: Event


__all__ = [
    "OPERATIONAL",
    "ActorParked",
    "ActorRestarted",
    "AttentionNeeded",
    "BooksAdjusted",
    "CancelRefused",
    "CancelRequested",
    "CapitalAllotted",
    "ChangeRefused",
    "DecisionMade",
    "EngineStarted",
    "Entry",
    "Event",
    "ExecutionsCovered",
    "ExternalFilled",
    "ExternalOrderAdopted",
    "ExternalOrderGone",
    "FillBusted",
    "FillCorrected",
    "Halted",
    "OrderAccepted",
    "OrderCanceled",
    "OrderExpired",
    "OrderFilled",
    "OrderIntended",
    "OrderNotPlaced",
    "OrderNotSent",
    "OrderReadmitted",
    "OrderRefused",
    "OrderRejected",
    "OrderReopened",
    "OrderReplaced",
    "OrderResolved",
    "OrderUnknown",
    "QuarantineReleased",
    "Quarantined",
    "ReconcilePolicySet",
    "Reconciled",
    "ReplaceRefused",
    "ReplaceRequested",
    "Resumed",
    "RunFinished",
    "SchedulesDeclared",
    "StrategyForked",
    "StrategySaved",
    "StrayEvidence",
    "VenueDegraded",
    "VenueRestored",
    "VenueSilenced",
]
