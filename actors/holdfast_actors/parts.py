"""All that an engine is made of, for its tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from holdfast_actors.clock import (
    GuardMark,
    HaltGate,
    MarketClock,
    OrdersMark,
    PriceBoard,
    VenueInterest,
    VenueReach,
    VenueSilence,
)
from holdfast_actors.connection import Deadlines
from holdfast_actors.degradation import Degrading, Maintenance
from holdfast_actors.feed import SLICES_MAX
from holdfast_actors.folding import Shape
from holdfast_actors.lastgate import Fence
from holdfast_actors.places import (
    strategy_path,
)
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.recovery import Recovery
from holdfast_actors.resolver import Patience
from holdfast_actors.strategy.plan import StrategyPlan
from holdfast_actors.vetting import Limits
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.ports import JournalStore, ReplayedVenue, ThreadHost, WallClock
from holdfast_domain.schedules import Calendars
from holdfast_domain.sight import VenueSight
from holdfast_runtime import (
    ActorSpec,
    Backoff,
    SupervisorSpec,
)


@attrs.frozen(kw_only=True)
class LiveAccount:
    """An account at a real venue, which goes by its own time."""

    connect: Callable[[], ReplayedVenue]
    """Opens it; once for each session."""

    listeners: tuple[ActorSpec, ...] = ()
    """Who hears what happens to it, beside the session."""

    now_us: Callable[[], int]
    """The time by which an order is too old to be sent."""

    sight: Callable[[], VenueSight] = VenueSight
    """Shows limiter and breaker; blocks never, and asks nobody."""


@attrs.define(kw_only=True)
class Parts:
    """All that a replayed run is made of; made by the composition root."""

    data: MarketData
    instruments: Mapping[str, Instrument]
    calendars: Calendars
    limits: Limits
    plans: tuple[StrategyPlan, ...]
    store: JournalStore
    recovery: Recovery
    journal_host: ThreadHost | None
    """Where commits run; None for a store that does not wait."""

    venues: Mapping[str, Callable[[], ReplayedVenue]]
    """By name, what opens a venue; once for each session.

    At the first trades what names no venue of its own.
    """

    wall: WallClock
    engine: int
    epoch: int
    clock: MarketClock
    finished: Callable[[], None]
    speed: float | None = None
    slices_max: int = SLICES_MAX
    """Most slices that a lone strategy is given in one message."""

    backoff: Backoff = attrs.field(factory=Backoff)
    strategy_budget_s: float | None = None
    """How long a strategy may take over one message before that is reported."""

    sources: tuple[ActorSpec, ...] = ()
    """What makes the data grow, beside the feed."""

    accounts: Mapping[str, LiveAccount] = attrs.field(factory=dict)
    """By venue; what is not there goes by market time."""

    degrading: Mapping[str, Degrading] = attrs.field(factory=dict)
    """By venue, what is done when it is away for long; others nobody watches."""

    maintenance: Mapping[str, Maintenance] = attrs.field(factory=dict)
    """By venue, when it is known to be away."""

    more: tuple[ActorSpec | SupervisorSpec, ...] = ()
    deadlines: Deadlines = attrs.field(factory=Deadlines)
    patience: Patience = attrs.field(factory=Patience)
    reconciling: ReconcilePlan | None = None
    """How the books are compared with the venues; None: nobody does it."""

    attention: Callable[[str], None] = attrs.field(default=lambda _text: None)
    """Told, aloud, what a person should look at; what was journaled is durable."""

    notice: Callable[[str, str, str], None] = attrs.field(
        default=lambda _path, _what, _how: None
    )
    """Told what has changed, of an actor's concern, and how that stands now."""

    fence: Fence = attrs.field(factory=Fence)
    prices: PriceBoard = attrs.field(init=False)
    gate: HaltGate = attrs.field(factory=HaltGate, init=False)
    mark: OrdersMark = attrs.field(factory=OrdersMark, init=False)
    passed: GuardMark = attrs.field(factory=GuardMark, init=False)
    interest: VenueInterest = attrs.field(init=False)
    silences: Mapping[str, VenueSilence] = attrs.field(init=False)
    reaches: Mapping[str, VenueReach] = attrs.field(init=False)
    venue: str = attrs.field(init=False)
    """Where an instrument trades that names no venue."""

    venue_of: Callable[[str], str] = attrs.field(init=False)
    """Returns where an instrument trades, by its symbol."""

    silent: Mapping[str, Sequence[int]] = attrs.field(factory=dict)
    """Silences that the journal knows of; see `RunSoFar.silent`."""

    def __attrs_post_init__(self) -> None:
        self.venue = next(iter(self.venues))
        self.venue_of = {
            name: each.venue or self.venue for name, each in self.instruments.items()
        }.__getitem__
        self.prices = PriceBoard(self.data)
        self.interest = VenueInterest(tuple(self.venues))
        self.silences = {venue: VenueSilence() for venue in self.venues}
        self.gate.timetables.update(
            {name: each.refusal for name, each in self.maintenance.items()}
        )
        self.reaches = {venue: VenueReach() for venue in self.venues}

    def is_known_away(self, venue: str) -> bool:
        """Tell whether a venue is known to be away now."""
        found = self.maintenance.get(venue)
        return found is not None and found.is_on()

    @property
    def shape(self) -> Shape:
        """What a fold of this engine's journal must know."""
        return Shape(
            instruments=self.instruments,
            venue=self.venue,
            recent_us=self.limits.recent_us,
            strategies={plan.name: strategy_path(plan.name) for plan in self.plans},
        )

    def past(self, name: str, after: int) -> Iterable[ev.Entry]:
        """Return what a strategy is rebuilt from, or the records after one."""
        return self.store.read(after) if after else self.recovery.strategy(name)
