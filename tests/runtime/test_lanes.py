"""Lanes: who overtakes whom, and what each does when it is full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from holdfast_runtime import (
    AskFailed,
    Backoff,
    Full,
    Lane,
    LaneSpec,
    MailboxFull,
    SupervisorSpec,
)
from holdfast_runtime.mailbox import Mailbox, Put

from .puppets import (
    CRASH,
    AsyncPuppet,
    Broken,
    Bulk,
    Do,
    Puppet,
    Say,
    Told,
    Urgent,
    puppet,
)
from .worlds import World, on_each_engine, play


def family(*children: Any) -> SupervisorSpec:
    backoff = Backoff(first_s=1.0, jitter=0.0)
    return SupervisorSpec(name="top", children=children, backoff=backoff, restarts=9)


async def nap(actor: Puppet) -> None:
    actor.note("naps")
    await actor.ctx.sleep(1.0)


def napper(notes: list[str], lane: LaneSpec, name: str = "a") -> Any:
    """Return a reader whose lane for bulk data is ``lane``."""
    return puppet(notes, name, make=AsyncPuppet, lanes={Lane.DATA: lane})


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
def test_a_higher_lane_is_read_first(kind: str, make: type[Puppet]) -> None:
    notes: list[str] = []

    def send(actor: Puppet) -> None:
        to = actor.ctx.ref("top/a")
        for message in (Bulk("3"), Say("2"), Bulk("4"), Urgent("1")):
            to.tell(message)

    async def scenario(world: World) -> None:
        await world.told("top/b", Do(send))

    play(kind, family(puppet(notes, "a", make=make), puppet(notes, "b")), scenario)
    said = [note for note in notes if note[3:].isdigit()]
    if kind == "simulated":
        # There, what finds its reader free does not wait; control overtakes anyway.
        assert said[0] == "a: 1"
        assert sorted(said) == ["a: 1", "a: 2", "a: 3", "a: 4"]
    else:
        assert said == ["a: 1", "a: 2", "a: 3", "a: 4"]


@on_each_engine
def test_a_question_goes_by_the_lane_of_what_it_asks(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        for number in range(500):
            world.engine.post(world.cell("top/a"), Say(str(number)), None)
        await world.ref("top/a").ask(Urgent("kill switch"), deadline_s=1.0)
        notes.append("answered")
        await world.settle()

    play(kind, family(puppet(notes, "a")), scenario)
    assert notes.index("a: kill switch") <= 65
    assert len(notes) == 504


def flood(count: int, message: Any = Bulk) -> Do:
    def send(actor: Puppet) -> None:
        for number in range(count):
            actor.ctx.ref("top/a").tell(message(str(number)))

    return Do(send)


@on_each_engine
def test_a_full_lane_stalls_its_sender_until_there_is_room(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap), Bulk("x"))
        await world.told("top/b", flood(6), Say("waits"), Say("waits too"))
        assert world.cell("top/b").stalls > 0
        assert "b: waits" not in notes
        assert world.cell("top/a").mailbox.size == 7
        await world.sleep(1.0)
        assert world.cell("top/b").stalls == 0

    spec = family(napper(notes, LaneSpec(capacity=4)), puppet(notes, "b"))
    play(kind, spec, scenario)
    assert [n for n in notes if n.startswith("a: ") and n[3:].isdigit()] == [
        f"a: {number}" for number in range(6)
    ]
    # It went on as soon as half of the lane was free, not when all of it was.
    assert notes.index("a: 2") < notes.index("b: waits") < notes.index("b: waits too")


@on_each_engine
def test_a_stalled_sender_that_restarts_is_not_stalled_for_ever(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap))
        await world.told("top/b", flood(5), Say("one"))
        world.engine.kill(world.cell("top/b"), Broken())
        await world.sleep(5.0)
        assert world.cell("top/b").stalls == 0
        await world.told("top/b", flood(1), Say("two"))

    spec = family(napper(notes, LaneSpec(capacity=1)), puppet(notes, "b"))
    play(kind, spec, scenario)
    assert [n for n in notes if n in {"b: one", "b: two"}] == ["b: one", "b: two"]


@on_each_engine
@pytest.mark.parametrize("fate", ["crash", "park"])
def test_a_reader_that_dies_lets_its_senders_go(kind: str, fate: str) -> None:
    """Its last message may be the fatal one: then nothing is handled after it."""
    notes: list[str] = []

    def attack(actor: Puppet) -> None:
        for _ in range(2):
            actor.ctx.ref("top/f/a").tell(CRASH)

    inner = SupervisorSpec(
        name="f",
        restarts=5 if fate == "crash" else 0,
        backoff=Backoff(first_s=0.0, limit_s=0.0),
        children=(puppet(notes, "a", lanes={Lane.EVENTS: LaneSpec(capacity=1)}),),
    )

    async def scenario(world: World) -> None:
        await world.told("top/b", Do(attack), Say("lives on"))
        await world.sleep(5.0)
        assert world.cell("top/b").stalls == 0

    play(kind, family(inner, puppet(notes, "b")), scenario)
    assert "b: lives on" in notes


@on_each_engine
def test_those_who_flood_each_other_do_not_wait_for_each_other(kind: str) -> None:
    notes: list[str] = []
    names = ("a", "b", "c")

    def flood_next(actor: Puppet) -> None:
        following = names[(names.index(actor.name) + 1) % 3]
        for number in range(5):
            actor.ctx.ref(f"top/{following}").tell(Bulk(str(number)))

    lanes = {Lane.DATA: LaneSpec(capacity=1)}

    async def scenario(world: World) -> None:
        for name in names:
            for _ in range(3):
                world.engine.post(world.cell(f"top/{name}"), Do(flood_next), None)
        await world.sleep(1.0)
        assert world.engine.pending == 0

    play(kind, family(*(puppet(notes, n, lanes=lanes) for n in names)), scenario)
    assert len([note for note in notes if note[3:].isdigit()]) == 45


@on_each_engine
def test_the_oldest_is_dropped_and_counted(kind: str) -> None:
    notes: list[str] = []
    spec = LaneSpec(capacity=3, full=Full.DROP_OLDEST)

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap))
        await world.told("top/b", flood(5), Say("not stalled"))
        world.ref("top/a").tell(Bulk("5"))
        assert "b: not stalled" in notes
        assert world.cell("top/a").mailbox.dropped == 3
        await world.sleep(1.0)

    play(kind, family(napper(notes, spec), puppet(notes, "b")), scenario)
    assert [n for n in notes if n[3:].isdigit()] == ["a: 3", "a: 4", "a: 5"]


@on_each_engine
def test_a_question_that_is_dropped_is_answered(kind: str) -> None:
    spec = LaneSpec(capacity=1, full=Full.DROP_OLDEST)

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap))
        world.engine.call_later(0.5, lambda: world.ref("top/a").tell(Bulk("newer")))
        with pytest.raises(AskFailed, match="dropped from a full lane"):
            await world.ref("top/a").ask(Bulk("older"), deadline_s=0.9)

    play(kind, family(napper([], spec)), scenario)


@on_each_engine
def test_the_newest_of_each_key_takes_the_place_of_the_older(kind: str) -> None:
    notes: list[str] = []
    spec = LaneSpec(capacity=2, full=Full.CONFLATE, key=lambda message: message.key)

    # The third key finds the lane full: the oldest of the others is dropped.
    texts = ("a1", "b1", "a2", "b2", "c1", "b3")

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap))
        for text in texts:
            world.ref("top/a").tell(Bulk(text, text[0]))
        assert world.cell("top/a").mailbox.dropped == 4
        await world.sleep(1.0)

    play(kind, family(napper(notes, spec)), scenario)
    assert notes[2:-1] == ["a: b3", "a: c1"]


@on_each_engine
def test_questions_are_never_conflated(kind: str) -> None:
    notes: list[str] = []
    spec = LaneSpec(full=Full.CONFLATE, key=lambda message: message.key)

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap), Bulk("older", "k"))
        ref = world.ref("top/a")
        await ref.ask(Bulk("asked", "k"), deadline_s=2.0)
        await world.told("top/a", Bulk("newer", "k"))

    play(kind, family(napper(notes, spec)), scenario)
    assert notes[2:-1] == ["a: older", "a: asked", "a: newer"]


@on_each_engine
def test_a_key_that_fails_is_the_fault_of_its_reader(kind: str) -> None:
    notes: list[str] = []

    def key(_: object) -> str:
        raise Broken

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap))
        await world.told("top/b", flood(1), Say("lives on"))
        assert isinstance(world.cell("top/a").error, Broken)
        assert world.state("top/b") == "running"

    lane = LaneSpec(full=Full.CONFLATE, key=key)
    engine = play(kind, family(napper(notes, lane), puppet(notes, "b")), scenario)
    assert Bulk("0") in [letter.message for letter in engine.dead_letters]


@on_each_engine
def test_being_too_far_behind_may_be_a_crash(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap))
        await world.told("top/b", flood(4), Say("lives on"))
        error = world.cell("top/a").error
        assert isinstance(error, MailboxFull)
        assert (error.path, error.lane, error.message) == ("top/a", "DATA", Bulk("2"))
        assert world.state("top/a") == "down"
        await world.sleep(1.0)
        assert world.state("top/a") == "running"

    lane = LaneSpec(capacity=2, full=Full.CRASH)
    engine = play(kind, family(napper(notes, lane), puppet(notes, "b")), scenario)
    letters = [letter.message for letter in engine.dead_letters]
    assert [each for each in letters if isinstance(each, Bulk)] == [
        Bulk("2"),
        Bulk("3"),
    ]
    assert notes[-4:] == ["a: 0", "a: 1", "b: stops", "a: stops"]


# --- the mailbox itself -----------------------------------------------------------


def mailbox(**lanes: LaneSpec) -> Mailbox:
    named: Mapping[Lane, LaneSpec] = {Lane[name]: spec for name, spec in lanes.items()}
    return Mailbox(named)


def test_lanes_are_made_on_first_use() -> None:
    box = mailbox()
    assert not list(box.active)
    box.put(Say("x"), Lane.EVENTS)
    assert len(box.active) == 1
    with pytest.raises(IndexError, match="the mailbox is empty"):
        _ = [box.pop() for _ in range(2)]


def test_a_message_that_is_put_back_gives_way_to_a_newer_one_with_its_key() -> None:
    latest = LaneSpec(full=Full.CONFLATE, key=lambda message: message.origin)
    box = mailbox(EVENTS=latest)
    assert box.put_first(Told(1), Lane.EVENTS)
    assert box.put(Told(2), Lane.EVENTS) is Put.TAKEN
    assert not box.put_first(Told(2), Lane.EVENTS)
    assert box.dropped == 1
    assert box.drain() == [Told(1), Told(2)]
    assert box.size == 0


def test_a_blocking_lane_takes_more_than_its_capacity_and_says_so() -> None:
    box = mailbox(DATA=LaneSpec(capacity=2))
    puts = [box.put(Bulk(""), Lane.DATA) for _ in range(3)]
    assert puts == [Put.TAKEN, Put.TAKEN, Put.OVER]
    assert box.blocks(Lane.DATA)
    assert box.is_over()
    _ = [box.pop() for _ in range(2)]
    assert not box.is_over()
    assert [*box] == [Bulk("")]
