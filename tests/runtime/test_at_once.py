"""Actors that wait for nothing start and end at once; nobody else may notice."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    EngineFailed,
    LiveEngine,
    SupervisorSpec,
    open_engine,
)
from holdfast_runtime.cell import State
from holdfast_runtime.kernel import Kernel

from .worlds import World, on_each_engine, play

AT_ONCE = Backoff(first_s=0.0)


class Typed:
    """Takes numbers only."""

    def handle(self, message: int) -> None:
        del message


class SaysWrong:
    """Its first incarnation says in `start` what its sibling does not take."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def start(self) -> None:
        if self._context.incarnation == 1:
            self._context.ref("app/typed").tell("text")

    def handle(self, message: object) -> int:
        del message
        return self._context.incarnation


@on_each_engine
def test_a_fault_in_what_start_says_ends_the_start(kind: str) -> None:
    heard: list[tuple[str, int]] = []

    def prepare(engine: Kernel) -> None:
        engine.on_lifecycle.append(
            lambda it: heard.append((f"{it.path} {it.what}", it.incarnation))
        )

    async def scenario(world: World) -> None:
        assert await world.ref("app/says").ask(None, deadline_s=5) == 2

    spec = SupervisorSpec(
        name="app",
        backoff=AT_ONCE,
        children=(
            ActorSpec(name="typed", build=lambda _: Typed()),
            ActorSpec(name="says", build=SaysWrong),
        ),
    )
    play(kind, spec, scenario, prepare=prepare)
    assert heard == [
        ("app/typed started", 1),
        ("app/says crashed", 1),
        ("app/says restarted", 2),
        ("app/says stopped", 2),
        ("app/typed stopped", 1),
    ]


class Steps(trio.abc.Instrument):
    """Counts how often tasks of the runtime are resumed, by what they run."""

    def __init__(self) -> None:
        self.by_name: dict[str, int] = {}

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        runs = task.coro
        if runs.__qualname__ == "_await" and runs.cr_frame is not None:
            runs = runs.cr_frame.f_locals["task"]
        name = runs.__qualname__
        self.by_name[name] = self.by_name.get(name, 0) + 1


class Fragile:
    """Crashes on ``None``; answers who it is."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handle(self, message: object) -> int:
        if message is None:
            raise ConnectionError
        return self._context.incarnation


def test_a_restart_at_once_takes_no_turn_of_the_family() -> None:
    spec = SupervisorSpec(
        name="app",
        restarts=None,
        backoff=AT_ONCE,
        children=(ActorSpec(name="fragile", build=Fragile),),
    )
    steps = Steps()

    async def main() -> None:
        async with open_engine(spec) as engine:
            ref = engine.ref("app/fragile")
            assert await ref.ask("who", deadline_s=5) == 1
            before = dict(steps.by_name)
            for _ in range(10):
                ref.tell(None)
                await wait_all_tasks_blocked()
            assert await ref.ask("who", deadline_s=5) == 11
        assert steps.by_name["Pump.run"] >= before["Pump.run"] + 10
        assert steps.by_name["Family._run"] == before["Family._run"] + 1, "at the stop"

    trio.run(main, instruments=[steps])


def test_a_restart_that_is_due_later_is_left_to_the_family() -> None:
    spec = SupervisorSpec(
        name="app",
        restarts=None,
        backoff=Backoff(first_s=2.0, jitter=0.0),
        children=(ActorSpec(name="fragile", build=Fragile),),
    )

    async def main() -> None:
        async with open_engine(spec) as engine:
            ref = engine.ref("app/fragile")
            ref.tell(None)
            await trio.sleep(1.9)
            assert engine.cells["app/fragile"].state is State.DOWN
            await trio.sleep(0.2)
            assert await ref.ask("who", deadline_s=5) == 2

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_one_restart_too_many_ends_the_family_from_its_task() -> None:
    spec = SupervisorSpec(
        name="app",
        restarts=1,
        backoff=AT_ONCE,
        children=(ActorSpec(name="fragile", build=Fragile),),
    )

    async def main() -> None:
        async with open_engine(spec) as engine:
            for _ in range(2):
                engine.ref("app/fragile").tell(None)
            await engine.wait_ended()

    with pytest.raises(EngineFailed, match="its limit of 1 restarts"):
        trio.run(main)


ATTEMPTS = 1_000


class Stubborn:
    """Crashes at every start but the last, without ever waiting."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def start(self) -> None:
        if self._context.incarnation < ATTEMPTS:
            raise ConnectionError

    def handle(self, message: object) -> int:
        del message
        return self._context.incarnation


def test_a_crash_at_each_start_without_a_delay_leaves_turns_to_others() -> None:
    spec = SupervisorSpec(
        name="app",
        restarts=None,
        backoff=AT_ONCE,
        children=(ActorSpec(name="stubborn", build=Stubborn),),
    )
    seen: list[int] = []

    async def look(engine: LiveEngine) -> None:
        while engine.cells["app/stubborn"].incarnation < ATTEMPTS:
            seen.append(engine.cells["app/stubborn"].incarnation)
            await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:

            def prepare(engine: LiveEngine) -> None:
                nursery.start_soon(look, engine)

            async with open_engine(spec, prepare=prepare) as engine:
                ref = engine.ref("app/stubborn")
                assert await ref.ask(None, deadline_s=5) == ATTEMPTS

    trio.run(main)
    assert max(later - each for each, later in pairwise(seen)) <= 256


def test_a_thousand_starts_and_stops_leave_turns_to_others() -> None:
    children = tuple(
        ActorSpec(name=str(number), build=lambda _: Typed()) for number in range(1_000)
    )
    spec = SupervisorSpec(name="app", children=children)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async def main() -> list[int]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(count)
            at = [turns]
            async with open_engine(spec):
                at.append(turns)
            at.append(turns)
            nursery.cancel_scope.cancel()
        return at

    before, up, down = trio.run(main)
    least = 1_000 // 64
    assert up - before >= least
    assert down - up >= least
