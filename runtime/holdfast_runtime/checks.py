"""Checks of specs: what cannot be run is refused, with the path of the child."""

from __future__ import annotations

import enum
import graphlib
import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from holdfast_runtime.errors import SpecError
from holdfast_runtime.mailbox import DEFAULT_LANES, Full, Lane, LaneSpec
from holdfast_runtime.moving.checks import check_moved
from holdfast_runtime.restarts import Backoff
from holdfast_runtime.spec import (
    ActorSpec,
    Beyond,
    Restart,
    Strategy,
    SupervisorSpec,
    actors_of,
    is_at_or_below,
    places_of,
)


def check_tree(spec: object) -> None:
    """Refuse a tree that cannot be run.

    Raises:
        SpecError: naming the child by its path, what was expected, and what was there.
    """
    if not isinstance(spec, SupervisorSpec):
        _refuse("the root", "a SupervisorSpec", spec)
    _check_name("the root", spec.name)
    _check_family(spec.name, spec)
    actors = dict(actors_of(spec))
    _check_recorders(actors.items())
    for path, actor in actors.items():
        check_moved(path, actor)
    _check_waits(actors, [*actors], places_of(spec))


def check_child(
    above: str,
    child: ActorSpec | SupervisorSpec,
    siblings: Iterable[str],
    running: Mapping[str, ActorSpec],
) -> None:
    """Refuse a child that cannot be added to the family at ``above``.

    ``running`` are the actors of the tree, by their paths.

    Raises:
        SpecError: naming the child by its path, what was expected, and what was there.
    """
    _check_child(above, child)
    if child.name in siblings:
        message = f"{above}/{child.name}: expected names of siblings to differ"
        raise SpecError(message)
    added = dict(actors_of(child, above))
    _check_recorders(added.items(), running)
    for path, actor in added.items():
        check_moved(path, actor)
    _check_waits({**running, **added}, [*added], places_of(child, above))


def _refuse(path: str, expected: str, was: object) -> NoReturn:
    message = f"{path}: expected {expected}, was {was!r}"
    raise SpecError(message)


# --- one child --------------------------------------------------------------------


def _check_child(above: str, child: object) -> None:
    if not isinstance(child, ActorSpec | SupervisorSpec):
        _refuse(above, "children that are ActorSpec or SupervisorSpec", child)
    _check_name(above, child.name)
    path = f"{above}/{child.name}"
    if isinstance(child, SupervisorSpec):
        _check_family(path, child)
    else:
        _check_actor(path, child)


def _check_name(above: str, name: object) -> None:
    if not isinstance(name, str) or not name or "/" in name:
        _refuse(above, "a child's name without '/'", name)


def _check_family(path: str, spec: SupervisorSpec) -> None:
    _check_member(path, "strategy", spec.strategy, Strategy)
    _check_member(path, "beyond", spec.beyond, Beyond)
    _check_member(path, "restart", spec.restart, Restart)
    if spec.restarts is not None:
        _check_count(path, "restarts", spec.restarts, 0)
    _check_number(path, "period_s", spec.period_s, above_zero=True)
    if spec.retry_parked_s is not None:
        _check_number(path, "retry_parked_s", spec.retry_parked_s)
    _check_backoff(path, spec.backoff)
    names: set[str] = set()
    for child in spec.children:
        _check_child(path, child)
        if child.name in names:
            message = f"{path}/{child.name}: expected names of siblings to differ"
            raise SpecError(message)
        names.add(child.name)


def _check_actor(path: str, spec: ActorSpec) -> None:
    _check_member(path, "restart", spec.restart, Restart)
    _check_number(path, "stop_s", spec.stop_s)
    for name in ("budget_s", "silent_s"):
        if getattr(spec, name) is not None:
            _check_number(path, name, getattr(spec, name), above_zero=True)
    _check_builder(path, spec.build)
    if spec.backoff is not None:
        _check_backoff(path, spec.backoff)
    for lane, lane_spec in spec.lanes.items():
        _check_lane(path, lane, lane_spec)


def _check_builder(path: str, build: object) -> None:
    if not callable(build):
        _refuse(path, "build to be a function of the context", build)
    if inspect.iscoroutinefunction(build):
        _refuse(path, "build to return an actor, not a coroutine", build)
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):
        # Some builtins do not tell what they take.
        return
    try:
        signature.bind(None)
    except TypeError:
        _refuse(path, "build to take one argument, the context", build)


def _check_lane(path: str, lane: object, spec: object) -> None:
    if not isinstance(lane, Lane):
        _refuse(path, "lanes by members of Lane", lane)
    where = f"{path}, lane {lane.name}"
    if not isinstance(spec, LaneSpec):
        _refuse(where, "a LaneSpec", spec)
    _check_member(where, "full", spec.full, Full)
    _check_count(where, "capacity", spec.capacity, 1)
    if spec.full is Full.CONFLATE and not callable(spec.key):
        _refuse(where, "a key, for it conflates", spec.key)


def _check_backoff(path: str, backoff: object) -> None:
    if not isinstance(backoff, Backoff):
        _refuse(path, "a Backoff", backoff)
    for name in ("first_s", "limit_s", "jitter", "healthy_s"):
        _check_number(path, f"backoff.{name}", getattr(backoff, name))


def _check_member(path: str, name: str, value: object, kind: type[enum.Enum]) -> None:
    if not isinstance(value, kind):
        members = ", ".join(str(each) for each in kind)
        _refuse(path, f"{name} to be one of {members}", value)


def _check_count(path: str, name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        _refuse(path, f"{name} to be an integer >= {least}", value)


def _check_number(
    path: str, name: str, value: object, *, above_zero: bool = False
) -> None:
    expected = f"{name} > 0" if above_zero else f"{name} >= 0"
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, expected, value)
    if not math.isfinite(value) or value < 0 or (above_zero and not value):
        _refuse(path, expected, value)


# --- who stands before whom -------------------------------------------------------


def _check_recorders(
    actors: Iterable[tuple[str, ActorSpec]], known: Iterable[str] = ()
) -> None:
    """Refuse an actor whose recorder does not come before it.

    An actor is rebuilt when all that it recorded is settled; if its recorder were to
    start after it, both would wait for ever.
    """
    before = set(known)
    for path, actor in actors:
        if actor.recorder is not None and actor.recorder not in before:
            _refuse(path, "a recorder that comes before it in the tree", actor.recorder)
        before.add(path)


def _check_waits(
    actors: Mapping[str, ActorSpec], checked: list[str], places: Iterable[str]
) -> None:
    """Refuse what would let actors wait for each other in a circle.

    A recorder waits for nobody, so that no circle goes by way of it.
    """
    known = [*places, *actors]
    for path in checked:
        _check_named(path, actors[path].waits_for, known)
        recorder = actors[path].recorder
        waited = recorder is not None and actors[recorder].waits_for
        if recorder is not None and waited:
            _refuse(recorder, "a recorder to wait for nobody", waited)
    graph = {
        path: [*_awaited(path, actors)]
        for path, spec in actors.items()
        if spec.waits_for
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = [*reversed(error.args[1])]
        message = (
            f"{circle[0]}: expected blocking lanes to form no cycle, was "
            f"{' waits for '.join(circle)}; take a step out of somebody's waits_for, "
            "or give the lanes that block another policy"
        )
        raise SpecError(message) from None


def _check_named(path: str, waits_for: object, known: Iterable[str]) -> None:
    if waits_for is None:
        return
    if not isinstance(waits_for, tuple):
        _refuse(path, "waits_for to be a tuple of paths", waits_for)
    for other in waits_for:
        if not any(is_at_or_below(each, str(other)) for each in known):
            _refuse(path, "waits_for to name actors or families of the tree", other)


def _awaited(path: str, actors: Mapping[str, ActorSpec]) -> Iterator[str]:
    """Yield those for whose full lanes the actor at ``path`` is declared to wait."""
    for named in actors[path].waits_for or ():
        for other, reader in actors.items():
            if is_at_or_below(other, named) and _may_block(reader):
                yield other


def _may_block(spec: ActorSpec) -> bool:
    """Tell whether any lane of an actor lets its senders wait."""
    lanes = {**DEFAULT_LANES, **spec.lanes}
    return any(lane.full is Full.BLOCK for lane in lanes.values())
