"""A supervision tree as data: who is there, and what happens when one dies."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from holdfast_runtime.mailbox import Lane, LaneSpec
from holdfast_runtime.restarts import Backoff

if TYPE_CHECKING:
    from holdfast_runtime.context import Context


class Restart(enum.Enum):
    """Which ends of a child are followed by a restart."""

    PERMANENT = "permanent"
    """Every end."""

    TRANSIENT = "transient"
    """A crash, but not a normal end."""

    TEMPORARY = "temporary"
    """None; not even when its siblings are restarted."""


class Strategy(enum.Enum):
    """Who else is restarted when one child dies."""

    ONE_FOR_ONE = "one_for_one"
    """Nobody."""

    ONE_FOR_ALL = "one_for_all"
    """All children."""

    REST_FOR_ONE = "rest_for_one"
    """Those that come after it in the spec."""


class Beyond(enum.Enum):
    """What a family does when it has restarted too often."""

    ESCALATE = "escalate"
    """Stop all children and crash, so that the family above decides."""

    PARK = "park"
    """Stop all children, say so, and wait for a timer or an operator."""


RunsIn: TypeAlias = Literal["engine", "thread", "process"]
"""Where an actor's functions run: in the engine's thread, one's own, or a process."""

_BACKOFF = Backoff()


@attrs.frozen(kw_only=True)
class ActorSpec:
    """One actor: how it is built, when it is built again, how its mailbox behaves."""

    name: str
    build: Callable[[Context], Any]
    """Makes a *new* actor each time: an object with ``handle(message)``."""

    restart: Restart = Restart.PERMANENT
    stop_s: float = 5.0
    """How long an orderly stop may take before the actor is cancelled."""

    lanes: Mapping[Lane, LaneSpec] = attrs.field(factory=dict)
    """Lanes that differ from the default."""

    recorder: str | None = None
    """Path of the actor that makes durable what this one records.

    It comes before this one in the tree: it is there when this one is rebuilt.
    """

    waits_for: tuple[str, ...] | None = None
    """Paths of actors, or families, for whose full blocking lanes this one waits.

    Whoever declares it waits for them and for its recorder, and for nobody else: what
    it says to others goes over the capacity of a full lane. No cycle may come of it.
    ``None`` waits for anybody who is full, but for those who wait for it.
    """

    backoff: Backoff | None = None
    """Instead of the family's."""

    runs_in: RunsIn = "engine"
    """Where a synchronous actor that computes for long does so."""

    give_up_s: float | None = None
    """How long one call of an actor elsewhere may take before it crashes as `Overdue`.

    ``None`` waits for ever. On the simulated engine nothing takes time.
    """

    budget_s: float | None = None
    """How long its handler may take; one that takes longer is told as ``overran``.

    An asynchronous one is told while it is under way, a synchronous one when it has
    returned; on the live engine one that hangs is told to `LiveEngine.on_hang` too.
    """

    silent_s: float | None = None
    """How long it may be without a message or a `Context.beat`; else ``silent``."""

    @property
    def is_watched(self) -> bool:
        """Whether it has a watchdog."""
        return self.budget_s is not None or self.silent_s is not None


@attrs.frozen(kw_only=True)
class SupervisorSpec:
    """One family: its children in the order of their start."""

    name: str
    children: tuple[ActorSpec | SupervisorSpec, ...] = ()
    strategy: Strategy = Strategy.ONE_FOR_ONE
    restarts: int | None = 3
    """Restarts tolerated within ``period_s``; limits of nested families multiply.

    ``None`` restarts for ever, as often as the backoff allows.
    """

    period_s: float = 60.0
    beyond: Beyond = Beyond.ESCALATE
    restart: Restart = Restart.PERMANENT
    backoff: Backoff = _BACKOFF
    retry_parked_s: float | None = None
    """A parked family tries again after this time; ``None`` waits for an operator."""


def actors_of(
    spec: ActorSpec | SupervisorSpec, above: str = ""
) -> Iterator[tuple[str, ActorSpec]]:
    """Yield the path and spec of each actor, in the order of their start."""
    for path, each in places_of(spec, above).items():
        if isinstance(each, ActorSpec):
            yield path, each


def places_of(
    spec: ActorSpec | SupervisorSpec, above: str = ""
) -> dict[str, ActorSpec | SupervisorSpec]:
    """Return all actors and families by their paths, in the order of their start."""
    path = f"{above}/{spec.name}" if above else spec.name
    found: dict[str, ActorSpec | SupervisorSpec] = {path: spec}
    if isinstance(spec, SupervisorSpec):
        for child in spec.children:
            found |= places_of(child, path)
    return found


def is_at_or_below(path: str, other: str) -> bool:
    """Tell whether ``path`` is the place ``other``, or below it."""
    return path == other or path.startswith(f"{other}/")
