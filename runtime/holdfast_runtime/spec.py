"""A supervision tree as data: who is there, and what happens when one dies."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from holdfast_runtime.errors import SpecError
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
    """None."""


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
    """Path of the actor that makes durable what this one records."""

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
    backoff: Backoff = Backoff()
    retry_parked_s: float | None = None
    """A parked family tries again after this time; ``None`` waits for an operator."""

    def check(self, above: str = "") -> None:
        """Refuse a spec that cannot be run.

        Raises:
            SpecError: naming the child by its path.
        """
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
            elif child.stop_s < 0:
                message = f"{path}/{child.name}: expected stop_s >= 0"
                raise SpecError(message)


def _check_name(path: str, name: str, names: list[str]) -> None:
    if not name or "/" in name:
        message = f"{path}: expected a child's name without '/', was {name!r}"
        raise SpecError(message)
    if names.count(name) > 1:
        message = f"{path}/{name}: expected names of siblings to differ"
        raise SpecError(message)
