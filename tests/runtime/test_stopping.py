"""An orderly stop: in reverse, each with its deadline, then cut; nothing is left."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_runtime import (
    AskFailed,
    Backoff,
    Context,
    Full,
    Killed,
    Lane,
    LaneSpec,
    Lifecycle,
    MailboxClosed,
    Restart,
    SimulatedEngine,
    Stop,
    SupervisorSpec,
)
from holdfast_runtime.cell import State
from holdfast_runtime.tree import snapshot

from .puppets import (
    CRASH,
    AsyncPuppet,
    Broken,
    Do,
    Puppet,
    Say,
    Told,
    Urgent,
    hang,
    puppet,
)
from .worlds import World, on_each_engine, play


def family(*children: Any, **spec: Any) -> SupervisorSpec:
    return SupervisorSpec(name="top", children=children, **spec)


class StopsLate(AsyncPuppet):
    """Takes two seconds to stop."""

    async def stop(self) -> None:  # type: ignore[override]
        self.note("stops")
        try:
            await self.ctx.sleep(2.0)
            self.note("stopped")
        finally:
            self.note("gone")


async def nothing(world: World) -> None:
    await world.settle()


@on_each_engine
def test_children_stop_in_reverse_each_after_the_one_before(kind: str) -> None:
    notes: list[str] = []
    inner = SupervisorSpec(
        name="inner",
        children=(puppet(notes, "b", make=StopsLate), puppet(notes, "c")),
    )
    play(kind, family(puppet(notes, "a"), inner, puppet(notes, "d")), nothing)
    assert notes[4:] == [
        "d: stops",
        "c: stops",
        "b: stops",
        "b: stopped",
        "b: gone",
        "a: stops",
    ]


@on_each_engine
def test_a_stop_overtakes_all_that_waits_and_its_mail_is_buried(kind: str) -> None:
    notes: list[str] = []
    seen: list[Exception] = []

    async def scenario(world: World) -> None:
        for number in range(200):
            world.ref("top/a").tell(Say(str(number)))
        world.ref("top/a").tell(Urgent("urgent"))
        world.engine.root.request_stop()
        try:
            await world.ref("top/a").ask(Say("asked"), deadline_s=10.0)
        except (MailboxClosed, AskFailed) as error:
            seen.append(error)

    engine = play(kind, family(puppet(notes, "a")), scenario)
    handled = len(notes) - 2
    assert handled < 200
    assert handled + len(engine.dead_letters) == 201
    assert [type(error) for error in seen] == [MailboxClosed]


@on_each_engine
def test_an_actor_that_hangs_in_a_handler_is_cut_at_its_deadline(kind: str) -> None:
    notes: list[str] = []
    events: list[Lifecycle] = []
    times: list[float] = []

    async def scenario(world: World) -> None:
        await world.told("top/b", Do(hang), Say("unread"))
        times.append(world.engine.now_s())

    spec = family(puppet(notes, "a"), puppet(notes, "b", make=AsyncPuppet, stop_s=3.0))
    engine = play(
        kind, spec, scenario, prepare=lambda e: e.on_lifecycle.append(events.append)
    )
    assert notes[2:] == ["b: hangs", "b: is cut", "a: stops"]
    (cut,) = [event for event in events if event.what == "crashed"]
    assert cut.error == "Killed: top/b did not stop in time"
    assert isinstance(engine.cells["top/b"].error, Killed)
    assert engine.dead_letters[-1].message == Say("unread")


@on_each_engine
def test_an_actor_that_hangs_in_its_stop_is_cut(kind: str) -> None:
    notes: list[str] = []
    play(
        kind,
        family(puppet(notes, "a"), puppet(notes, "b", make=StopsLate, stop_s=1.0)),
        nothing,
    )
    assert notes[2:] == ["b: stops", "b: gone", "a: stops"]


class HangsInStart(AsyncPuppet):
    async def start(self) -> None:
        if self.ctx.incarnation > 1:
            await hang(self)


@on_each_engine
def test_an_actor_that_hangs_in_its_start_is_cut(kind: str) -> None:
    notes: list[str] = []
    quick = Backoff(first_s=0.0, limit_s=0.0)

    async def scenario(world: World) -> None:
        await world.told("top/b", CRASH)
        await world.sleep(1.0)
        assert world.state("top/b") == "starting"

    spec = family(puppet(notes, "b", make=HangsInStart, stop_s=1.0), backoff=quick)
    play(kind, spec, scenario)
    assert notes == ["b: born", "b: born", "b: hangs", "b: is cut"]


@on_each_engine
def test_a_stop_while_children_wait_for_their_restart(kind: str) -> None:
    notes: list[str] = []
    inner = SupervisorSpec(
        name="inner",
        restarts=0,
        children=(puppet(notes, "b"), puppet(notes, "c")),
    )

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH, Say("to a"))
        await world.told("top/inner/b", CRASH, Say("to b"))
        await world.told("top/inner/c", Say("to c"))
        assert world.state("top/a") == "down"
        assert world.state("top/inner/c") == "down"

    engine = play(
        kind,
        family(puppet(notes, "a"), inner, backoff=Backoff(first_s=60.0)),
        scenario,
    )
    assert {cell.state for cell in engine.cells.values()} == {State.STOPPED}
    buried = [letter.message for letter in engine.dead_letters]
    assert [each for each in buried if each is not CRASH] == [
        Say("to c"),
        Say("to b"),
        Say("to a"),
    ]


@on_each_engine
def test_a_stop_while_a_sender_is_stalled(kind: str) -> None:
    notes: list[str] = []
    lanes = {Lane.EVENTS: LaneSpec(capacity=1, full=Full.BLOCK)}

    def flood(actor: Puppet) -> None:
        for _ in range(5):
            actor.ctx.ref("top/slow").tell(Say("more"))

    async def scenario(world: World) -> None:
        await world.told("top/slow", Do(hang))
        await world.told("top/fast", Do(flood), Say("one"))
        await world.told("top/fast", Do(flood), Say("two"))
        assert world.cell("top/fast").stalls > 0

    spec = family(
        puppet(notes, "slow", make=AsyncPuppet, lanes=lanes, stop_s=1.0),
        puppet(notes, "fast"),
    )
    play(kind, spec, scenario)
    assert "fast: stops" in notes


@on_each_engine
def test_what_an_actor_says_at_its_stop_arrives_where_somebody_lives(
    kind: str,
) -> None:
    notes: list[str] = []

    class Farewell(Puppet):
        def stop(self) -> None:
            self.ctx.ref("top/a").tell(Say(f"bye from {self.name}"))
            self.note("says bye")

    class FarewellLater(AsyncPuppet):
        async def stop(self) -> None:  # type: ignore[override]
            self.ctx.ref("top/a").tell(Say(f"bye from {self.name}"))
            await self.ctx.sleep(1.0)
            self.note("says bye")

    spec = family(
        puppet(notes, "a"),
        puppet(notes, "b", make=StopsLate),
        puppet(notes, "c", make=Farewell),
        puppet(notes, "d", make=FarewellLater),
    )
    play(kind, spec, nothing)
    said = [note for note in notes if "bye" in note]
    assert said[0] == "d: says bye"
    assert sorted(said[1:]) == ["a: bye from c", "a: bye from d", "c: says bye"]
    assert notes[-1] == "a: stops"


@on_each_engine
def test_a_crash_in_stop_does_not_hold_up_the_others(kind: str) -> None:
    notes: list[str] = []

    class Bad(Puppet):
        def stop(self) -> None:
            raise Broken

    spec = family(puppet(notes, "a"), puppet(notes, "b", make=Bad))
    engine = play(kind, spec, nothing)
    assert notes == ["a: born", "b: born", "a: stops"]
    assert engine.cells["top/b"].state is State.STOPPED


class Stubborn(AsyncPuppet):
    """Needs a moment even when it is cut."""

    async def handle(self, message: object) -> Any:
        try:
            await self.ctx.sleep(1e9)
        finally:
            await self.ctx.sleep(1e9)


@on_each_engine
def test_waiting_in_a_finally_does_not_save_an_actor_that_is_cut(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Say("hang"))

    play(kind, family(puppet(notes, "a", make=Stubborn, stop_s=1.0)), scenario)


@on_each_engine
def test_stopping_twice_is_stopping_once(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        world.engine.root.request_stop()
        world.engine.root.request_stop()
        await world.sleep(1.0)
        assert world.engine.root.state is State.STOPPED

    play(kind, family(puppet(notes, "a")), scenario)
    assert notes == ["a: born", "a: stops"]


def test_an_engine_that_never_started_can_be_stopped() -> None:
    engine = SimulatedEngine(family(puppet([], "a")))
    engine.ref("top/a").tell(Say("early"))
    engine.stop()
    assert (engine.pending, engine.unsettled) == (0, 0)
    assert [letter.message for letter in engine.dead_letters] == [Say("early")]


@on_each_engine
def test_a_family_is_cut_when_its_children_take_too_long_together(kind: str) -> None:
    notes: list[str] = []

    class Deaf(AsyncPuppet):
        async def stop(self) -> None:  # type: ignore[override]
            await hang(self)

    inner = SupervisorSpec(
        name="inner",
        children=tuple(
            puppet(notes, name, make=Deaf, stop_s=1.0) for name in ("a", "b")
        ),
    )
    play(kind, family(inner), nothing)
    assert notes[2:] == ["b: hangs", "b: is cut", "a: hangs", "a: is cut"]


@pytest.mark.parametrize("again", [False, True])
@on_each_engine
def test_a_context_of_before_still_knows_its_place(kind: str, again: bool) -> None:
    contexts: list[Context] = []

    def make(ctx: Context, notes: list[str]) -> Puppet:
        contexts.append(ctx)
        return Puppet(ctx, notes)

    async def scenario(world: World) -> None:
        if again:
            await world.told("top/a", CRASH)
            await world.sleep(2.0)
        assert contexts[-1].incarnation == 1 + again
        assert contexts[0].path == "top/a"
        assert contexts[0].me is world.ref("top/a")

    play(kind, family(puppet([], "a", make=make)), scenario)


@on_each_engine
def test_what_is_left_at_a_stop_is_counted_and_told(kind: str) -> None:
    events: list[Lifecycle] = []
    left = (Say("x"), Say("y"), Told(1))

    async def scenario(world: World) -> None:
        await world.told("top/b", Do(hang), *left)

    spec = family(puppet([], "a"), puppet([], "b", make=AsyncPuppet, stop_s=1.0))
    engine = play(
        kind, spec, scenario, prepare=lambda e: e.on_lifecycle.append(events.append)
    )
    told = [(event.path, event.left) for event in events if event.what == "stopped"]
    assert told == [("top/b", 3), ("top/a", 0)]
    assert [node.left for node in snapshot(engine).walk()] == [0, 0, 3]
    # A derived message is no dead letter: it is asked for again.
    letters = [letter.message for letter in engine.dead_letters]
    assert letters[1:] == [Say("x"), Say("y")]


@on_each_engine
@pytest.mark.parametrize("restart", [Restart.TRANSIENT, Restart.TEMPORARY])
def test_who_ends_for_good_is_said_to_be_stopped_once(
    kind: str, restart: Restart
) -> None:
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Stop(), Say("too late"))
        assert [event.what for event in events] == ["started", "stopped"]

    def prepare(engine: Any) -> None:
        engine.on_lifecycle.append(events.append)

    play(kind, family(puppet([], "a", restart=restart)), scenario, prepare=prepare)
    assert [event.what for event in events] == ["started", "stopped"]


@on_each_engine
def test_a_kill_overtakes_all_that_waits(kind: str) -> None:
    notes: list[str] = []
    slow = Backoff(first_s=1.0, jitter=0.0)

    async def scenario(world: World) -> None:
        for number in range(1_000):
            world.ref("top/a").tell(Say(str(number)))
        world.engine.kill(world.cell("top/a"), Killed("now"))
        await world.settle()
        assert notes == ["a: born"]
        await world.sleep(1.0)
        # Nobody was at fault, so nothing is lost.
        assert len(notes) == 1_002

    play(kind, family(puppet(notes, "a"), backoff=slow), scenario)
