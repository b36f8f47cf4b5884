"""Specs that cannot be run are refused, by the path of the child."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    EngineFailed,
    Full,
    Lane,
    LaneSpec,
    LiveEngine,
    SimulatedEngine,
    SpecError,
    SupervisorSpec,
)

from .puppets import CRASH, Broken, Puppet, puppet
from .worlds import World, on_each_engine, play


def actor(name: str, **spec: Any) -> ActorSpec:
    return puppet([], name, **spec)


def family(name: str, *children: Any, **spec: Any) -> SupervisorSpec:
    return SupervisorSpec(name=name, children=children, **spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (family(""), "the root: expected a child's name without '/', was ''"),
        (family("a/b"), "the root: expected a child's name without '/', was 'a/b'"),
        (family("top", actor("a/b")), "top: expected a child's name without '/'"),
        (family("top", family("f", actor(""))), "top/f: expected a child's name"),
        (
            family("top", family("f", actor("a"), actor("a"))),
            "top/f/a: expected names of siblings to differ",
        ),
        (
            family("top", family("f", restarts=-1)),
            "top/f: expected restarts to be an integer >= 0, was -1",
        ),
        (family("top", restarts=2.5), "top: expected restarts to be an integer >= 0"),
        (family("top", period_s=0.0), "top: expected period_s > 0, was 0.0"),
        (family("top", period_s=math.nan), "top: expected period_s > 0, was nan"),
        (
            family("top", family("f", retry_parked_s=-1)),
            "top/f: expected retry_parked_s >= 0, was -1",
        ),
        (
            family("top", family("f", strategy="one_for_one")),
            "top/f: expected strategy to be one of Strategy.ONE_FOR_ONE, "
            "Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE, was 'one_for_one'",
        ),
        (
            family("top", family("f", beyond=None)),
            "top/f: expected beyond to be one of Beyond.ESCALATE, Beyond.PARK, "
            "was None",
        ),
        (family("top", actor("a", restart=True)), "top/a: expected restart to be one"),
        (
            family("top", actor("a", backoff=Backoff(first_s=-1.0))),
            "top/a: expected backoff.first_s >= 0, was -1.0",
        ),
        (family("top", backoff=None), "top: expected a Backoff, was None"),
        (
            family("top", backoff=Backoff(jitter=math.inf)),
            "top: expected backoff.jitter >= 0, was inf",
        ),
        (family("top", Puppet), "top: expected children that are ActorSpec or Sup"),
        (actor("a"), "the root: expected a SupervisorSpec, was ActorSpec(name='a'"),
        (
            family("top", actor("a", stop_s="soon")),
            "top/a: expected stop_s >= 0, was 'soon'",
        ),
        (
            family("top", actor("a", lanes={Lane.DATA: LaneSpec(capacity=0)})),
            "top/a, lane DATA: expected capacity to be an integer >= 1, was 0",
        ),
        (
            family("top", actor("a", lanes={Lane.DATA: LaneSpec(full="block")})),  # type: ignore[arg-type]
            "top/a, lane DATA: expected full to be one of Full.BLOCK, ",
        ),
        (family("top", actor("a", lanes={3: LaneSpec()})), "top/a: expected lanes by"),
        (family("top", actor("a", lanes={Lane.DATA: 9})), "top/a, lane DATA: expected"),
        (
            family("top", family("f", actor("a", stop_s=-1.0))),
            "top/f/a: expected stop_s >= 0, was -1.0",
        ),
        (
            family("top", actor("a", lanes={Lane.DATA: LaneSpec(full=Full.CONFLATE)})),
            "top/a, lane DATA: expected a key, for it conflates, was None",
        ),
        (
            family("top", actor("a", recorder="top/nobody")),
            "top/a: expected a recorder that comes before it in the tree, "
            "was 'top/nobody'",
        ),
        (
            family("top", actor("a", recorder="top/b"), actor("b")),
            "top/a: expected a recorder that comes before it in the tree",
        ),
    ],
)
def test_a_spec_that_cannot_be_run_names_the_child(
    spec: SupervisorSpec, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        SimulatedEngine(spec)
    assert str(caught.value).startswith(said)


async def later(_: object) -> Puppet:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (None, "top/a: expected build to be a function of the context, was None"),
        (lambda: Puppet, "top/a: expected build to take one argument, the context"),
        (Puppet, "top/a: expected build to take one argument, the context"),
        (later, "top/a: expected build to return an actor, not a coroutine"),
    ],
)
def test_what_builds_no_actor_is_refused(build: Any, said: str) -> None:
    spec = ActorSpec(name="a", build=build)
    with pytest.raises(SpecError) as caught:
        SimulatedEngine(family("top", spec))
    assert str(caught.value).startswith(said)


def test_a_builtin_that_does_not_tell_what_it_takes_may_be_a_builder() -> None:
    SimulatedEngine(family("top", ActorSpec(name="a", build=type)))


def returns_nothing(_: object) -> None:
    return None


def raises(_: object) -> None:
    raise Broken


@on_each_engine
@pytest.mark.parametrize(
    ("build", "said"),
    [
        (returns_nothing, "top/f/a: expected an object with handle, was None"),
        (raises, "Broken()"),
        (lambda _: SimpleNamespace(handle=3), "top/f/a: expected an object with"),
    ],
)
def test_a_builder_that_returns_nothing_or_raises_is_named(
    kind: str, build: Any, said: str
) -> None:
    async def scenario(world: World) -> None:
        raise AssertionError(world)

    spec = family("f", ActorSpec(name="a", build=build), restarts=0)
    with pytest.raises(EngineFailed) as caught:
        play(kind, family("top", spec, restarts=0), scenario)
    assert "top went beyond its limit of 0 restarts" in str(caught.value)
    assert "with top/f/a: " in str(caught.value)
    assert said in str(caught.value)
    cause = caught.value.__cause__
    assert cause is not None
    assert cause.__notes__ == ["in top/f/a, incarnation 1"]


async def test_both_engines_refuse_alike() -> None:
    with pytest.raises(SpecError, match="top/a: expected a recorder"):
        LiveEngine(family("top", actor("a", recorder="top/a")))


@pytest.mark.parametrize(
    ("child", "said"),
    [
        (actor("a"), "top/a: expected names of siblings to differ"),
        (actor("b", stop_s=-1.0), "top/b: expected stop_s >= 0"),
        (actor("b", recorder="top/c"), "top/b: expected a recorder"),
        (family("f", actor("/")), "top/f: expected a child's name"),
    ],
)
@on_each_engine
def test_a_child_that_cannot_be_added_leaves_the_tree_as_it_was(
    kind: str, child: Any, said: str
) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(SpecError) as caught:
            world.engine.root.add_child(child)
        assert str(caught.value).startswith(said)
        assert list(world.engine.cells) == ["top/a"]

    play(kind, family("top", actor("a")), scenario)


def test_a_family_without_children_is_up_at_once() -> None:
    engine = SimulatedEngine(family("top"))
    engine.start()
    assert engine.root.state.value == "running"
    engine.stop()


@on_each_engine
def test_an_actor_may_have_a_backoff_of_its_own(kind: str) -> None:
    notes: list[str] = []
    own = Backoff(first_s=0.5, jitter=0.0)

    async def scenario(world: World) -> None:
        for name in ("a", "b"):
            world.engine.post(world.cell(f"top/{name}"), CRASH, None)
        await world.sleep(0.6)
        assert world.state("top/a") == "running"
        assert world.state("top/b") == "down"

    children = (puppet(notes, "a", make=Puppet, backoff=own), puppet(notes, "b"))
    play(kind, family("top", *children), scenario)
