"""A supervision tree as data: who is there, and what happens when one dies."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from holdfast_runtime.errors import SpecError
from holdfast_runtime.mailbox import Full, Lane, LaneSpec
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

    backoff: Backoff | None = None
    """Instead of the family's."""


@attrs.frozen(kw_only=True)
class SupervisorSpec:
    """One family: its children in the order of their start."""

    name: str
    children: tuple[ActorSpec | SupervisorSpec, ...] = ()
    strategy: Strategy = Strategy.ONE_FOR_ONE
    restarts: int = 3
    """Restarts tolerated within ``period_s``; limits of nested families multiply."""

    period_s: float = 60.0
    beyond: Beyond = Beyond.ESCALATE
    restart: Restart = Restart.PERMANENT
    backoff: Backoff = _BACKOFF
    retry_parked_s: float | None = None
    """A parked family tries again after this time; ``None`` waits for an operator."""

    def check(self, above: str = "") -> None:
        """Refuse a spec that cannot be run.

        Raises:
            SpecError: naming the child by its path.
        """
        _check_name(above or "the root", self.name, [])
        path = f"{above}/{self.name}" if above else self.name
        if self.restarts < 0 or self.period_s <= 0:
            message = (
                f"{path}: expected restarts >= 0 within a positive period_s, "
                f"was {self.restarts} within {self.period_s}"
            )
            raise SpecError(message)
        names = [child.name for child in self.children]
        for child in self.children:
            _check_name(path, child.name, names)
            if isinstance(child, SupervisorSpec):
                child.check(path)
            else:
                _check_actor(f"{path}/{child.name}", child)


def actors_of(
    spec: ActorSpec | SupervisorSpec, above: str = ""
) -> Iterator[tuple[str, ActorSpec]]:
    """Yield the path and spec of each actor, in the order of their start."""
    path = f"{above}/{spec.name}" if above else spec.name
    if isinstance(spec, ActorSpec):
        yield path, spec
        return
    for child in spec.children:
        yield from actors_of(child, path)


def check_recorders(
    actors: Iterable[tuple[str, ActorSpec]], known: Iterable[str] = ()
) -> None:
    """Refuse an actor whose recorder does not come before it.

    An actor is rebuilt when all that it recorded is settled; if its recorder were to
    start after it, both would wait for ever.

    Raises:
        SpecError: naming the actor by its path.
    """
    before = set(known)
    for path, actor in actors:
        if actor.recorder is not None and actor.recorder not in before:
            message = (
                f"{path}: expected a recorder that comes before it in the tree, "
                f"was {actor.recorder!r}"
            )
            raise SpecError(message)
        before.add(path)


def check_child(path: str, spec: ActorSpec | SupervisorSpec, names: list[str]) -> None:
    """Refuse a child that cannot be added to the family at ``path``.

    Raises:
        SpecError: naming the child by its path.
    """
    _check_name(path, spec.name, [*names, spec.name])
    if isinstance(spec, SupervisorSpec):
        spec.check(path)
    else:
        _check_actor(f"{path}/{spec.name}", spec)


def _check_name(path: str, name: str, names: list[str]) -> None:
    if not name or "/" in name:
        message = f"{path}: expected a child's name without '/', was {name!r}"
        raise SpecError(message)
    if names.count(name) > 1:
        message = f"{path}/{name}: expected names of siblings to differ"
        raise SpecError(message)


def _check_actor(path: str, spec: ActorSpec) -> None:
    if spec.stop_s < 0:
        message = f"{path}: expected stop_s >= 0, was {spec.stop_s}"
        raise SpecError(message)
    for lane, lane_spec in spec.lanes.items():
        if lane_spec.full is Full.CONFLATE and lane_spec.key is None:
            message = f"{path}: expected a key for {lane!r}, which conflates"
            raise SpecError(message)
