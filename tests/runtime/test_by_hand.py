"""Children that are added, removed and started anew by hand while the tree runs."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_runtime import (
    ActorError,
    Backoff,
    Beyond,
    Lifecycle,
    MailboxClosed,
    Restart,
    SpecError,
    Stop,
    Strategy,
    SupervisorSpec,
)
from holdfast_runtime.cell import Cell

from .puppets import CRASH, AsyncPuppet, Do, Puppet, Say, hang, puppet
from .worlds import World, on_each_engine, play

SLOW = Backoff(first_s=50.0, limit_s=50.0, jitter=0.0)


def family(name: str, *children: Any, **spec: Any) -> SupervisorSpec:
    return SupervisorSpec(name=name, children=children, backoff=SLOW, **spec)


class Ready(AsyncPuppet):
    """Is up two seconds after it was built."""

    async def start(self) -> None:
        await self.ctx.sleep(2.0)
        self.note("up")


class NeverUp(Puppet):
    def start(self) -> None:
        raise ValueError("no")


# --- added ------------------------------------------------------------------------


@on_each_engine
def test_an_added_child_is_there_when_it_says_that_it_is_up(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        began_s = world.engine.now_s()
        await world.engine.add_child("top/f", puppet(notes, "late", make=Ready))
        assert notes[-1] == "late: up"
        assert world.engine.now_s() - began_s == pytest.approx(2.0)
        await world.told("top/f/late", Say("hello"))
        inner = family("inner", puppet(notes, "x", make=Ready), puppet(notes, "y"))
        await world.engine.add_child("top", inner)
        assert notes[-1] == "y: born"
        assert world.state("top/inner/y") == "running"

    play(kind, family("top", family("f", puppet(notes, "a"))), scenario)
    # The last one to start is the first one to stop.
    stopped = [note for note in notes if "stops" in note]
    assert stopped == ["y: stops", "x: stops", "late: stops", "a: stops"]


@on_each_engine
def test_a_child_that_does_not_come_up_is_told_with_its_error(kind: str) -> None:
    async def scenario(world: World) -> None:
        late = puppet([], "late", make=NeverUp, restart=Restart.TEMPORARY)
        with pytest.raises(ActorError, match=r"top/late: expected to start.*'no'"):
            await world.engine.add_child("top", late)
        with pytest.raises(SpecError, match="top/a: expected a family, was an actor"):
            await world.engine.add_child("top/a", late)
        with pytest.raises(SpecError, match="top/f: expected the path of a child"):
            await world.engine.add_child("top/f", late)

    play(kind, family("top", puppet([], "a")), scenario)


@on_each_engine
def test_a_child_added_to_a_parked_family_waits_for_it(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        await world.engine.add_child("top/f", puppet(notes, "late"))
        assert world.state("top/f/late") == "stopped"
        await world.engine.restart_child("top/f")
        assert world.state("top/f/late") == "running"

    spec = family("f", puppet(notes, "a"), restarts=0, beyond=Beyond.PARK)
    play(kind, family("top", spec), scenario)


# --- removed ----------------------------------------------------------------------


@on_each_engine
def test_a_removed_child_stops_in_order_and_leaves_nothing(kind: str) -> None:
    notes: list[str] = []
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        ref = world.ref("top/b")
        await world.told("top/b", Do(hang), Say("left"), Say("left too"))
        await world.engine.remove_child("top/b")
        assert list(world.engine.cells) == ["top/a"]
        with pytest.raises(MailboxClosed):
            ref.tell(Say("nobody is there"))
        with pytest.raises(SpecError, match="top/b: expected the path of a child"):
            await world.engine.remove_child("top/b")
        # The name is free again; it is another place.
        await world.engine.add_child("top", puppet(notes, "b"))
        await world.told("top/b", Say("hello"))
        with pytest.raises(MailboxClosed):
            ref.tell(Say("that was another one"))

    def prepare(engine: Any) -> None:
        engine.on_lifecycle.append(events.append)

    spec = family("top", puppet(notes, "a"), puppet(notes, "b", make=AsyncPuppet))
    engine = play(kind, spec, scenario, prepare=prepare)
    assert notes[2:6] == ["b: hangs", "b: is cut", "b: born", "b: hello"]
    left = [event.left for event in events if event.what == "stopped"]
    assert left == [2, 0, 0]
    letters = [letter.message for letter in engine.dead_letters]
    assert letters[-2:] == [Say("left"), Say("left too")]


@on_each_engine
@pytest.mark.parametrize("state", ["running", "down", "parked"])
def test_a_family_is_removed_whatever_its_state(kind: str, state: str) -> None:
    notes: list[str] = []
    beyond = Beyond.PARK if state == "parked" else Beyond.ESCALATE

    async def scenario(world: World) -> None:
        if state != "running":
            await world.told("top/f/a", CRASH)
        (found,) = world.engine.root.children
        assert found.state.value == state
        await world.engine.remove_child("top/f")
        assert not world.engine.cells
        await world.sleep(100.0)
        assert notes.count("a: born") == 1

    inner = family("g", puppet(notes, "b"))
    spec = family("f", puppet(notes, "a"), inner, restarts=0, beyond=beyond)
    play(kind, family("top", spec), scenario)
    assert notes.count("b: stops") == 1


@on_each_engine
def test_a_child_of_a_parked_family_is_removed_at_once(kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        await world.engine.remove_child("top/f/b")
        await world.engine.restart_child("top/f")
        assert list(world.engine.cells) == ["top/f/a"]

    children = (puppet([], "a"), puppet([], "b"))
    spec = family("f", *children, restarts=0, beyond=Beyond.PARK)
    play(kind, family("top", spec), scenario)


@on_each_engine
def test_who_is_recorded_at_is_not_removed(kind: str) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(SpecError, match="top/f: expected nobody to record there"):
            await world.engine.remove_child("top/f")
        assert world.state("top/f/disk") == "running"

    user = puppet([], "a", recorder="top/f/disk")
    play(kind, family("top", family("f", puppet([], "disk")), user), scenario)


# --- started anew -----------------------------------------------------------------


@on_each_engine
@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.ONE_FOR_ONE, "b: stops, b: born"),
        (Strategy.ONE_FOR_ALL, "c: stops, b: stops, a: stops, a: born, b: born, "),
        (Strategy.REST_FOR_ONE, "c: stops, b: stops, b: born, c: born"),
    ],
)
def test_a_restart_by_hand_takes_along_those_who_share_its_troubles(
    kind: str, strategy: Strategy, expected: str
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        notes.clear()
        for _ in range(3):
            # Neither backoff nor limit: nobody has crashed.
            await world.engine.restart_child("top/b")
        assert (", ".join(notes)).startswith(expected)
        assert world.engine.root.restarts == 0

    children = (puppet(notes, name) for name in "abc")
    play(kind, family("top", *children, strategy=strategy, restarts=0), scenario)


@on_each_engine
@pytest.mark.parametrize("restart", Restart)
@pytest.mark.parametrize("end", [CRASH, Stop(), Do(hang)])
def test_a_restart_by_hand_works_whatever_became_of_the_child(
    kind: str, restart: Restart, end: object
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        began_s = world.engine.now_s()
        await world.told("top/a", end)
        await world.engine.restart_child("top/a")
        # Without the backoff of a crash, and with the deadline of a hung one.
        assert world.engine.now_s() - began_s <= 5.0
        await world.told("top/a", Say("again"))
        assert world.cell("top/a").incarnation == 2

    play(
        kind,
        family("top", puppet(notes, "a", make=AsyncPuppet, restart=restart)),
        scenario,
    )
    assert "a: again" in notes


@on_each_engine
def test_a_restart_by_hand_of_a_family_restarts_all_in_it(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        notes.clear()
        await world.told("top/f/b", Do(hang), Say("kept"))
        await world.engine.restart_child("top/f")
        await world.settle()
        assert notes[1:] == [
            "b: is cut", "a: stops", "a: born", "b: born", "b: kept",
        ]  # fmt: skip

    spec = family("f", puppet(notes, "a"), puppet(notes, "b", make=AsyncPuppet))
    play(kind, family("top", spec), scenario)


@on_each_engine
def test_a_child_of_a_parked_family_is_not_started_alone(kind: str) -> None:
    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        said = "top/f/a: expected its family to run, was parked; restart top/f first"
        with pytest.raises(ActorError) as caught:
            await world.engine.restart_child("top/f/a")
        assert str(caught.value) == said

    spec = family("f", puppet([], "a"), restarts=0, beyond=Beyond.PARK)
    play(kind, family("top", spec), scenario)


@on_each_engine
def test_what_is_asked_for_ends_with_the_family(kind: str) -> None:
    """The engine stops while a removal and a restart are under way."""
    notes: list[str] = []
    ended: list[str] = []

    async def scenario(world: World) -> None:
        async def remove() -> None:
            await world.engine.remove_child("top/b")
            ended.append("removed")

        async def restart() -> None:
            with pytest.raises(ActorError, match="top/a: expected to start, was stop"):
                await world.engine.restart_child("top/a")
            ended.append("not restarted")

        await world.told("top/c", Do(hang))
        world.engine.run_task(hold_up())
        world.engine.run_task(remove())
        world.engine.run_task(restart())
        await world.settle()
        world.engine.root.request_stop()
        await world.sleep(20.0)
        # Both end at one moment; trio has no order for that.
        assert sorted(ended) == ["not restarted", "removed"]

    async def hold_up() -> None:
        await engines[0].remove_child("top/c")

    engines: list[Any] = []
    children = (puppet(notes, "a"), puppet(notes, "b"))
    slow = puppet(notes, "c", make=AsyncPuppet)
    play(kind, family("top", *children, slow), scenario, prepare=engines.append)


@on_each_engine
def test_a_family_without_a_limit_restarts_for_ever(kind: str) -> None:
    async def scenario(world: World) -> None:
        for _ in range(100):
            await world.told("top/a", CRASH)
            await world.sleep(50.0)
        assert isinstance(world.engine.root.children[0], Cell)
        assert world.cell("top/a").incarnation == 101
        assert world.state("top/a") == "running"

    play(kind, family("top", puppet([], "a"), restarts=None, period_s=1e6), scenario)
