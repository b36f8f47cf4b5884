"""What a source sends to an idle live engine is read before `send` returns."""

from __future__ import annotations

import contextvars
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    LiveEngine,
    Strategy,
    SupervisorSpec,
    UnknownMessage,
    open_engine,
)

from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, Say, Urgent, puppet

WHOSE: contextvars.ContextVar[str] = contextvars.ContextVar("WHOSE", default="engine")


@attrs.define(eq=False)
class Picky:
    """Takes but one kind of message."""

    ctx: Context
    notes: list[str]

    def handle(self, message: Say) -> None:
        self.notes.append(message.text)


def run(
    notes: list[str],
    scenario: Callable[[LiveEngine], Awaitable[None]],
    *children: Any,
    **spec: Any,
) -> None:
    """Play ``scenario`` on a live engine that is idle, with ``notes`` from then on."""
    top = SupervisorSpec(
        name="top", children=children, backoff=Backoff(first_s=0.0), **spec
    )

    async def main() -> None:
        with trio.fail_after(60.0):
            async with open_engine(top) as engine:
                await trio.testing.wait_all_tasks_blocked()
                notes.clear()
                await scenario(engine)

    trio.run(main)


def pass_on(*path: str) -> Do:
    """Return what goes from place to place, and is a note at the last one."""
    here, *others = path
    message = pass_on(*others) if len(others) > 0 else Say("arrived")

    def call(actor: Puppet) -> None:
        actor.ctx.ref(here).tell(message)

    return Do(call)


def test_a_chain_of_actors_has_read_what_was_sent() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        for number in range(3):
            await engine.ref("top/a").send(pass_on("top/b", "top/a", "top/b"))
            assert notes == ["b: arrived"] * (number + 1)
        assert engine.pending == 0

    run(notes, scenario, puppet(notes, "a"), puppet(notes, "b"))


def test_no_task_is_woken_for_it() -> None:
    notes: list[str] = []
    woken: list[trio.lowlevel.Task] = []

    class Watch(trio.abc.Instrument):
        def task_scheduled(self, task: trio.lowlevel.Task) -> None:
            woken.append(task)

    async def scenario(engine: LiveEngine) -> None:
        watch = Watch()
        trio.lowlevel.add_instrument(watch)
        await engine.ref("top/a").send(pass_on("top/b"))
        assert (notes, woken) == (["b: arrived"], [])
        engine.ref("top/a").tell(Say("told"))
        await trio.testing.wait_all_tasks_blocked()
        assert notes[-1] == "a: told"
        assert any("Pump.run" in task.name for task in woken)

    run(notes, scenario, puppet(notes, "a"), puppet(notes, "b"))


def test_what_an_asynchronous_actor_is_told_on_the_way_waits_for_its_task() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        await engine.ref("top/a").send(pass_on("top/b", "top/a"))
        assert notes == []
        await trio.testing.wait_all_tasks_blocked()
        assert notes == ["a: arrived"]

    run(notes, scenario, puppet(notes, "a"), puppet(notes, "b", make=AsyncPuppet))


def test_a_source_that_never_waits_lets_other_tasks_run() -> None:
    notes: list[str] = []
    seen: list[int] = []

    async def look() -> None:
        while True:
            seen.append(len(notes))
            await trio.lowlevel.checkpoint()

    async def scenario(engine: LiveEngine) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            for _ in range(1_000):
                await engine.ref("top/a").send(pass_on("top/b"))
            nursery.cancel_scope.cancel()
        assert len(notes) == 1_000
        unseen = [after - before for before, after in itertools.pairwise(seen)]
        # Each send is two messages, 64 of them are handled in one go, and the tasks of
        # a turn run in any order: so it is twice 32 at most.
        assert max(unseen) <= 64
        assert len(seen) <= 1_000 // 32 + 3

    run(notes, scenario, puppet(notes, "a"), puppet(notes, "b"))


def test_a_source_that_never_waits_can_be_cancelled() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        with trio.CancelScope() as scope:
            for number in range(1_000_000):
                await engine.ref("top/a").send(Say("more"))
                if number == 100:
                    scope.cancel()
        sent = len(notes)
        await trio.testing.wait_all_tasks_blocked()
        # What was sent is not taken back.
        assert 100 < sent < 200
        assert engine.cells["top/a"].handled == sent == len(notes)

    run(notes, scenario, puppet(notes, "a"))


def test_more_than_a_batch_goes_on_when_others_have_had_their_turn() -> None:
    notes: list[str] = []

    def flood(actor: Puppet) -> None:
        for number in range(1_000):
            actor.ctx.ref("top/b").tell(Say(str(number)))

    async def scenario(engine: LiveEngine) -> None:
        await engine.ref("top/a").send(Do(flood))
        assert 0 < len(notes) < 200
        await trio.testing.wait_all_tasks_blocked()
        assert notes == [f"b: {number}" for number in range(1_000)]

    run(notes, scenario, puppet(notes, "a"), puppet(notes, "b"))


def test_a_crash_is_the_actors_own_and_its_successor_reads_on() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        await engine.ref("top/a").send(CRASH)
        await engine.ref("top/a").send(Say("again"))
        await trio.testing.wait_all_tasks_blocked()
        cell = engine.cells["top/a"]
        assert (cell.incarnation, type(cell.error)) == (2, Broken)
        assert notes[-1] == "a: again"

    run(notes, scenario, puppet(notes, "a"))


def test_who_sends_what_is_not_taken_hears_it_and_the_next_one_is_read() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        ref = engine.ref("top/a")
        with pytest.raises(UnknownMessage):
            await ref.send(Urgent("not taken"))
        await ref.send(Say("taken"))
        assert notes == ["taken"]
        ref.tell(Say("told"))
        await trio.testing.wait_all_tasks_blocked()
        assert notes == ["taken", "told"]

    run(notes, scenario, ActorSpec(name="a", build=lambda ctx: Picky(ctx, notes)))


def test_a_handler_runs_in_the_context_of_the_engine_and_not_of_the_source() -> None:
    notes: list[str] = []

    def look(actor: Puppet) -> None:
        actor.note(WHOSE.get())
        WHOSE.set("changed")

    async def scenario(engine: LiveEngine) -> None:
        WHOSE.set("source")
        await engine.ref("top/a").send(Do(look))
        assert WHOSE.get() == "source"
        engine.ref("top/a").tell(Do(look))
        await trio.testing.wait_all_tasks_blocked()
        assert notes == ["a: engine", "a: changed"]

    run(notes, scenario, puppet(notes, "a"))


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_order_to_exit_ends_the_engine_and_not_the_source(
    kind: type[BaseException],
) -> None:
    notes: list[str] = []
    returned: list[bool] = []

    def leave(_: Puppet) -> None:
        raise kind("enough")

    async def scenario(engine: LiveEngine) -> None:
        await engine.ref("top/a").send(Do(leave))
        returned.append(True)
        await trio.sleep_forever()

    with pytest.raises(kind, match="enough"):
        run(notes, scenario, puppet(notes, "a"))
    assert returned == [True]


def test_an_engine_that_is_cut_by_what_was_sent_ends() -> None:
    notes: list[str] = []
    ended: list[bool] = []

    async def scenario(engine: LiveEngine) -> None:
        def cut(actor: Puppet) -> None:
            for _ in range(1_000):
                actor.ctx.ref("top/b").tell(Say("more than one turn reads"))
            engine.cut()

        await engine.ref("top/a").send(Do(cut))
        await engine.wait_ended()
        ended.append(True)

    run(notes, scenario, puppet(notes, "a"), puppet(notes, "b"))
    assert ended == [True]


@attrs.define(eq=False)
class Source(Puppet):
    """Sends from its `run` what crashes its sibling, once."""

    async def run(self) -> None:
        if self.ctx.incarnation == 1:
            await self.ctx.ref("top/b").send(CRASH)
            self.note("went on")
            await self.ctx.sleep(1e9)


def test_a_source_that_is_restarted_by_what_it_sent_starts_again() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        await trio.sleep(0.1)
        cells = engine.cells
        assert [cells[f"top/{name}"].incarnation for name in "ab"] == [2, 2]
        await engine.ref("top/b").send(Say("lives"))
        assert notes[-1] == "b: lives"
        assert engine.pending == 0

    children = puppet(notes, "a", make=Source), puppet(notes, "b")
    run(notes, scenario, *children, strategy=Strategy.ONE_FOR_ALL)


def test_an_order_to_exit_is_not_lost_where_the_engine_is_cut_as_well() -> None:
    notes: list[str] = []

    async def scenario(engine: LiveEngine) -> None:
        def leave(_: Puppet) -> None:
            engine.cut()
            raise SystemExit("enough")

        await engine.ref("top/a").send(Do(leave))
        await trio.sleep_forever()

    with pytest.raises(SystemExit, match="enough"):
        run(notes, scenario, puppet(notes, "a"))
