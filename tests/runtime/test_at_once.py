"""Actors that wait for nothing start and end at once; nobody else may notice."""

from __future__ import annotations

from itertools import pairwise

import trio

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    LiveEngine,
    SupervisorSpec,
    open_engine,
)
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
