"""Which ends of a child are followed by a restart: every kind against every end."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    Restart,
    Stop,
    SupervisorSpec,
)

from .puppets import CRASH, AsyncPuppet, Broken, Puppet, Say, puppet
from .worlds import World, on_each_engine, play

QUICK = Backoff(first_s=1.0, jitter=0.0)
MAKERS = pytest.mark.parametrize("make", [Puppet, AsyncPuppet])


def family(*children: ActorSpec, **spec: Any) -> SupervisorSpec:
    return SupervisorSpec(name="top", children=children, backoff=QUICK, **spec)


@on_each_engine
@MAKERS
@pytest.mark.parametrize(
    ("restart", "end", "after"),
    [
        (Restart.PERMANENT, CRASH, "running"),
        (Restart.PERMANENT, Stop(), "running"),
        (Restart.TRANSIENT, CRASH, "running"),
        (Restart.TRANSIENT, Stop(), "stopped"),
        (Restart.TEMPORARY, CRASH, "stopped"),
        (Restart.TEMPORARY, Stop(), "stopped"),
    ],
)
def test_an_end_is_followed_by_what_the_restart_kind_says(
    kind: str, make: type[Puppet], restart: Restart, end: object, after: str
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Say("one"))
        await world.told("top/a", end, Say("two"))
        assert world.state("top/a") == ("down" if after == "running" else after)
        await world.sleep(1.0)
        assert world.state("top/a") == after

    engine = play(
        kind, family(puppet(notes, "a", make=make, restart=restart)), scenario
    )
    lived = ["a: born", "a: one", *(["a: stops"] if isinstance(end, Stop) else [])]
    again = ["a: born", "a: two", "a: stops"] if after == "running" else []
    assert notes == lived + again
    dead = [letter.message for letter in engine.dead_letters]
    assert dead == [
        *([end] if end is CRASH else []),
        *([Say("two")] if after == "stopped" else []),
    ]


class Fragile(Puppet):
    """Fails at its first ``fails`` births, when it is built or when it starts."""

    fails = 2
    births = 0
    where = "build"

    def __init__(self, ctx: Context, notes: list[str]) -> None:
        super().__init__(ctx, notes)
        type(self).births += 1
        if self.where == "build":
            self.fail()

    def start(self) -> None:
        if self.where == "start":
            self.fail()

    def fail(self) -> None:
        if self.births <= self.fails:
            raise Broken(self.where)


class FragileLater(Fragile):
    """Fails in an asynchronous start."""

    async def start(self) -> None:  # type: ignore[override]
        await self.ctx.sleep(0.5)
        self.fail()


@on_each_engine
@pytest.mark.parametrize("where", ["build", "start", "late start"])
@pytest.mark.parametrize(
    ("restart", "births"),
    [(Restart.PERMANENT, 3), (Restart.TRANSIENT, 3), (Restart.TEMPORARY, 1)],
)
def test_a_failed_start_is_a_crash(
    kind: str, where: str, restart: Restart, births: int
) -> None:
    notes: list[str] = []
    base = FragileLater if where == "late start" else Fragile
    spot = "start" if where == "late start" else where
    make = type("Mine", (base,), {"births": 0, "where": spot})

    async def scenario(world: World) -> None:
        assert world.state("top/b") == "running"
        await world.told("top/b", Say("here"))

    spec = family(puppet(notes, "a", make=make, restart=restart), puppet(notes, "b"))
    play(kind, spec, scenario)
    assert notes.count("a: born") == births
    assert "b: here" in notes


@on_each_engine
def test_messages_that_were_told_before_the_first_start_wait(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.settle()

    play(
        kind,
        family(puppet(notes, "a")),
        scenario,
        prepare=lambda engine: engine.ref("top/a").tell(Say("early")),
    )
    assert notes == ["a: born", "a: early", "a: stops"]


@on_each_engine
def test_a_reference_survives_and_only_the_fatal_message_is_lost(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        ref = world.ref("top/a")
        for message in (Say("one"), CRASH, Say("two"), Say("three")):
            ref.tell(message)
        await world.sleep(1.0)
        ref.tell(Say("four"))
        await world.settle()
        assert repr(ref) == "Ref('top/a')"

    engine = play(kind, family(puppet(notes, "a")), scenario)
    said = ["one", "two", "three", "four", "stops"]
    assert [note for note in notes if note != "a: born"] == [f"a: {s}" for s in said]
    (letter,) = engine.dead_letters
    assert (letter.path, letter.message) == ("top/a", CRASH)
    assert "Broken" in letter.why


@on_each_engine
def test_the_backoff_doubles_and_begins_anew_after_a_healthy_stretch(kind: str) -> None:
    births: list[float] = []
    backoff = Backoff(first_s=1.0, limit_s=4.0, jitter=0.0, healthy_s=60.0)

    def build(ctx: Context) -> Puppet:
        births.append(ctx.now_s())
        return Puppet(ctx, [])

    async def scenario(world: World) -> None:
        for wait_s in (1.0, 2.0, 4.0, 4.0, 70.0, 1.0):
            await world.told("top/a", CRASH)
            await world.sleep(wait_s)

    spec = SupervisorSpec(
        name="top",
        restarts=10,
        children=(ActorSpec(name="a", build=build, backoff=backoff),),
    )
    play(kind, spec, scenario)
    waits = [round(b - a, 6) for a, b in itertools.pairwise(births)]
    # The last one came after 66 healthy seconds, and was over after 1.
    assert waits == [1.0, 2.0, 4.0, 4.0, 4.0, 67.0]


@on_each_engine
def test_jitter_comes_from_the_seed(kind: str) -> None:
    def births(seed: int) -> list[float]:
        found: list[float] = []

        def build(ctx: Context) -> Puppet:
            found.append(ctx.now_s())
            return Puppet(ctx, [])

        async def scenario(world: World) -> None:
            for _ in range(3):
                await world.told("top/a", CRASH)
                await world.sleep(10.0)

        spec = SupervisorSpec(
            name="top",
            children=(ActorSpec(name="a", build=build),),
            backoff=Backoff(jitter=0.5),
        )
        play(kind, spec, scenario, seed=seed)
        return [at - found[0] for at in found]

    assert births(1) == pytest.approx(births(1))
    assert births(1) != pytest.approx(births(2))


@on_each_engine
def test_a_child_is_added_to_a_running_family(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        top = world.engine.root
        top.add_child(puppet(notes, "late"))
        inner = SupervisorSpec(
            name="inner", children=(puppet(notes, "deep", recorder="top/late"),)
        )
        top.add_child(inner)
        await world.settle()
        await world.told("top/late", Say("hello"))
        await world.told("top/inner/deep", Say("hello"))
        await world.told("top/late", CRASH)
        await world.sleep(1.0)

    play(kind, family(puppet(notes, "first")), scenario)
    assert notes == [
        "first: born",
        "late: born",
        "deep: born",
        "late: hello",
        "deep: hello",
        "late: born",
        "deep: stops",
        "late: stops",
        "first: stops",
    ]
