"""Derived messages: read once more after a crash, then quarantined; never buried."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from holdfast_runtime import (
    Backoff,
    Beyond,
    Context,
    Killed,
    Poisoned,
    SupervisorSpec,
)
from holdfast_runtime.cell import Cell
from holdfast_runtime.kernel import Kernel

from .puppets import AsyncPuppet, Broken, Do, Puppet, Say, Told, puppet
from .worlds import World, on_each_engine, play

Quarantine = tuple[str, Hashable, Any, str]


def family(*children: Any, **spec: Any) -> SupervisorSpec:
    backoff = Backoff(first_s=0.0, limit_s=0.0)
    usual: dict[str, Any] = {"backoff": backoff, "restarts": 20}
    return SupervisorSpec(name="top", children=children, **(usual | spec))


class Listener:
    """Keeps what is quarantined."""

    def __init__(self) -> None:
        self.heard: list[Quarantine] = []

    def prepare(self, engine: Kernel) -> None:
        engine.on_quarantine.append(self.listen)

    def listen(
        self, cell: Cell, origin: Hashable, message: Any, error: Exception
    ) -> None:
        self.heard.append((cell.path, origin, message, type(error).__name__))


@on_each_engine
def test_it_is_read_once_more_in_its_place_and_then_quarantined(kind: str) -> None:
    notes: list[str] = []
    listener = Listener()
    bad = Told(2, fatal=True)

    async def scenario(world: World) -> None:
        await world.told("top/a", Told(1), bad, Told(3))
        await world.sleep(0.1)

    engine = play(kind, family(puppet(notes, "a")), scenario, prepare=listener.prepare)
    assert [note[3:] for note in notes] == [
        "born",
        "record 1",
        "record 2",
        "born",
        "record 2",
        "born",
        "record 3",
        "stops",
    ]
    assert listener.heard == [("top/a", ("record", 2), bad, "Broken")]
    assert engine.dead_letters == []


class FailsOnce(Puppet):
    """Fails in its first incarnation on record 1."""

    def handle(self, message: object) -> Any:
        super().handle(message)
        if self.ctx.incarnation == 1 and message == Told(1):
            raise Broken


@on_each_engine
def test_a_crash_that_does_not_come_back_costs_nothing(kind: str) -> None:
    notes: list[str] = []
    listener = Listener()

    async def scenario(world: World) -> None:
        await world.told("top/a", Told(1), Told(2))
        await world.sleep(0.1)

    spec = family(puppet(notes, "a", make=FailsOnce))
    play(kind, spec, scenario, prepare=listener.prepare)
    assert [n[3:] for n in notes if "rec" in n] == ["record 1", "record 1", "record 2"]
    assert listener.heard == []


@on_each_engine
def test_a_kill_is_not_the_fault_of_the_message_in_hand(kind: str) -> None:
    notes: list[str] = []
    listener = Listener()

    class Slow(AsyncPuppet):
        async def handle(self, message: object) -> Any:
            Puppet.handle(self, message)
            await self.ctx.sleep(1.0)
            self.note("done")

    async def scenario(world: World) -> None:
        world.engine.post(world.cell("top/a"), Told(1), None)
        for _ in range(3):
            await world.sleep(0.5)
            world.engine.kill(world.cell("top/a"), Killed("by hand"))
        await world.sleep(2.0)

    engine = play(
        kind,
        family(puppet(notes, "a", make=Slow)),
        scenario,
        prepare=listener.prepare,
    )
    assert [n[3:] for n in notes if "born" not in n] == [
        *["record 1"] * 4,
        "done",
        "stops",
    ]
    assert listener.heard == []
    assert engine.dead_letters == []


class Batcher:
    """Takes batches; fails on those with a fatal record in them."""

    def __init__(self, ctx: Context, notes: list[str]) -> None:
        self.ctx = ctx
        self.notes = notes

    def handle(self, message: object) -> None:
        raise AssertionError(message)

    async def handle_batch(self, messages: list[Told]) -> None:
        self.notes.append(",".join(str(each.number) for each in messages))
        await self.ctx.sleep(0.5)
        if any(each.fatal for each in messages):
            raise Broken


@on_each_engine
def test_the_fatal_one_of_a_batch_is_found_and_the_others_are_not_lost(
    kind: str,
) -> None:
    notes: list[str] = []
    listener = Listener()

    async def scenario(world: World) -> None:
        cell = world.cell("top/a")
        for message in (Told(0), Told(1), Told(2, fatal=True), Told(3), Told(4)):
            world.engine.post(cell, message, None)
            if message.number == 0:
                await world.settle()
        await world.sleep(20.0)
        world.engine.post(cell, Told(5), None)
        world.engine.post(cell, Told(6), None)
        await world.sleep(20.0)

    engine = play(
        kind,
        family(puppet(notes, "a", make=Batcher)),
        scenario,
        prepare=listener.prepare,
    )
    tried = ["0", "1,2,3,4", "1", "2", "3", "4"]
    batches = [note for note in notes if "born" not in note]
    assert batches[:6] == tried
    assert batches[6:] in (["5,6"], ["5", "6"])
    assert [each[1] for each in listener.heard] == [("record", 2)]
    assert engine.dead_letters == []


@on_each_engine
def test_an_actor_may_name_the_input_that_it_cannot_replay(kind: str) -> None:
    notes: list[str] = []
    listener = Listener()

    class Replayer(Puppet):
        def start(self) -> None:
            if self.ctx.incarnation <= 2:
                raise Poisoned(("record", 7), "cannot be applied")

    async def scenario(world: World) -> None:
        assert world.cell("top/a").incarnation == 3

    spec = family(puppet(notes, "a", make=Replayer))
    play(kind, spec, scenario, prepare=listener.prepare)
    assert listener.heard == [("top/a", ("record", 7), None, "Poisoned")]


@on_each_engine
def test_an_input_in_hand_is_innocent_where_another_is_named(kind: str) -> None:
    notes: list[str] = []
    listener = Listener()
    fails = [("record", 7), ("record", 8)]

    class Namer(Puppet):
        def handle(self, message: object) -> Any:
            if fails:
                raise Poisoned(fails.pop(), "on the way")
            return super().handle(message)

    async def scenario(world: World) -> None:
        await world.told("top/a", Told(1, fatal=False))
        await world.sleep(0.1)

    play(
        kind,
        family(puppet(notes, "a", make=Namer)),
        scenario,
        prepare=listener.prepare,
    )
    assert listener.heard == []
    assert notes == [*["a: born"] * 3, "a: record 1", "a: stops"]


@on_each_engine
def test_an_input_that_is_named_and_in_hand_is_blamed_once(kind: str) -> None:
    notes: list[str] = []
    listener = Listener()

    def poison(_: Puppet) -> None:
        raise Poisoned(("record", 1), "elsewhere")

    class Namer(Puppet):
        def handle(self, message: object) -> Any:
            super().handle(message)
            if isinstance(message, Told) and message.fatal:
                raise Poisoned(message.origin, "as it says")

    async def scenario(world: World) -> None:
        await world.told("top/a", Told(1))
        await world.told("top/a", Do(poison))
        await world.sleep(0.1)
        assert listener.heard == []
        await world.told("top/a", Told(2, fatal=False))

    play(
        kind,
        family(puppet(notes, "a", make=Namer)),
        scenario,
        prepare=listener.prepare,
    )
    assert listener.heard == []


@on_each_engine
def test_what_waits_for_a_parked_reader_is_not_buried_but_asked_for_again(
    kind: str,
) -> None:
    listener = Listener()
    inner = SupervisorSpec(
        name="f", restarts=0, beyond=Beyond.PARK, children=(puppet([], "a"),)
    )

    async def scenario(world: World) -> None:
        await world.told("top/f/a", Told(1, fatal=True), Told(2), Say("other"))
        await world.told("top/f/a", Told(3))

    engine = play(kind, family(inner), scenario, prepare=listener.prepare)
    assert [letter.message for letter in engine.dead_letters] == [Say("other")]
    assert listener.heard == []
