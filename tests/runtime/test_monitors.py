"""Who is told what happens to whom, on each engine."""

from __future__ import annotations

import attrs
import pytest

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Beyond,
    Context,
    Lifecycle,
    Restart,
    SimulatedEngine,
    SpecError,
    SupervisorSpec,
)
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.monitors import EVENTS_KEPT

from .puppets import CRASH, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play


@attrs.define(eq=False)
class Watcher(Puppet):
    """Monitors a place from its birth on, and notes what it is told."""

    place: str = "top/f/a"

    def start(self) -> None:
        self.ctx.monitor(self.place)

    def handle(self, message: object) -> object:
        if isinstance(message, Lifecycle):
            name = message.path.rpartition("/")[2]
            self.note(f"{name} {message.what} {message.incarnation}")
            return None
        return super().handle(message)


def watcher(notes: list[str], place: str = "top/f/a") -> ActorSpec:
    def make(ctx: Context, notes: list[str]) -> Watcher:
        return Watcher(ctx, notes, place)

    return puppet(notes, "w", make=make)


def family(*children: ActorSpec, **spec: object) -> SupervisorSpec:
    backoff = Backoff(first_s=1.0, jitter=0.0)
    inner = SupervisorSpec(
        name="f",
        children=children[1:],
        **({"backoff": backoff, "restarts": 10} | spec),  # type: ignore[arg-type]
    )
    return SupervisorSpec(
        name="top", children=(inner, children[0]), backoff=backoff, restarts=10
    )


def told(notes: list[str]) -> list[str]:
    return [note[3:] for note in notes if note.startswith("w: a ")] + [
        note[3:] for note in notes if note.startswith("w: f ")
    ]


@on_each_engine
def test_a_monitor_is_told_over_restarts_of_both(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        await world.sleep(1.0)
        await world.told("top/w", CRASH)
        await world.told("top/f/a", CRASH)
        await world.sleep(2.0)
        # The new watcher reads what was told while it was down, and how it stood.
        assert told(notes) == [
            "a started 1",
            "a crashed 1",
            "a restarted 2",
            "a crashed 2",
            "a crashed 2",
            "a restarted 3",
        ]

    play(kind, family(watcher(notes), puppet(notes, "a")), scenario)


@on_each_engine
def test_a_monitor_comes_after_what_the_actor_said(kind: str) -> None:
    notes: list[str] = []

    def last_words(actor: Puppet) -> None:
        actor.ctx.ref("top/w").tell(Say("last words"))

    async def scenario(world: World) -> None:
        await world.told("top/f/a", Do(last_words), CRASH)

    play(kind, family(watcher(notes), puppet(notes, "a")), scenario)
    heard = [note for note in notes if note.startswith("w: ")]
    assert heard[1:4] == ["w: a started 1", "w: last words", "w: a crashed 1"]


@on_each_engine
def test_a_monitor_is_told_that_one_is_not_restarted(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", CRASH)
        assert told(notes) == ["a started 1", "a crashed 1", "a stopped 1"]

    temporary = puppet(notes, "a", restart=Restart.TEMPORARY)
    play(kind, family(watcher(notes), temporary), scenario)


@on_each_engine
def test_a_monitor_is_told_that_a_family_parks_with_who_is_in_it(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/b", CRASH)
        assert told(notes) == ["a started 1", "a stopped 1", "f parked 1"]
        await world.told("top/w", CRASH)
        await world.sleep(1.0)
        assert told(notes) == [
            "a started 1",
            "a stopped 1",
            "a stopped 1",
            "f parked 1",
        ]

    play(
        kind,
        family(
            watcher(notes),
            puppet(notes, "a"),
            puppet(notes, "b"),
            restarts=0,
            beyond=Beyond.PARK,
        ),
        scenario,
    )


@on_each_engine
def test_a_family_can_be_monitored_and_no_more(kind: str) -> None:
    notes: list[str] = []

    def no_more(actor: Puppet) -> None:
        actor.ctx.demonitor("top/f")
        actor.ctx.demonitor("top/f/a")

    async def scenario(world: World) -> None:
        assert told(notes) == ["f started 1"]
        await world.told("top/w", Do(no_more))
        await world.told("top/f/a", CRASH)
        assert told(notes) == ["f started 1"]

    spec = family(
        watcher(notes, "top/f"), puppet(notes, "a"), restarts=0, beyond=Beyond.PARK
    )
    play(kind, spec, scenario)


@on_each_engine
def test_a_place_that_is_not_there_cannot_be_monitored(kind: str) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(SpecError, match=r"^top/w: expected a place .*'top/f/x'$"):
            Context(world.cell("top/w")).monitor("top/f/x")

    play(kind, family(puppet([], "w"), puppet([], "a")), scenario)


# --- streams ----------------------------------------------------------------------


@on_each_engine
def test_a_stream_has_all_that_happens_while_it_is_read(kind: str) -> None:
    seen: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        with world.engine.events() as events:
            await world.told("top/f/a", CRASH)
            await world.sleep(1.0)
            async for event in events:
                seen.append(event)
                if event.what == "restarted":
                    break
        await world.told("top/f/a", CRASH)
        assert world.engine.on_lifecycle.count(events._tell) == 0
        assert events.dropped == 0

    engine = play(kind, family(puppet([], "w"), puppet([], "a")), scenario)
    assert [(event.path, event.what) for event in seen] == [
        ("top/f/a", "crashed"),
        ("top/f/a", "restarted"),
    ]
    assert seen[1].at_s - seen[0].at_s == pytest.approx(1.0)
    assert seen[0].messages == (CRASH,)
    assert seen[0].error == seen[1].error == "Broken: "
    if isinstance(engine, SimulatedEngine):
        whats = [event.what for event in engine.lifecycle]
        assert whats == [
            *("started", "started", "crashed", "restarted", "crashed"),
            *("stopped", "stopped"),
        ]


@on_each_engine
def test_a_slow_reader_loses_the_oldest_and_holds_up_nobody(kind: str) -> None:
    async def scenario(world: World) -> None:
        with world.engine.events() as events:
            for number in range(EVENTS_KEPT + 3):
                world.engine.tell_lifecycle("top/f/a", "crashed", number, None)
            assert (await anext(events)).incarnation == 3
            assert events.dropped == 3

    play(kind, family(puppet([], "w"), puppet([], "a")), scenario)


@on_each_engine
def test_a_listener_may_leave_while_it_is_told(kind: str) -> None:
    heard: list[str] = []

    def prepare(engine: Kernel) -> None:
        def once(event: Lifecycle) -> None:
            heard.append(f"once {event.path}")
            engine.on_lifecycle.remove(once)

        engine.on_lifecycle.append(once)
        engine.on_lifecycle.append(lambda event: heard.append(event.path))

    async def scenario(world: World) -> None:
        assert heard == ["once top/f/a", "top/f/a", "top/w"]

    spec = family(puppet([], "w"), puppet([], "a"))
    play(kind, spec, scenario, prepare=prepare)
