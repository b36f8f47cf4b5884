"""Faults inside an actor and between its messages, on every engine."""

from __future__ import annotations

from math import inf
from typing import Any

import attrs
import pytest

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Beyond,
    Records,
    SpecError,
    SupervisorSpec,
)
from holdfast_runtime.testing import Faults, Injected

from .puppets import AsyncPuppet, Do, Puppet, Say, Told, puppet
from .worlds import World, on_each_engine, play

ONE = "top/one"
both = pytest.mark.parametrize("make", [Puppet, AsyncPuppet])


def family(*children: ActorSpec | SupervisorSpec) -> SupervisorSpec:
    return SupervisorSpec(name="top", backoff=Backoff(jitter=0), children=children)


def told(*texts: str) -> Any:
    async def scenario(world: World) -> None:
        for text in texts:
            await world.told(ONE, Say(text))
        await world.sleep(60)

    return scenario


@both
@on_each_engine
def test_a_crash_comes_at_the_nth_message_of_its_class(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []
    faults = Faults()
    fault = faults.crash_on(ONE, Say, 2)

    async def scenario(world: World) -> None:
        await world.told(ONE, Do(lambda _: None))
        await told("a", "b", "c")(world)

    play(kind, family(puppet(notes, "one", make=make)), scenario, prepare=faults.attach)

    assert notes == ["one: born", "one: a", "one: born", "one: c", "one: stops"]
    assert (fault.seen, fault.happened) == (3, 1)
    faults.history.expect("crashed", ONE, "Injected", times=1)
    faults.history.expect("dead", ONE, Say("b"), times=1)
    faults.history.expect_order(
        ("fault", ONE), ("crashed", ONE), ("restarted", ONE), ("handled", ONE)
    )


@both
@on_each_engine
def test_a_crash_after_the_work_lets_nothing_of_it_leave(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []
    faults = Faults()
    faults.crash_on(ONE, Do, after=True, error=KeyError)

    def talk(actor: Puppet) -> None:
        actor.note("works")
        actor.ctx.ref("top/two").tell(Say("hello"))

    async def scenario(world: World) -> None:
        await world.told(ONE, Do(talk), Do(talk))
        await world.sleep(60)

    spec = family(puppet(notes, "one", make=make), puppet(notes, "two"))
    play(kind, spec, scenario, prepare=faults.attach)

    assert notes.count("one: works") == 2
    assert notes.count("two: hello") == 1
    faults.history.expect("crashed", ONE, "KeyError", times=1)


@both
@on_each_engine
def test_a_kill_comes_between_two_messages(kind: str, make: type[Puppet]) -> None:
    notes: list[str] = []
    faults = Faults()
    faults.kill(ONE, Say, 2)

    play(
        kind,
        family(puppet(notes, "one", make=make)),
        told("a", "b", "c"),
        prepare=faults.attach,
    )

    assert notes[1:] == ["one: a", "one: b", "one: born", "one: c", "one: stops"]
    faults.history.expect("crashed", ONE, "Killed", times=1)
    assert not faults.history.of("dead")


@on_each_engine
def test_a_kill_may_wait_for_its_time(kind: str) -> None:
    notes: list[str] = []
    faults = Faults()
    faults.kill("top/*", after_s=30)

    async def scenario(world: World) -> None:
        await world.sleep(29)
        assert not faults.history.of("crashed")
        await world.sleep(31)

    spec = family(puppet(notes, "one"), puppet(notes, "two"))
    play(kind, spec, scenario, prepare=faults.attach)

    faults.history.expect("crashed", "top/one", times=1)
    faults.history.expect("crashed", "top/two", times=1)


@both
@on_each_engine
def test_a_hung_actor_does_not_stop_the_others_and_a_kill_ends_it(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []
    faults = Faults()
    faults.hang(ONE, Say, 2)
    faults.kill(ONE, after_s=100)

    async def scenario(world: World) -> None:
        await world.told(ONE, Say("a"), Told(7), Say("b"), Say("c"))
        await world.told("top/two", Say("meanwhile"))
        await world.sleep(90)
        assert notes[2:] == ["one: a", "one: record 7", "two: meanwhile"]
        await world.sleep(60)

    spec = family(puppet(notes, "one", make=make), puppet(notes, "two"))
    play(kind, spec, scenario, prepare=faults.attach)

    assert notes[5:7] == ["one: born", "one: c"]
    faults.history.expect("dead", ONE, Say("b"), times=1)


@both
@on_each_engine
def test_a_slow_actor_takes_its_time_for_each_message(
    kind: str, make: type[Puppet]
) -> None:
    faults = Faults()
    faults.slow(ONE, Say, by_s=10)

    async def scenario(world: World) -> None:
        await world.told(ONE, Say("a"), Say("b"))
        await world.sleep(30)

    play(kind, family(puppet([], "one", make=make)), scenario, prepare=faults.attach)

    first, second = faults.history.expect("handled", ONE, Say, times=2)
    assert (round(first.at_s), round(second.at_s)) == (10, 20)


@both
@on_each_engine
def test_a_paused_actor_reads_nothing_for_a_while(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []
    faults = Faults()
    faults.pause(ONE, Say, for_s=10)

    async def scenario(world: World) -> None:
        await world.told(ONE, Say("a"), Say("b"), Say("c"))
        await world.sleep(9)
        assert notes[1:] == ["one: a"]
        await world.sleep(2)
        assert notes[1:] == ["one: a", "one: b", "one: c"]
        faults.pause(ONE, for_s=50)
        await world.told(ONE, Say("d"))
        await world.sleep(10)

    play(kind, family(puppet(notes, "one", make=make)), scenario, prepare=faults.attach)

    # A stop does not wait for the end of a pause, and what waits is not read.
    assert notes[4:] == ["one: stops"]
    faults.history.expect("dead", ONE, Say("d"), times=1)


@on_each_engine
def test_an_incarnation_may_fail_at_its_start(kind: str) -> None:
    notes: list[str] = []
    faults = Faults()
    faults.crash_start(ONE, 2, times=2)
    faults.crash_on(ONE, Say)

    play(kind, family(puppet(notes, "one")), told("a"), prepare=faults.attach)

    assert notes.count("one: born") == 4
    faults.history.expect("crashed", ONE, "Injected", times=3)
    faults.history.expect("restarted", ONE, times=1)


@on_each_engine
def test_a_persistent_crash_parks_its_family(kind: str) -> None:
    faults = Faults()
    faults.crash_on("top/f/*", times=inf)
    below = SupervisorSpec(
        name="f", children=(puppet([], "a"),), restarts=2, beyond=Beyond.PARK
    )

    async def scenario(world: World) -> None:
        await world.told("top/f/a", Say("a"), Say("b"), Say("c"))
        await world.sleep(60)

    play(kind, family(below), scenario, prepare=faults.attach)

    faults.history.expect("crashed", "top/f/a", times=3)
    faults.history.expect("parked", "top/f", times=1)


@attrs.define(eq=False)
class Disk:
    """A recorder that never waits."""

    entries: list[Any]

    def commit(self, records: list[Any]) -> None:
        self.entries.extend(records)

    def handle(self, message: Records) -> None:
        self.commit(list(message.entries))
        message.hold.confirm()


@attrs.define(eq=False)
class BatchDisk:
    """A recorder that takes batches."""

    entries: list[Any]

    async def handle_batch(self, batch: list[Records]) -> None:
        for each in batch:
            self.entries.extend(each.entries)
            each.hold.confirm()

    async def handle(self, message: Records) -> None:
        await self.handle_batch([message])


@pytest.mark.parametrize("make", [Disk, BatchDisk])
@on_each_engine
def test_a_recorder_that_crashes_takes_down_who_recorded(kind: str, make: Any) -> None:
    entries: list[Any] = []
    faults = Faults()
    faults.crash_on("top/disk", Records, 2)

    def note(actor: Puppet) -> None:
        actor.ctx.record(len(entries))

    async def scenario(world: World) -> None:
        await world.told(ONE, Do(note))
        await world.told(ONE, Do(note))
        await world.sleep(60)
        await world.told(ONE, Do(note))

    disk = ActorSpec(name="disk", build=lambda _: make(entries))
    spec = family(disk, puppet([], "one", recorder="top/disk"))
    play(kind, spec, scenario, prepare=faults.attach)

    assert entries == [0, 1]
    faults.history.expect("crashed", "top/disk", "Injected", times=1)
    faults.history.expect("crashed", ONE, "RecordsLost", times=1)
    faults.history.expect("recorded", ONE, times=3)


# --- what cannot be done ------------------------------------------------------


@on_each_engine
def test_a_fault_for_nobody_is_refused(kind: str) -> None:
    faults = Faults()
    faults.crash_on("top/nobody")

    with pytest.raises(SpecError, match=r"one of \['top/one'\], was 'top/nobody'"):
        play(kind, family(puppet([], "one")), told(), prepare=faults.attach)


def test_faults_of_one_engine_are_refused_by_the_next() -> None:
    faults = Faults()
    play("simulated", family(puppet([], "one")), told(), prepare=faults.attach)

    with pytest.raises(SpecError, match="faults of their own for each engine"):
        play("simulated", family(puppet([], "one")), told(), prepare=faults.attach)


@on_each_engine
def test_an_engine_without_faulty_links_refuses_faults_on_them(kind: str) -> None:
    faults = Faults()
    faults.delay(ONE, by_s=1)

    with pytest.raises(SpecError, match="delay top/one: expected a FaultyEngine"):
        play(kind, family(puppet([], "one")), told(), prepare=faults.attach)


def test_on_the_live_engine_a_synchronous_actor_hangs_only_if_said_before() -> None:
    faults = Faults()

    async def scenario(_: World) -> None:
        with pytest.raises(SpecError, match="before the engine starts"):
            faults.hang(ONE)
        faults.hang("top/two")

    spec = family(puppet([], "one"), puppet([], "two", make=AsyncPuppet))
    play("live", spec, scenario, prepare=faults.attach)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (lambda f: f.crash_on(ONE, nth=0), "nth >= 1, was 0"),
        (lambda f: f.crash_on(ONE, times=0), "times >= 1, was 0"),
        (lambda f: f.crash_on(ONE, rate=1.5), "rate above 0, up to 1, was 1.5"),
        (lambda f: f.delay(ONE, by_s=-1), "a time of 0 s or more, was -1"),
        (lambda f: f.drop(ONE, Told), "without an origin .*, was Told"),
        (lambda f: f.duplicate(ONE, Say), "with an origin .*, was Say"),
        (lambda f: f.kill(ONE), "on, after_s, or an engine that runs"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(said: Any, expected: str) -> None:
    with pytest.raises(SpecError, match=expected):
        said(Faults())


def test_a_reference_names_a_place_too() -> None:
    faults = Faults()

    async def scenario(world: World) -> None:
        faults.crash_on(world.ref(ONE))
        await told("a")(world)

    play("simulated", family(puppet([], "one")), scenario, prepare=faults.attach)

    faults.history.expect("crashed", ONE, Injected.__name__, times=1)
