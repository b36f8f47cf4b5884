"""Actors with a `run` beside their `handle`: it lives and dies with the incarnation."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_runtime import Backoff, Killed, SupervisorSpec
from holdfast_runtime.cell import State

from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play


def family(*children: Any) -> SupervisorSpec:
    return SupervisorSpec(
        name="top", children=children, backoff=Backoff(jitter=0.0), restarts=9
    )


class Ticker(Puppet):
    """Ticks every ten seconds; breaks when the time is 35."""

    breaks = False

    async def run(self) -> None:
        self.note("runs")
        try:
            for number in range(1, 4):
                await self.ctx.sleep(10.0)
                self.ctx.me.tell(Say(f"tick {number}"))
            if self.breaks and self.ctx.incarnation == 1:
                await self.ctx.sleep(5.0)
                raise Broken
        finally:
            self.note("ran")


class AsyncTicker(AsyncPuppet):
    run = Ticker.run
    breaks = False


MAKERS = pytest.mark.parametrize("make", [Ticker, AsyncTicker])


@on_each_engine
@MAKERS
def test_a_service_runs_beside_the_handler_and_may_end(kind: str, make: Any) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.sleep(15.0)
        await world.told("top/a", Say("hello"))
        await world.sleep(30.0)
        await world.told("top/a", Say("still here"))
        assert world.state("top/a") == "running"

    play(kind, family(puppet(notes, "a", make=make)), scenario)
    assert sorted(notes[5:7]) == ["a: ran", "a: tick 3"]
    assert notes[:5] + notes[7:] == [
        "a: born",
        "a: runs",
        "a: tick 1",
        "a: hello",
        "a: tick 2",
        "a: still here",
        "a: stops",
    ]


@on_each_engine
@MAKERS
def test_a_crash_of_the_service_restarts_the_actor(kind: str, make: Any) -> None:
    notes: list[str] = []
    breaking = type("Breaking", (make,), {"breaks": True})

    async def scenario(world: World) -> None:
        await world.sleep(35.5)
        assert world.state("top/a") == "down"
        assert isinstance(world.cell("top/a").error, Broken)
        await world.told("top/a", Say("waits"))
        await world.sleep(1.0)
        assert "a: waits" in notes[-2:]

    play(kind, family(puppet(notes, "a", make=breaking)), scenario)
    assert notes.count("a: runs") == notes.count("a: ran") == 2


@on_each_engine
@MAKERS
def test_a_crash_of_the_handler_ends_the_service_first(kind: str, make: Any) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        assert notes == ["a: born", "a: runs", "a: ran"]
        await world.sleep(1.0)
        assert notes[3:] == ["a: born", "a: runs"]

    play(kind, family(puppet(notes, "a", make=make)), scenario)
    assert notes[5:] == ["a: ran", "a: stops"]


@on_each_engine
def test_a_service_crashes_while_the_handler_waits(kind: str) -> None:
    notes: list[str] = []

    class Both(AsyncPuppet):
        async def run(self) -> None:
            if self.ctx.incarnation == 1:
                await self.ctx.sleep(1.0)
                raise Broken

    async def nap(actor: Puppet) -> None:
        try:
            await actor.ctx.sleep(5.0)
        finally:
            actor.note("is cut")

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap), Say("next"))
        await world.sleep(3.0)

    engine = play(kind, family(puppet(notes, "a", make=Both)), scenario)
    assert notes[1:] == ["a: is cut", "a: born", "a: next", "a: stops"]
    assert [letter.message for letter in engine.dead_letters] == [Do(nap)]


@on_each_engine
def test_a_kill_of_an_actor_whose_service_cleans_up_badly_is_only_that(
    kind: str,
) -> None:
    """What is raised while it is cut must not reach the engine."""

    class Messy(Puppet):
        async def run(self) -> None:
            try:
                await self.ctx.sleep(1e9)
            finally:
                raise Broken

    async def scenario(world: World) -> None:
        world.engine.kill(world.cell("top/a"), Killed("by hand"))
        await world.sleep(5.0)
        assert world.state("top/a") == "running"
        assert str(world.cell("top/a").error) == "by hand"

    engine = play(kind, family(puppet([], "a", make=Messy)), scenario)
    assert engine.root.state is State.STOPPED
