"""Who else is restarted when one child dies, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from holdfast_runtime import (
    Backoff,
    Beyond,
    Restart,
    Stop,
    Strategy,
    SupervisorSpec,
)

from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, Say, hang, puppet
from .worlds import World, on_each_engine, play

QUICK = Backoff(first_s=1.0, jitter=0.0)
ALL, REST, ONE = (
    Strategy.ONE_FOR_ALL,
    Strategy.REST_FOR_ONE,
    Strategy.ONE_FOR_ONE,
)


def family(notes: list[str], strategy: Strategy, **spec: Any) -> SupervisorSpec:
    children = tuple(puppet(notes, name) for name in "abc")
    return SupervisorSpec(
        name="top", strategy=strategy, children=children, backoff=QUICK, **spec
    )


@on_each_engine
@pytest.mark.parametrize(
    ("strategy", "stopped", "born"),
    [(ONE, "", "b"), (ALL, "ca", "abc"), (REST, "c", "bc")],
)
def test_who_goes_along_stops_in_reverse_and_starts_in_order(
    kind: str, strategy: Strategy, stopped: str, born: str
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        notes.clear()
        await world.told("top/b", CRASH)
        assert notes == [f"{name}: stops" for name in stopped]
        notes.clear()
        # Messages wait for whoever is down; nobody is dead-lettered.
        for name in "abc":
            world.ref(f"top/{name}").tell(Say("hello"))
        await world.sleep(1.0)
        assert [note for note in notes if "born" in note] == [
            f"{name}: born" for name in born
        ]
        assert sorted(n for n in notes if "hello" in n) == [
            "a: hello",
            "b: hello",
            "c: hello",
        ]

    play(kind, family(notes, strategy), scenario)


@on_each_engine
@pytest.mark.parametrize("strategy", [ALL, REST])
def test_two_crashes_at_once_are_two_restarts(kind: str, strategy: Strategy) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        world.ref("top/a").tell(CRASH)
        world.ref("top/c").tell(CRASH)
        await world.sleep(2.0)
        top = world.engine.root
        assert [child.state.value for child in top.children] == ["running"] * 3
        assert top.restarts == 2

    play(kind, family(notes, strategy), scenario)


class Slow(AsyncPuppet):
    """Takes ten seconds to start, from its second birth on."""

    async def start(self) -> None:
        if self.ctx.incarnation > 1:
            self.note("starts")
            await self.ctx.sleep(10.0)
            self.note("is up")


@on_each_engine
@pytest.mark.parametrize("strategy", [ALL, REST])
def test_a_crash_during_a_siblings_restart_begins_it_anew(
    kind: str, strategy: Strategy
) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        strategy=strategy,
        backoff=QUICK,
        children=(puppet(notes, "a"), puppet(notes, "b", make=Slow, stop_s=0.2)),
    )

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        await world.sleep(2.0)
        assert notes[-1] == "b: starts"
        notes.clear()
        await world.told("top/a", CRASH)
        await world.sleep(2.5)
        assert notes == ["a: born", "b: born", "b: starts"]
        await world.sleep(10.0)
        assert notes[-1] == "b: is up"
        assert world.engine.root.restarts == 2

    play(kind, spec, scenario)


@on_each_engine
def test_siblings_that_share_no_troubles_wait_for_nobodys_start(kind: str) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        backoff=QUICK,
        children=(puppet(notes, "a", make=Slow), puppet(notes, "b")),
    )

    async def scenario(world: World) -> None:
        world.ref("top/a").tell(CRASH)
        world.ref("top/b").tell(CRASH)
        await world.sleep(1.5)
        assert world.state("top/a") == "starting"
        assert world.state("top/b") == "running"
        await world.sleep(10.0)
        assert world.state("top/a") == "running"

    play(kind, spec, scenario)


class Dependent(AsyncPuppet):
    """Asks the first sibling when it starts."""

    async def start(self) -> None:
        await self.ctx.ref("top/a").ask(Say(f"from {self.name}"), deadline_s=60.0)


@on_each_engine
def test_a_start_that_waits_for_a_sibling_that_crashes_is_begun_anew(
    kind: str,
) -> None:
    """The starting child hangs on a dead one: only its end lets both start again."""
    notes: list[str] = []

    class Fatal(Puppet):
        def handle(self, message: object) -> Any:
            if self.ctx.incarnation == 1 and isinstance(message, Say):
                raise Broken
            return super().handle(message)

    spec = SupervisorSpec(
        name="top",
        strategy=REST,
        backoff=QUICK,
        children=(
            puppet(notes, "a", make=Fatal),
            puppet(notes, "b", make=Dependent),
        ),
    )

    async def scenario(world: World) -> None:
        assert world.state("top/b") == "running"
        assert world.engine.now_s() - started[0] < 10.0

    started: list[float] = []
    play(kind, spec, scenario, prepare=lambda e: started.append(e.now_s()))
    # It either failed by the answer or was stopped; it lived a second time.
    assert notes.count("b: born") == 2


@on_each_engine
def test_a_temporary_sibling_that_must_go_along_does_not_come_back(kind: str) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        strategy=ALL,
        backoff=QUICK,
        children=(
            puppet(notes, "a"),
            puppet(notes, "guest", restart=Restart.TEMPORARY),
        ),
    )

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        await world.sleep(1.0)
        assert world.state("top/a") == "running"
        assert world.state("top/guest") == "stopped"

    play(kind, spec, scenario)


@on_each_engine
def test_a_sibling_that_ended_by_itself_stays_away(kind: str) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        strategy=ALL,
        backoff=QUICK,
        children=(
            puppet(notes, "a"),
            puppet(notes, "done", restart=Restart.TRANSIENT),
        ),
    )

    async def scenario(world: World) -> None:
        await world.told("top/done", Stop())
        await world.told("top/a", CRASH)
        await world.sleep(1.0)
        assert world.state("top/a") == "running"
        assert world.state("top/done") == "stopped"

    play(kind, spec, scenario)


@on_each_engine
def test_a_sibling_that_hangs_is_cut_so_that_the_others_can_start(kind: str) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        strategy=ALL,
        backoff=QUICK,
        children=(
            puppet(notes, "a"),
            puppet(notes, "b", make=AsyncPuppet, stop_s=3.0),
        ),
    )

    async def scenario(world: World) -> None:
        await world.told("top/b", Do(hang))
        await world.told("top/a", CRASH)
        await world.sleep(2.5)
        assert world.state("top/b") == "stopping"
        await world.sleep(1.0)
        assert world.state("top/a") == "running"
        assert world.state("top/b") == "running"

    play(kind, spec, scenario)
    assert notes.count("b: is cut") == 1


class Ender(Puppet):
    """Crashes while it stops, for a restart."""

    def stop(self) -> None:
        super().stop()
        if self.ctx.incarnation == 1:
            raise Broken


@on_each_engine
def test_a_crash_while_it_stops_is_an_end_like_any_other(kind: str) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        strategy=ALL,
        backoff=QUICK,
        children=(puppet(notes, "a"), puppet(notes, "b", make=Ender)),
    )

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        await world.sleep(1.0)
        assert world.state("top/b") == "running"
        assert world.engine.root.restarts == 1

    play(kind, spec, scenario)


@on_each_engine
def test_a_crash_while_it_ends_by_itself_is_a_crash(kind: str) -> None:
    notes: list[str] = []
    spec = SupervisorSpec(
        name="top",
        backoff=QUICK,
        children=(puppet(notes, "b", make=Ender, restart=Restart.TRANSIENT),),
    )

    async def scenario(world: World) -> None:
        await world.told("top/b", Stop())
        await world.sleep(1.0)
        assert world.state("top/b") == "running"
        assert isinstance(world.cell("top/b").error, Broken)

    play(kind, spec, scenario)


@on_each_engine
def test_a_parked_family_that_comes_back_shares_no_troubles_of_before(
    kind: str,
) -> None:
    notes: list[str] = []
    parked = SupervisorSpec(
        name="f",
        restarts=0,
        beyond=Beyond.PARK,
        retry_parked_s=5.0,
        children=(puppet(notes, "b"),),
    )
    spec = SupervisorSpec(
        name="top",
        strategy=ALL,
        backoff=QUICK,
        children=(puppet(notes, "a"), parked, puppet(notes, "c")),
    )

    async def scenario(world: World) -> None:
        await world.told("top/f/b", CRASH)
        await world.told("top/a", CRASH)
        await world.sleep(1.0)
        assert world.state("top/f/b") == "stopped"
        await world.sleep(5.0)
        await world.told("top/a", Do(lambda _: None))
        assert world.state("top/f/b") == "running"
        assert world.engine.root.restarts == 1

    play(kind, spec, scenario)
    assert notes.count("b: born") == 2


class Looked(list[Any]):
    """Counts how often somebody looks at all of it."""

    looks = 0

    def __iter__(self) -> Iterator[Any]:
        self.looks += 1
        return super().__iter__()


@on_each_engine
def test_a_crash_costs_a_large_family_no_look_at_all_of_it(kind: str) -> None:
    notes: list[str] = []
    children = tuple(puppet(notes, f"a{number}") for number in range(50))
    spec = SupervisorSpec(name="top", backoff=QUICK, children=children)

    async def scenario(world: World) -> None:
        looked = world.engine.root.children = Looked(world.engine.root.children)
        await world.told("top/a25", CRASH)
        await world.sleep(1.0)
        assert world.cell("top/a25").incarnation == 2
        assert looked.looks == 0

    play(kind, spec, scenario)
