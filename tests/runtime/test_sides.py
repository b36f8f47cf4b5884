"""Work beside an actor's handlers: at once, in order, and gone with the incarnation."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeAlias

import attrs
import pytest

from holdfast_runtime import (
    ActorError,
    ActorSpec,
    Context,
    Killed,
    SimulatedEngine,
    SupervisorSpec,
)
from holdfast_runtime.sides import Sides

from .worlds import World, on_each_engine, play

DOER, HEARER, SOURCE = "top/doer", "top/hearer", "top/source"


@attrs.frozen
class Do:
    """Work for ``for_s``, and then say so."""

    name: str
    for_s: float = 1.0
    then: str = "done"


@attrs.frozen
class Cut:
    """Cut all that is under way."""


@attrs.frozen
class Turned:
    """A message that waits for quiescence."""

    turn: ClassVar[int] = 1
    name: str


Message: TypeAlias = Do | Cut | Turned


class Hearer:
    """Keeps what it is told, and when."""

    def __init__(self, heard: list[Any], now_s: Callable[[], float]) -> None:
        self.heard = heard
        self.now_s = now_s

    def handle(self, message: str | Turned) -> None:
        self.heard.append((message, round(self.now_s(), 3)))


class Doer:
    """Works beside its handlers."""

    def __init__(self, ctx: Context, rig: Rig) -> None:
        self.ctx = ctx
        self.sides = ctx.sides()
        rig.sides.append(self.sides)
        self.rig = rig
        self.hearer = ctx.ref(HEARER)

    async def handle(self, message: Message) -> None:
        match message:
            case Do():
                self.hearer.tell(f"taken {message.name}")
                work = self.work(message)
                self.rig.works.append(work)
                self.sides.begin(work)
                if message.then == "crash in the handler":
                    raise ValueError(message.name)
            case Cut():
                self.hearer.tell("cut")
                self.sides.cut()
                await self.sides.ended()
            case Turned():
                self.hearer.tell(message)

    async def work(self, message: Do) -> None:
        self.rig.begun.append(message.name)
        self.rig.begins(message.name)
        self.hearer.tell(f"began {message.name}")
        try:
            await self.ctx.sleep(message.for_s)
        finally:
            self.rig.left.append(message.name)
        if message.then == "crash":
            raise ValueError(message.name)
        self.hearer.tell(f"{message.then} {message.name}")


class Rig:
    """A tree of a doer and a hearer."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.begun: list[str] = []
        self.left: list[str] = []
        self.sides: list[Sides] = []
        self.works: list[Coroutine[Any, Any, None]] = []
        self.begins: Callable[[str], None] = lambda _name: None

    @property
    def spec(self) -> SupervisorSpec:
        return SupervisorSpec(
            name="top",
            children=(
                ActorSpec(
                    name="hearer",
                    build=lambda ctx: Hearer(self.heard, ctx.now_s),
                ),
                ActorSpec(name="doer", build=lambda ctx: Doer(ctx, self), stop_s=5.0),
            ),
        )

    def said(self) -> list[str]:
        return [str(each) for each, _ in self.heard]

    def done(self) -> list[tuple[str, float]]:
        return [each for each in self.heard if str(each[0]).startswith("done")]


def run(kind: str, rig: Rig, *messages: Message, lock_step: bool = False) -> None:
    """Tell the doer all ``messages``, and wait until they are done."""

    async def scenario(world: World) -> None:
        await world.told(DOER, *messages)
        await world.sleep(20.0)

    play(kind, rig.spec, scenario, lock_step=lock_step)


@on_each_engine
def test_work_goes_on_at_once_and_each_is_told_when_it_ends(kind: str) -> None:
    rig = Rig()

    run(kind, rig, Do("a", 3.0), Do("b", 1.0), Do("c", 2.0))

    assert rig.done() == [("done b", 1.0), ("done c", 2.0), ("done a", 3.0)]
    first = rig.said().index("began b")
    assert rig.said()[first : first + 2] == ["began b", "done b"]


@on_each_engine
def test_first_steps_are_made_in_order_whatever_trio_shuffles(kind: str) -> None:
    rig = Rig()
    names = [f"{number:02}" for number in range(30)]

    run(kind, rig, *(Do(name, 1.0) for name in names))

    assert rig.begun == names


@on_each_engine
def test_in_lock_step_what_is_said_is_let_out_in_the_order_of_the_beginnings(
    kind: str,
) -> None:
    rig = Rig()

    run(kind, rig, Do("a", 3.0), Do("b", 1.0), Do("c", 2.0), lock_step=True)

    assert rig.done() == [("done a", 3.0), ("done b", 3.0), ("done c", 3.0)]


@on_each_engine
def test_nothing_takes_its_turn_while_work_is_under_way(kind: str) -> None:
    rig = Rig()

    run(kind, rig, Do("a", 3.0), Turned("next"), lock_step=True)

    assert rig.said()[-2:] == ["done a", str(Turned("next"))]
    assert rig.heard[-1][1] == 3.0


@on_each_engine
def test_what_is_cut_says_nothing_and_the_actor_lives_on(kind: str) -> None:
    rig = Rig()

    async def scenario(world: World) -> None:
        await world.told(DOER, Do("a", 3.0), Do("b", 3.0))
        await world.sleep(1.0)
        await world.told(DOER, Cut(), Do("c", 1.0))
        await world.sleep(5.0)
        assert world.cell(DOER).incarnation == 1

    play(kind, rig.spec, scenario, lock_step=True)

    assert rig.said() == ["taken a", "taken b", "cut", "taken c", "began c", "done c"]
    assert sorted(rig.left) == ["a", "b", "c"]


@on_each_engine
def test_what_is_cut_before_its_first_step_never_begins(kind: str) -> None:
    rig = Rig()

    run(kind, rig, Do("a"), Do("b"), Cut(), Do("c"))

    assert [name for name, _ in rig.done()] == ["done c"]
    assert set(rig.begun) == set(rig.left)


@on_each_engine
def test_work_that_raises_crashes_its_actor_and_the_rest_is_cut(kind: str) -> None:
    rig = Rig()

    async def scenario(world: World) -> None:
        await world.told(DOER, Do("a", 1.0, "crash"), Do("b", 3.0), Do("c", 0.5))
        await world.sleep(5.0)
        assert world.cell(DOER).incarnation == 2
        assert isinstance(world.cell(DOER).error, ValueError)
        assert world.engine.pending == 0

    play(kind, rig.spec, scenario)

    assert rig.done() == [("done c", 0.5)]
    assert sorted(rig.left) == ["a", "b", "c"]


@on_each_engine
def test_a_crash_of_a_handler_cuts_all_even_what_has_not_begun(kind: str) -> None:
    rig = Rig()

    run(kind, rig, Do("a", 3.0), Do("b", 3.0, "crash in the handler"))

    assert rig.done() == []
    assert "b" not in rig.begun
    assert rig.begun == rig.left


@on_each_engine
def test_a_kill_cuts_all_and_no_turn_is_taken_before_the_restart(kind: str) -> None:
    rig = Rig()

    async def scenario(world: World) -> None:
        await world.told(DOER, Do("a", 3.0), Do("b", 3.0), Turned("next"))
        world.engine.kill(world.cell(DOER), Killed("by a test"))
        await world.settle()
        assert str(Turned("next")) not in rig.said()
        await world.sleep(5.0)

    play(kind, rig.spec, scenario, lock_step=True)

    assert rig.said() == ["taken a", "taken b", str(Turned("next"))]
    assert sorted(rig.left) == ["a", "b"]


@on_each_engine
def test_a_stop_waits_for_what_is_under_way_and_not_for_longer_than_it_may(
    kind: str,
) -> None:
    for for_s, done in ((4.0, ["done a"]), (6.0, [])):
        rig = Rig()

        async def scenario(world: World, for_s: float = for_s) -> None:
            await world.told(DOER, Do("a", for_s))

        play(kind, rig.spec, scenario)

        assert [name for name, _ in rig.done()] == done
        assert rig.left == ["a"]


@on_each_engine
def test_work_begins_in_handlers_alone(kind: str) -> None:
    rig = Rig()

    async def nothing() -> None:
        raise AssertionError

    async def scenario(world: World) -> None:
        await world.settle()

    play(kind, rig.spec, scenario)
    (sides,) = rig.sides
    work: Coroutine[Any, Any, None] = nothing()
    with pytest.raises(ActorError, match="top/doer handles nothing"):
        sides.begin(work)


class _Died(BaseException):
    """The process of an engine ends."""


def test_an_engine_whose_process_died_is_discarded_and_runs_nothing_more() -> None:
    rig = Rig()
    engine = SimulatedEngine(rig.spec)
    engine.start()

    def begins(name: str) -> None:
        if name == "b":
            raise _Died(name)

    rig.begins = begins
    for name in "abcd":
        engine.post(engine.cells[DOER], Do(name), None)
    with pytest.raises(_Died):
        engine.run_until_idle()

    engine.discard()

    assert rig.begun == ["a", "b"]
    assert rig.left == []
    states = [inspect.getcoroutinestate(work) for work in rig.works]
    assert states == [inspect.CORO_SUSPENDED] + [inspect.CORO_CLOSED] * 3
    # Its runner, were it not closed, would warn that it never ran, and fail the test.
    del engine
    gc.collect()
