"""Handlers over their budget, and actors that have gone quiet."""

from __future__ import annotations

import logging
import threading
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Lifecycle,
    LiveEngine,
    SimulatedEngine,
    SpecError,
    SupervisorSpec,
    open_engine,
)
from holdfast_runtime.threads.hangs import Hang
from holdfast_runtime.tree import snapshot

from .puppets import CRASH, AsyncPuppet, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play

PATIENCE_S = 20.0
"""How long a thread is waited for that should come at once."""


def one(*children: ActorSpec) -> SupervisorSpec:
    return SupervisorSpec(name="top", children=children, backoff=Backoff(jitter=0.0))


def nap(delay_s: float) -> Do:
    async def napping(actor: Puppet) -> None:
        await actor.ctx.sleep(delay_s)

    return Do(napping)


class Batcher(AsyncPuppet):
    """Takes three seconds for a batch."""

    async def handle_batch(self, messages: list[object]) -> None:
        await self.ctx.sleep(3.0)


@on_each_engine
@pytest.mark.parametrize("make", [AsyncPuppet, Batcher])
def test_an_asynchronous_handler_is_told_while_it_overruns(
    kind: str, make: type[AsyncPuppet]
) -> None:
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        began_s = world.engine.now_s()
        await world.told("top/a", nap(3.0))
        await world.sleep(2.5)
        (event,) = [each for each in events if each.what == "overran"]
        assert event.at_s == pytest.approx(began_s + 2.0)
        assert event.error == "expected a handler within 2 s, is not back yet from Do"
        assert len(event.messages) == 1
        await world.sleep(10.0)
        assert [each.what for each in events] == ["started", "overran"]
        assert snapshot(world.engine).children[0].overruns == 1
        assert world.cell("top/a").handled == 1

    play(
        kind,
        one(puppet([], "a", make=make, budget_s=2.0)),
        scenario,
        prepare=lambda engine: engine.on_lifecycle.append(events.append),
    )


@on_each_engine
def test_a_handler_within_its_budget_is_not_told_nor_one_without(kind: str) -> None:
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        for _ in range(3):
            await world.told("top/a", nap(1.9))
            await world.told("top/b", nap(100.0))
            await world.sleep(5.0)
        assert (await world.ref("top/a").ask(Do(lambda _: 7), deadline_s=1.0)) == 7
        await world.sleep(400.0)
        assert {each.what for each in events} == {"started"}

    play(
        kind,
        one(
            puppet([], "a", make=AsyncPuppet, budget_s=2.0),
            puppet([], "b", make=AsyncPuppet),
        ),
        scenario,
        prepare=lambda engine: engine.on_lifecycle.append(events.append),
    )


def test_a_synchronous_handler_is_told_when_it_is_back() -> None:
    events: list[Lifecycle] = []
    clock = MockClock()

    async def main() -> None:
        spec = one(puppet([], "a", budget_s=2.0))
        async with open_engine(spec) as engine:
            engine.on_lifecycle.append(events.append)
            ref = engine.ref("top/a")
            await ref.ask(Do(lambda _: clock.jump(2.0)), deadline_s=99.0)
            assert events == []
            await ref.ask(Do(lambda _: clock.jump(2.5)), deadline_s=99.0)

    trio.run(main, clock=clock)
    assert events[0].what == "overran"
    assert events[0].error == "expected a handler within 2 s, took 2.5 s from Do"


def hang_until(told: threading.Event, _: Puppet) -> None:
    assert told.wait(PATIENCE_S), "the hang was not told while it lasted"


def test_a_synchronous_handler_is_told_while_it_hangs() -> None:
    hangs: list[Hang] = []
    told = threading.Event()

    def hear(hang: Hang) -> None:
        hangs.append(hang)
        told.set()

    def prepare(engine: LiveEngine) -> None:
        engine.on_hang.append(hear)

    async def main() -> None:
        spec = one(puppet([], "a", budget_s=0.02), puppet([], "b"))
        async with open_engine(spec, prepare=prepare) as engine:
            hang = Do(partial(hang_until, told))
            await engine.ref("top/a").ask(hang, deadline_s=PATIENCE_S)
            assert engine.cells["top/a"].overruns == 1

    trio.run(main)
    (hang,) = hangs
    assert hang.path == "top/a"
    assert hang.held_s > 0.02
    assert "in " in hang.where
    assert "threading.py" in hang.where
    assert "holdfast-hang-watch" not in {t.name for t in threading.enumerate()}


def test_a_hang_that_nobody_listens_to_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = threading.Event()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.set()

    async def main() -> None:
        async with open_engine(one(puppet([], "a", budget_s=0.02))) as engine:
            hang = Do(partial(hang_until, told))
            await engine.ref("top/a").ask(hang, deadline_s=PATIENCE_S)

    logger, handler = logging.getLogger("holdfast_runtime"), Handler()
    logger.addHandler(handler)
    try:
        trio.run(main)
    finally:
        logger.removeHandler(handler)
    assert "top/a holds the engine for" in caplog.text


@on_each_engine
def test_a_silence_is_told_once_and_ends_with_a_message(kind: str) -> None:
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        began_s = world.engine.now_s()
        await world.sleep(4.0)
        await world.told("top/a", Say("here I am"))
        await world.sleep(30.0)
        await world.told("top/a", Say("again"))
        await world.sleep(30.0)
        told = [(e.what, round(e.at_s - began_s, 6)) for e in events]
        assert told[1:] == [("silent", 14.0), ("silent", 44.0)]
        assert events[1].error == ("expected a message or a beat within 10 s, was none")

    play(
        kind,
        one(puppet([], "a", silent_s=10.0)),
        scenario,
        prepare=lambda engine: engine.on_lifecycle.append(events.append),
    )


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
def test_who_beats_or_is_down_is_not_silent(kind: str, make: type[Puppet]) -> None:
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        for _ in range(5):
            await world.sleep(7.0)
            world.cell("top/a").actor.ctx.beat()
        await world.told("top/a", CRASH)
        await world.sleep(13.0)
        assert [each.what for each in events] == ["started", "crashed"]
        await world.sleep(3.0)
        await world.sleep(8.0)
        assert [each.what for each in events][2:] == ["restarted"]
        await world.sleep(2.0)
        assert [each.what for each in events][3:] == ["silent"]

    spec = puppet(
        [], "a", make=make, silent_s=10.0, backoff=Backoff(first_s=15.0, jitter=0.0)
    )
    play(
        kind,
        one(spec),
        scenario,
        prepare=lambda engine: engine.on_lifecycle.append(events.append),
    )


def test_a_simulation_ends_although_an_actor_is_watched() -> None:
    engine = SimulatedEngine(one(puppet([], "a", silent_s=10.0, budget_s=1.0)))
    engine.start()
    engine.ref("top/a").tell(Say("hello"))
    engine.run_until_idle()
    assert [event.what for event in engine.lifecycle] == ["started", "silent"]
    engine.stop()


@pytest.mark.parametrize("name", ["budget_s", "silent_s"])
def test_a_limit_that_is_not_positive_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match=rf"^top/a: expected {name} > 0, was 0"):
        SimulatedEngine(one(puppet([], "a", make=Puppet, **{name: 0.0})))
