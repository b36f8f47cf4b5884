"""Durable first: nothing leaves before its records are, and in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from holdfast_runtime import (
    AskTimeout,
    Backoff,
    Context,
    Records,
    RecordsLost,
    SpecError,
    Strategy,
    SupervisorSpec,
)
from holdfast_runtime.cell import State
from holdfast_runtime.holds import Hold

from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play

WRITER = "top/writer"


class DiskFull(Exception):
    pass


class Writer:
    """Keeps what comes; confirms it when told to, or at once."""

    def __init__(self, ctx: Context, notes: list[str]) -> None:
        self.ctx = ctx
        self.notes = notes
        self.holds: list[Hold] = []
        self.at_once = True

    def handle(self, message: object) -> Any:
        if isinstance(message, Do):
            return message.call(self)  # type: ignore[arg-type]
        assert isinstance(message, Records)
        self.notes.append(f"written: {', '.join(message.entries)}")
        if self.at_once:
            message.hold.confirm()
        else:
            self.holds.append(message.hold)
        return None


def later(writer: Any) -> None:
    writer.at_once = False


CONFIRM_LATER = Do(later)


def confirm(which: int) -> Do:
    return Do(lambda writer: writer.holds[which].confirm())  # type: ignore[attr-defined]


def fail(which: int) -> Do:
    return Do(lambda writer: writer.holds[which].fail(DiskFull()))  # type: ignore[attr-defined]


def record(*entries: str, say: str = "") -> Do:
    """Record, and say something to ``b``."""

    def call(actor: Puppet) -> str:
        for entry in entries:
            actor.ctx.record(entry)
        if say:
            actor.ctx.ref("top/b").tell(Say(say))
        return "done"

    return Do(call)


def tree(
    notes: list[str],
    make: Callable[[Context, list[str]], Any] = Puppet,
    writer: Callable[[Context, list[str]], Any] = Writer,
    **spec: Any,
) -> SupervisorSpec:
    return SupervisorSpec(
        name="top",
        restarts=9,
        backoff=Backoff(jitter=0.0),
        children=(
            puppet(notes, "writer", make=writer),
            puppet(notes, "b"),
            puppet(notes, "a", make=make, recorder=WRITER),
        ),
        **spec,
    )


def said(notes: list[str]) -> list[str]:
    return [each for each in notes if "born" not in each and "stops" not in each]


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
def test_nothing_leaves_before_it_is_confirmed(kind: str, make: type[Puppet]) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CONFIRM_LATER)
        await world.told("top/a", record("x", "y", say="one"))
        assert said(notes) == ["written: x, y"]
        assert world.engine.pending == 1
        await world.told(WRITER, confirm(0))
        assert said(notes) == ["written: x, y", "b: one"]
        await world.told(WRITER, confirm(0))  # once is enough

    play(kind, tree(notes, make), scenario)
    assert said(notes) == ["written: x, y", "b: one"]


@on_each_engine
def test_holds_are_let_out_in_their_order_and_silence_waits_behind_them(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CONFIRM_LATER)
        await world.told("top/a", record("x", say="one"), record(say="two"))
        await world.told("top/a", record("y", say="three"))
        await world.told(WRITER, confirm(1))
        assert "b: one" not in notes
        await world.told(WRITER, confirm(0))

    play(kind, tree(notes), scenario)
    assert said(notes)[2:] == ["b: one", "b: two", "b: three"]


@on_each_engine
def test_an_answer_waits_for_what_was_recorded_before_it(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CONFIRM_LATER)
        with pytest.raises(AskTimeout):
            await world.ref("top/a").ask(record("x"), deadline_s=1.0)
        await world.told(WRITER, confirm(0))
        await world.told(WRITER, Do(lambda writer: setattr(writer, "at_once", True)))
        assert await world.ref("top/a").ask(record("y"), deadline_s=1.0) == "done"

    play(kind, tree(notes), scenario)


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
def test_a_failed_commit_ends_the_incarnation_and_voids_what_came_later(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CONFIRM_LATER)
        for number in range(3):
            await world.told("top/a", record(str(number), say=f"said {number}"))
        await world.told(WRITER, fail(1))
        error = world.cell("top/a").error
        assert isinstance(error, RecordsLost)
        assert isinstance(error.__cause__, DiskFull)
        holds = [hold.failed for hold in world.cell("top/a").holds]
        assert holds == [False, True, True]
        await world.sleep(1.0)
        # What was recorded before the failure is settled before it is built anew.
        assert world.state("top/a") == "starting"
        await world.told(WRITER, confirm(0), confirm(2), fail(2))
        assert world.state("top/a") == "running"

    play(kind, tree(notes, make), scenario)
    assert not [note for note in notes if note.startswith("b: said")]
    assert notes.count("a: born") == 2


@on_each_engine
def test_an_incarnation_that_died_lets_nothing_out_although_its_records_stay(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CONFIRM_LATER)
        await world.told("top/a", record("x", say="too late"), CRASH)
        await world.sleep(1.0)
        assert world.state("top/a") == "starting"
        assert notes.count("a: born") == 1
        await world.told(WRITER, confirm(0))
        assert world.state("top/a") == "running"

    play(kind, tree(notes), scenario)
    assert said(notes) == ["written: x"]


@on_each_engine
def test_a_recorder_that_crashes_on_records_fails_them(kind: str) -> None:
    notes: list[str] = []

    class Full(Writer):
        def handle(self, message: object) -> Any:
            if isinstance(message, Records) and "bad" in message.entries:
                raise DiskFull
            return super().handle(message)

    async def scenario(world: World) -> None:
        await world.told("top/a", record("bad", say="never"), record("x", say="nor"))
        assert isinstance(world.cell("top/a").error, RecordsLost)
        assert isinstance(world.cell(WRITER).error, DiskFull)
        await world.sleep(1.0)
        await world.told("top/a", record("good", say="again"))

    play(kind, tree(notes, writer=Full), scenario)
    assert "b: again" in notes
    assert "b: never" not in notes


@on_each_engine
def test_records_wait_for_a_recorder_that_restarts(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CRASH)
        await world.told("top/a", record("x", say="one"))
        assert "b: one" not in notes
        await world.sleep(1.0)
        assert said(notes) == ["written: x", "b: one"]

    play(kind, tree(notes), scenario)


@on_each_engine
def test_without_a_recorder_what_was_recorded_is_lost(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        writer = world.cell(WRITER)
        world.engine.kill(writer, Broken())
        await world.settle()
        writer.family._retire(writer)  # type: ignore[union-attr]
        await world.told("top/a", record("x", say="never"))
        assert isinstance(world.cell("top/a").error, RecordsLost)
        assert writer.state is State.STOPPED

    play(kind, tree(notes), scenario)
    assert "b: never" not in notes


@on_each_engine
def test_a_start_may_record_and_say(kind: str) -> None:
    notes: list[str] = []

    class Starter(Puppet):
        def start(self) -> None:
            self.ctx.record("started")
            self.ctx.ref("top/b").tell(Say("a is up"))

    class LateStarter(AsyncPuppet):
        async def start(self) -> None:
            await self.ctx.sleep(1.0)
            self.ctx.record("started late")
            self.ctx.ref("top/b").tell(Say("a is up late"))

    async def scenario(world: World) -> None:
        await world.settle()

    for make in (Starter, LateStarter):
        play(kind, tree(notes, make), scenario)
    assert list(said(notes)) == [
        "written: started",
        "b: a is up",
        "written: started late",
        "b: a is up late",
    ]


@on_each_engine
def test_to_record_without_a_recorder_is_a_crash(kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.told("top/a", record("x"))
        error = world.cell("top/a").error
        assert isinstance(error, SpecError)
        assert str(error) == "top/a records, but its spec names no recorder"

    play(kind, SupervisorSpec(name="top", children=(puppet([], "a"),)), scenario)


@on_each_engine
def test_an_orderly_end_waits_until_all_is_durable(kind: str) -> None:
    """The writer stops last; until then it confirms what comes."""
    notes: list[str] = []

    class Lazy(Writer):
        def handle(self, message: object) -> Any:
            assert isinstance(message, Records)
            hold = message.hold
            self.ctx._cell.kernel.call_later(2.0, hold.confirm)
            self.notes.append("written")

    async def scenario(world: World) -> None:
        await world.told("top/a", record("x", say="in time"))

    class StopsLate(AsyncPuppet):
        async def stop(self) -> None:  # type: ignore[override]
            await self.ctx.sleep(1.0)

    spec = tree(notes, writer=Lazy)
    writer, b, a = spec.children
    late = puppet(notes, "late", make=StopsLate)
    play(kind, attrs.evolve(spec, children=(writer, b, late, a)), scenario)
    assert said(notes) == ["written", "b: in time"]


@on_each_engine
def test_a_stop_for_a_restart_does_not_wait_for_a_recorder_that_is_down(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CONFIRM_LATER)
        await world.told("top/a", record("x", say="void"))
        await world.told(WRITER, CRASH)
        assert world.state("top/a") == "down"
        # Its hold went with the writer's memory: nobody will ever confirm it.
        for hold in [*world.cell("top/a").holds]:
            hold.fail(DiskFull())
        await world.sleep(1.0)
        assert world.state("top/a") == "running"

    play(kind, tree(notes, strategy=Strategy.REST_FOR_ONE), scenario)
    assert "b: void" not in notes


class AtOnce(Writer):
    """Never waits: commits in the midst of the sender's handler's end."""

    def commit(self, entries: list[str]) -> None:
        self.notes.append(f"committed: {', '.join(entries)}")
        if "bad" in entries:
            raise DiskFull
        self.ctx.ref("top/b").tell(Say(f"there is {entries[0]}"))


@on_each_engine
def test_a_recorder_that_never_waits_commits_before_anything_is_said(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", record("x", say="one"))
        assert await world.ref("top/a").ask(record("y"), deadline_s=1.0) == "done"
        assert world.cell(WRITER).handled == 2

    play(kind, tree(notes, writer=AtOnce), scenario)
    assert notes.index("committed: x") < notes.index("b: there is x")
    assert notes.index("b: there is x") < notes.index("b: one")


@on_each_engine
def test_a_commit_that_fails_at_once_ends_both(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", record("bad", say="never"))
        assert isinstance(world.cell("top/a").error, RecordsLost)
        assert isinstance(world.cell(WRITER).error, DiskFull)
        await world.sleep(1.0)
        await world.told("top/a", record("good", say="again"))

    play(kind, tree(notes, writer=AtOnce), scenario)
    assert "b: again" in notes
    assert "b: never" not in notes


@on_each_engine
def test_a_recorder_with_mail_is_not_overtaken(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told(WRITER, CRASH)
        await world.told("top/a", record("x", say="one"), record("y", say="two"))
        await world.sleep(1.0)

    play(kind, tree(notes, writer=AtOnce), scenario)
    assert said(notes) == ["written: x", "written: y", "b: one", "b: two"]
