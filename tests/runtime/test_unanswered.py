"""Whoever asks an actor that ends before it has answered hears so at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import pytest
import trio

from holdfast_runtime import (
    AskFailed,
    Context,
    Killed,
    MailboxClosed,
    Records,
    RecordsLost,
    SupervisorSpec,
    open_engine,
)

from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, puppet
from .test_records import CONFIRM_LATER, WRITER, confirm, fail, record, tree
from .worlds import World, on_each_engine, play

each_kind_of_actor = pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
DEADLINE_S = 100.0


@attrs.define
class Question:
    """What became of an ask that waits beside its scenario."""

    answer: Any = None
    error: Exception | None = None
    took_s: float | None = None

    async def ask(self, world: World, message: object) -> None:
        began_s = world.engine.now_s()
        try:
            answer = await world.ref("top/a").ask(message, deadline_s=DEADLINE_S)
            self.answer = answer
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error
        self.took_s = world.engine.now_s() - began_s


async def held(world: World) -> Question:
    """Ask what is answered at once, but for the record that is not durable."""
    await world.told(WRITER, CONFIRM_LATER)
    question = Question()
    world.engine.run_task(question.ask(world, record("x")))
    await world.settle()
    assert question.took_s is None
    return question


async def kill(world: World) -> None:
    world.engine.kill(world.cell("top/a"), Killed("by the test"))


async def crash(world: World) -> None:
    await world.told("top/a", CRASH)


async def fail_commit(world: World) -> None:
    await world.told(WRITER, fail(0))


async def restart(world: World) -> None:
    world.engine.run_task(world.engine.restart_child("top/a"))


@on_each_engine
@each_kind_of_actor
@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (kill, "Killed('by the test')"),
        (crash, "Broken()"),
        (fail_commit, "RecordsLost('top/a: ')"),
        (restart, "ActorError('top/a: incarnation 1 ended')"),
    ],
)
def test_an_answer_that_is_held_fails_with_its_incarnation(
    kind: str, make: type[Puppet], end: Any, cause: str
) -> None:
    async def scenario(world: World) -> None:
        question = await held(world)
        await end(world)
        await world.settle()
        assert type(question.error) is AskFailed
        assert question.took_s == 0.0
        text = str(question.error)
        assert text.startswith("top/a ended before its answer to Do(")
        assert text.endswith(cause)
        assert repr(question.error.__cause__) == cause
        # What was recorded stays, and the next incarnation waits until it is settled.
        await world.told(WRITER, confirm(0))
        await world.told(WRITER, Do(lambda writer: setattr(writer, "at_once", True)))
        await world.sleep(1.0)
        assert await world.ref("top/a").ask(record("y"), deadline_s=1.0) == "done"

    play(kind, tree([], make), scenario)


@on_each_engine
def test_a_commit_that_fails_at_once_fails_the_answer(kind: str) -> None:
    class Full:
        def __init__(self, ctx: Context, notes: list[str]) -> None:
            del ctx, notes

        def handle(self, message: Records) -> None:
            raise NotImplementedError

        def commit(self, entries: list[str]) -> None:
            del entries
            raise Broken

    async def scenario(world: World) -> None:
        question = Question()
        await question.ask(world, record("x"))
        assert type(question.error) is AskFailed
        assert isinstance(question.error.__cause__, RecordsLost)
        assert question.took_s == 0.0

    play(kind, tree([], writer=Full), scenario)


@on_each_engine
def test_an_answer_behind_an_effect_that_raises_fails(kind: str) -> None:
    def answer(actor: Puppet) -> None:
        actor.ctx.effect(partial(CRASH.call, actor))

    async def scenario(world: World) -> None:
        question = Question()
        await question.ask(world, Do(answer))
        assert type(question.error) is AskFailed
        assert isinstance(question.error.__cause__, Broken)
        assert question.took_s == 0.0

    play(kind, SupervisorSpec(name="top", children=(puppet([], "a"),)), scenario)


@on_each_engine
def test_an_answer_that_became_durable_first_is_given(kind: str) -> None:
    async def scenario(world: World) -> None:
        question = await held(world)
        await world.told(WRITER, confirm(0))
        await kill(world)
        await world.settle()
        assert (question.answer, question.error) == ("done", None)

    play(kind, tree([]), scenario)


async def test_after_a_cut_nobody_waits_for_an_answer(autojump_clock: Any) -> None:
    del autojump_clock
    spec = SupervisorSpec(name="top", children=(puppet([], "a", make=AsyncPuppet),))
    in_hand, waiting, late = Question(), Question(), Question()
    nap = Do(lambda actor: actor.ctx.sleep(1e9))
    async with open_engine(spec) as engine, trio.open_nursery() as nursery:
        world = World(engine)
        for question in (in_hand, waiting):
            nursery.start_soon(question.ask, world, nap)
            await world.settle()
        engine.cut()
        await engine.wait_ended()
        await late.ask(world, nap)
    assert type(in_hand.error) is AskFailed
    assert "expected an engine that runs" in str(in_hand.error)
    assert type(waiting.error) is type(late.error) is MailboxClosed
    assert (in_hand.took_s, waiting.took_s, late.took_s) == (0.0, 0.0, 0.0)
