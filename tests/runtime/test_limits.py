"""What a family does below, at and beyond its limit of restarts."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_runtime import (
    Backoff,
    Beyond,
    EngineFailed,
    Lifecycle,
    MailboxClosed,
    Stop,
    Strategy,
    SupervisorSpec,
)
from holdfast_runtime.cell import State
from holdfast_runtime.family import Family
from holdfast_runtime.kernel import Kernel

from .puppets import CRASH, AsyncPuppet, Broken, Puppet, Say, puppet
from .worlds import World, on_each_engine, play

AT_ONCE = Backoff(first_s=0.0, limit_s=0.0, jitter=0.0)


def family(name: str, *children: Any, **spec: Any) -> SupervisorSpec:
    usual: dict[str, Any] = {"backoff": AT_ONCE, "restarts": 2, "period_s": 10.0}
    return SupervisorSpec(name=name, children=children, **(usual | spec))


def inner(engine: Kernel, *path: str) -> Family:
    found = engine.root
    for name in path:
        (child,) = [each for each in found.children if each.name == name]
        assert isinstance(child, Family)
        found = child
    return found


@on_each_engine
@pytest.mark.parametrize(("crashes", "parked"), [(1, False), (2, False), (3, True)])
def test_the_limit_itself_is_tolerated_and_one_more_is_not(
    kind: str, crashes: int, parked: bool
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        for _ in range(crashes):
            await world.told("top/f/a", CRASH)
            await world.sleep(0.0)
        state = inner(world.engine, "f").state
        assert state is (State.PARKED if parked else State.RUNNING)

    play(
        kind,
        family("top", family("f", puppet(notes, "a"), beyond=Beyond.PARK)),
        scenario,
    )


@on_each_engine
def test_old_restarts_do_not_count(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        for _ in range(6):
            await world.told("top/f/a", CRASH)
            await world.sleep(5.1)
        assert inner(world.engine, "f").state is State.RUNNING

    play(
        kind,
        family("top", family("f", puppet(notes, "a"), beyond=Beyond.PARK)),
        scenario,
    )


@on_each_engine
def test_a_parked_family_says_so_and_its_siblings_live_on(kind: str) -> None:
    notes: list[str] = []
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        for _ in range(3):
            await world.told("top/f/a", CRASH)
        assert world.state("top/f/b") == "stopped"
        with pytest.raises(MailboxClosed) as caught:
            world.ref("top/f/b").tell(Say("refused"))
        assert caught.value.path == "top/f/b"
        assert caught.value.message == Say("refused")
        await world.told("top/c", Say("alive"))

    def prepare(engine: Kernel) -> None:
        engine.on_lifecycle.append(events.append)

    spec = family(
        "top",
        family("f", puppet(notes, "a"), puppet(notes, "b"), beyond=Beyond.PARK),
        puppet(notes, "c"),
    )
    play(kind, spec, scenario, prepare=prepare)
    assert "c: alive" in notes
    (parked,) = [event for event in events if event.what == "parked"]
    assert (parked.path, parked.error) == ("top/f", "Broken: ")


@on_each_engine
def test_mail_for_a_parked_actor_is_a_dead_letter_and_a_revived_one_begins_anew(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH, CRASH, CRASH)
        await world.told("top/f/a", Say("too late"))
        parked = inner(world.engine, "f")
        parked.revive()
        await world.settle()
        await world.told("top/f/a", Say("back"), CRASH, CRASH, Say("within limits"))
        await world.sleep(0.0)
        parked.revive()  # means nothing to a family that runs
        assert parked.state is State.RUNNING

    engine = play(
        kind,
        family("top", family("f", puppet(notes, "a"), beyond=Beyond.PARK)),
        scenario,
    )
    said = [note for note in notes if note not in {"a: born", "a: stops"}]
    assert said == ["a: back", "a: within limits"]
    letters = [each for each in engine.dead_letters if each.message == Say("too late")]
    assert [letter.why for letter in letters] == ["stopped"]


@on_each_engine
def test_a_parked_family_tries_again_after_its_time(kind: str) -> None:
    notes: list[str] = []
    spec = family(
        "f",
        puppet(notes, "a"),
        beyond=Beyond.PARK,
        restarts=0,
        retry_parked_s=30.0,
    )

    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        assert inner(world.engine, "f").state is State.PARKED
        await world.sleep(29.0)
        assert inner(world.engine, "f").state is State.PARKED
        await world.sleep(1.0)
        assert inner(world.engine, "f").state is State.RUNNING
        await world.told("top/f/a", CRASH)
        assert inner(world.engine, "f").state is State.PARKED

    engine = play(kind, family("top", spec), scenario)
    # The second time was not waited for: nobody comes back after the end.
    assert inner(engine, "f").state is State.STOPPED
    assert not len(engine.timers)


@on_each_engine
def test_the_root_may_park_and_be_revived(kind: str) -> None:
    notes: list[str] = []
    spec = family(
        "top", puppet(notes, "a"), beyond=Beyond.PARK, restarts=0, retry_parked_s=5.0
    )

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        assert world.engine.root.state is State.PARKED
        await world.sleep(5.0)
        await world.told("top/a", Say("back"))

    play(kind, spec, scenario)
    assert notes[-2:] == ["a: back", "a: stops"]


@on_each_engine
def test_three_levels_escalate_one_after_the_other_until_one_parks(kind: str) -> None:
    """Limits multiply: 1 + 1 restarts of the actor for each of the level above."""
    notes: list[str] = []
    low = family("low", puppet(notes, "a"), puppet(notes, "low-b"), restarts=1)
    mid = family(
        "mid",
        puppet(notes, "mid-b"),
        low,
        restarts=1,
        strategy=Strategy.ONE_FOR_ALL,
    )
    high = family("high", mid, puppet(notes, "high-b"), beyond=Beyond.PARK, restarts=1)

    async def scenario(world: World) -> None:
        crashes = 0
        while inner(world.engine, "high").state is not State.PARKED:
            await world.told("top/high/mid/low/a", CRASH)
            await world.sleep(0.0)
            crashes += 1
        assert crashes == 8
        assert isinstance(inner(world.engine, "high").error, Broken)
        assert world.state("top/high/mid/low/low-b") == "stopped"
        assert world.state("top/high/mid/mid-b") == "stopped"
        assert world.state("top/high/high-b") == "stopped"
        assert world.state("top/other") == "running"
        inner(world.engine, "high").revive()
        await world.settle()
        assert world.state("top/high/mid/low/a") == "running"

    play(kind, family("top", high, puppet(notes, "other")), scenario)
    births = {n: notes.count(f"{n}: born") for n in ("a", "mid-b", "high-b", "other")}
    assert births == {"a": 9, "mid-b": 5, "high-b": 2, "other": 1}


@on_each_engine
def test_what_waits_for_an_escalated_family_is_kept(kind: str) -> None:
    notes: list[str] = []
    low = family("low", puppet(notes, "a"), puppet(notes, "b"), restarts=0)
    top = family("top", low, backoff=Backoff(first_s=2.0, jitter=0.0))

    async def scenario(world: World) -> None:
        await world.told("top/low/a", CRASH, Say("for a"))
        assert inner(world.engine, "low").state is State.DOWN
        await world.told("top/low/b", Say("for b"))
        await world.sleep(2.0)

    play(kind, top, scenario)
    assert {"a: for a", "b: for b"} <= set(notes)


@on_each_engine
def test_beyond_the_roots_limit_the_engine_fails_with_the_cause(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        await world.sleep(10.0)

    with pytest.raises(EngineFailed, match="top went beyond its limit of 0 ") as it:
        play(kind, family("top", puppet(notes, "a"), restarts=0), scenario)
    assert isinstance(it.value.__cause__, Broken)


class NeverUp(Puppet):
    def start(self) -> None:
        raise Broken


@on_each_engine
def test_an_engine_that_cannot_start_fails_at_once(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        raise AssertionError(world)

    spec = family("top", puppet(notes, "b"), puppet(notes, "a", make=NeverUp))
    with pytest.raises(EngineFailed) as caught:
        play(kind, spec, scenario)
    assert isinstance(caught.value.__cause__, Broken)
    assert notes[-1] == "b: stops"


@on_each_engine
def test_an_end_beyond_the_limit_names_who_ended(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", Stop())
        assert str(inner(world.engine, "f").error) == "top/f/a ended"

    spec = family(
        "f", puppet(notes, "a", make=AsyncPuppet), restarts=0, beyond=Beyond.PARK
    )
    play(kind, family("top", spec), scenario)


@on_each_engine
def test_a_child_added_to_a_parked_family_starts_with_it(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        parked = inner(world.engine, "f")
        parked.add_child(puppet(notes, "late"))
        await world.settle()
        assert "late: born" not in notes
        assert world.state("top/f/late") == "stopped"
        parked.revive()
        await world.told("top/f/late", Say("hello"))

    spec = family("f", puppet(notes, "a"), restarts=0, beyond=Beyond.PARK)
    play(kind, family("top", spec), scenario)
    assert "late: hello" in notes
