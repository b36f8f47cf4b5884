"""What is measured of an actor, on each engine's own clock."""

from __future__ import annotations

from random import Random

import pytest
import trio
from trio.testing import MockClock

from holdfast_runtime import Backoff, Full, Lane, LaneSpec, SupervisorSpec
from holdfast_runtime.meters import STRIDE_MAX, Histogram
from holdfast_runtime.tree import Node, snapshot

from .puppets import CRASH, AsyncPuppet, Bulk, Do, Puppet, Say, Urgent, puppet
from .worlds import World, on_each_engine, play


def nap(delay_s: float) -> Do:
    async def napping(actor: Puppet) -> None:
        await actor.ctx.sleep(delay_s)

    return Do(napping)


class Batcher(AsyncPuppet):
    """Takes a second for each batch."""

    async def handle_batch(self, messages: list[object]) -> None:
        await self.ctx.sleep(1.0)


def seen(world: World, path: str) -> Node:
    return next(each for each in snapshot(world.engine).walk() if each.path == path)


def one(**spec: object) -> SupervisorSpec:
    children = (puppet([], "a", **({"make": AsyncPuppet} | spec)),)  # type: ignore[arg-type]
    return SupervisorSpec(name="top", children=children, backoff=Backoff(jitter=0.0))


@on_each_engine
def test_the_time_of_handling_is_measured(kind: str) -> None:
    async def scenario(world: World) -> None:
        before = seen(world, "top/a")
        assert (before.age_s, before.handling_p50_s, before.rate_per_s) == (
            None,
            None,
            0,
        )
        await world.told("top/a", Say("the first is counted only"))
        for _ in range(20):
            await world.told("top/a", nap(2.0))
            await world.sleep(3.0)
        await world.told("top/a", nap(50.0))
        await world.sleep(60.0)
        node = seen(world, "top/a")
        assert node.handling_p50_s == pytest.approx(2.0, rel=0.13)
        assert node.handling_p99_s == pytest.approx(50.0, rel=0.13)
        assert node.waiting_p99_s == 0.0
        assert node.age_s == pytest.approx(10.0)

    play(kind, one(), scenario)


@on_each_engine
def test_the_time_of_waiting_is_measured(kind: str) -> None:
    async def scenario(world: World) -> None:
        for _ in range(40):
            await world.told("top/a", nap(4.0))
            await world.sleep(1.0)
            await world.told("top/a", Say("waits for three seconds"))
            await world.sleep(9.0)
        node = seen(world, "top/a")
        assert node.waiting_p99_s == pytest.approx(3.0, rel=0.13)
        assert node.rate_per_s == pytest.approx(0.2, rel=0.25)

    play(kind, one(), scenario)


@on_each_engine
def test_who_is_overtaken_waits_longer(kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.told("top/a", Say("the first"))
        for _ in range(40):
            await world.told("top/a", nap(4.0), Bulk("low"), Urgent("1"), Urgent("2"))
            await world.sleep(10.0)
        assert seen(world, "top/a").waiting_p99_s == pytest.approx(4.0, rel=0.13)

    play(kind, one(), scenario)


@on_each_engine
def test_a_batch_is_measured_as_a_whole(kind: str) -> None:
    async def scenario(world: World) -> None:
        for _ in range(30):
            await world.told("top/a", *(Say(str(n)) for n in range(10)))
            await world.sleep(0.4)
            await world.told("top/a", *(Say(str(n)) for n in range(5)))
            await world.sleep(5.0)
        node = seen(world, "top/a")
        assert node.handled == 450
        assert node.handling_p50_s == pytest.approx(1.0, rel=0.13)
        assert node.waiting_p50_s == 0.0
        assert node.waiting_p99_s == pytest.approx(0.6, rel=0.13)

    play(kind, one(make=Batcher), scenario)


class AtOnce(Puppet):
    """Commits what others record without waiting; it takes two seconds."""

    def commit(self, entries: list[object]) -> None:
        self.note(f"{len(entries)} committed")
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, MockClock)
        clock.jump(2.0)


def test_a_commit_in_place_is_measured() -> None:
    async def scenario(world: World) -> None:
        for _ in range(20):
            await world.told("top/a", Do(lambda actor: actor.ctx.record("x")))
        node = seen(world, "top/log")
        assert node.handled == 20
        assert node.handling_p50_s == pytest.approx(2.0, rel=0.13)
        assert node.rate_per_s == pytest.approx(0.5)

    children = (
        puppet([], "log", make=AtOnce),
        puppet([], "a", recorder="top/log"),
    )
    play("live", SupervisorSpec(name="top", children=children), scenario)


@on_each_engine
def test_a_flood_that_is_dropped_is_measured_too(kind: str) -> None:
    lanes = {Lane.DATA: LaneSpec(capacity=4, full=Full.DROP_OLDEST)}

    async def scenario(world: World) -> None:
        await world.told("top/a", Say("the first"))
        for number in range(200):
            await world.told("top/a", nap(2.0) if number % 8 == 0 else Bulk("x"))
            await world.sleep(0.25)
        node = seen(world, "top/a")
        assert node.dropped > 0
        assert node.waiting_p50_s is not None
        assert 0.0 <= node.waiting_p50_s <= 1.0
        await world.sleep(60.0)

    play(kind, one(lanes=lanes), scenario)


@on_each_engine
def test_measures_outlive_a_restart_and_a_fatal_message(kind: str) -> None:
    async def scenario(world: World) -> None:
        for _ in range(3):
            await world.told("top/a", Say("x"), CRASH)
            await world.sleep(30.0)
        await world.told("top/a", nap(2.0))
        await world.sleep(5.0)
        node = seen(world, "top/a")
        assert (node.restarts, node.handled) == (3, 4)
        assert node.handling_p99_s == pytest.approx(2.0, rel=0.13)
        assert node.age_s == pytest.approx(3.0)

    play(kind, one(), scenario)


@on_each_engine
def test_a_busy_actor_is_measured_now_and_then(kind: str) -> None:
    async def scenario(world: World) -> None:
        for _ in range(100):
            await world.told("top/a", *(Say("x") for _ in range(100)))
        cell = world.cell("top/a")
        assert cell.handled == 10_000
        assert cell.meter is not None
        assert cell.meter.stride == STRIDE_MAX
        assert cell.meter.handling is not None
        assert sum(cell.meter.handling._now.values()) < 40
        await world.sleep(10.0)
        await world.told("top/a", Say("not measured"))
        # Whoever looks sees the last measured one; the next one is measured for him.
        assert seen(world, "top/a").age_s == pytest.approx(10.0)
        await world.told("top/a", Say("measured"))
        await world.sleep(3.0)
        assert seen(world, "top/a").age_s == pytest.approx(3.0)

    play(kind, one(make=Puppet), scenario)


def test_quantiles_are_right_to_an_eighth_and_recent() -> None:
    random, histogram = Random(1), Histogram()
    for _ in range(5_000):
        histogram.add(1_000.0)
    durations_s = sorted(random.expovariate(1_000.0) for _ in range(1_024))
    for duration_s in random.sample(durations_s, 1_024):
        histogram.add(duration_s)
    for share in (0.1, 0.5, 0.9, 0.99):
        exact_s = durations_s[int(share * 1_024)]
        assert histogram.quantile(share) == pytest.approx(exact_s, rel=0.15)
    assert Histogram().quantile(0.5) == 0.0


@on_each_engine
def test_to_measure_a_busy_actor_makes_no_garbage(kind: str) -> None:
    async def scenario(world: World) -> None:
        cell = world.engine.cells["top/a"]
        timed = set()
        for _ in range(200):
            await world.told("top/a", Say("measured, or not"))
            await world.sleep(0.001)
            timed.add(id(cell.handler))
        assert cell.meter is not None
        assert cell.meter.stride > 1
        assert len(timed) == 2, "the plain handler, and the one that is timed"

    play(kind, one(make=Puppet), scenario)


@on_each_engine
def test_a_dead_actor_is_given_no_message_by_the_clock_of_another(kind: str) -> None:
    async def scenario(world: World) -> None:
        cell = world.engine.cells["top/a"]
        for _ in range(200):
            await world.told("top/a", Say("often"))
            await world.sleep(0.001)
        assert cell.meter is not None
        late = cell.meter.timed
        await world.told("top/a", CRASH)
        for _ in range(2_000):
            await world.told("top/a", Say("often"))
            await world.sleep(0.001)
            if cell.meter.stride > 1 and cell.handler is cell.meter.timed:
                break
        lives = cell.handler
        assert lives is cell.meter.timed
        assert late is not lives
        late(Say("late"))
        assert cell.handler is lives

    play(kind, one(make=Puppet), scenario)
