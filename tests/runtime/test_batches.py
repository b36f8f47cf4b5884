"""Batches, and waiting: what actors are given at once, and what they may wait for."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_runtime import (
    ActorError,
    Backoff,
    Context,
    SupervisorSpec,
)

from .puppets import AsyncPuppet, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play

MAKERS = pytest.mark.parametrize("make", [Puppet, AsyncPuppet])


def family(*children: Any, **spec: Any) -> SupervisorSpec:
    usual: dict[str, Any] = {"backoff": Backoff(jitter=0.0), "restarts": 9}
    return SupervisorSpec(name="top", children=children, **(usual | spec))


class Both:
    """Answers questions at once, and takes all else in batches."""

    def __init__(self, ctx: Context, notes: list[str]) -> None:
        self.ctx = ctx
        self.notes = notes

    def handle(self, message: object) -> str:
        self.ctx.ref("top/b").tell(Say("asked"))
        return f"answer to {message}"

    def handle_batch(self, messages: list[object]) -> None:
        self.notes.append(f"batch of {len(messages)}")
        self.ctx.ref("top/b").tell(Say("batch"))


@on_each_engine
def test_a_batch_handler_needs_not_be_asynchronous(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        assert await world.ref("top/a").ask("x", deadline_s=1.0) == "answer to x"
        await world.told("top/a", Say("one"), Say("two"))

    play(kind, family(puppet(notes, "a", make=Both), puppet(notes, "b")), scenario)
    assert notes.count("b: asked") == 1
    batches = [int(n.rpartition(" ")[2]) for n in notes if n.startswith("batch")]
    assert sum(batches) == 2
    assert notes.count("b: batch") == len(batches)


@on_each_engine
def test_questions_part_batches_and_keep_their_place(kind: str) -> None:
    notes: list[str] = []

    class Slow(Both):
        async def handle_batch(self, messages: list[object]) -> None:  # type: ignore[override]
            self.notes.append(f"batch {messages}")
            await self.ctx.sleep(1.0)

        def handle(self, message: object) -> str:
            self.notes.append(f"question {message}")
            return "ok"

    async def scenario(world: World) -> None:
        ref = world.ref("top/a")
        await world.told("top/a", 1)
        world.engine.post(world.cell("top/a"), 2, None)
        world.engine.post(world.cell("top/a"), 3, None)
        assert await ref.ask("q", deadline_s=9.0) == "ok"
        await world.told("top/a", 4)

    play(kind, family(puppet(notes, "a", make=Slow)), scenario)
    assert notes[1:] == ["batch [1]", "batch [2, 3]", "question q", "batch [4]"]


@on_each_engine
def test_waiting_for_a_foreign_clock_is_an_error_where_there_is_none(kind: str) -> None:
    class Foreign:
        def __await__(self) -> Any:
            yield "what?"

    async def wait(_: Puppet) -> None:
        await Foreign()

    async def nap_and_wait(actor: Puppet) -> None:
        await actor.ctx.sleep(1.0)
        await Foreign()

    async def scenario(world: World) -> None:
        if kind == "live":
            return
        for message in (Do(wait), Do(nap_and_wait)):
            world.engine.post(world.cell("top/a"), message, None)
            await world.sleep(3.0)
            error = world.cell("top/a").error
            assert isinstance(error, ActorError)
            assert "something that yields 'what?'" in str(error)
            await world.sleep(2.0)

    play(kind, family(puppet([], "a", make=AsyncPuppet)), scenario)
