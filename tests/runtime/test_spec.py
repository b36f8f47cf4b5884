"""Specs that cannot be run are refused, by the path of the child."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Full,
    Lane,
    LaneSpec,
    LiveEngine,
    SimulatedEngine,
    SpecError,
    SupervisorSpec,
)

from .puppets import CRASH, Puppet, puppet
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
            "top/f: expected restarts >= 0 within a positive period_s, was -1",
        ),
        (family("top", period_s=0.0), "top: expected restarts >= 0"),
        (
            family("top", family("f", actor("a", stop_s=-1.0))),
            "top/f/a: expected stop_s >= 0, was -1.0",
        ),
        (
            family("top", actor("a", lanes={Lane.DATA: LaneSpec(full=Full.CONFLATE)})),
            "top/a: expected a key for <Lane.DATA: 3>, which conflates",
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
