"""Kills at any moment, and what must hold after any script of tells and deaths."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st
from tests.sampling import examples

from holdfast_runtime import (
    ActorError,
    AskFailed,
    AskTimeout,
    Backoff,
    Beyond,
    Full,
    Killed,
    Lane,
    LaneSpec,
    MailboxClosed,
    Records,
    Strategy,
    SupervisorSpec,
)
from holdfast_runtime.cell import Cell, State
from holdfast_runtime.kernel import Kernel

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
from .worlds import KINDS, World, on_each_engine, play

AT_ONCE = Backoff(first_s=0.0, limit_s=0.0, jitter=0.0)


def family(*children: Any, **spec: Any) -> SupervisorSpec:
    usual: dict[str, Any] = {"backoff": AT_ONCE, "restarts": 9}
    return SupervisorSpec(name="top", children=children, **(usual | spec))


class LateStart(AsyncPuppet):
    async def start(self) -> None:
        await self.ctx.sleep(1.0)
        self.note("is up")


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, LateStart])
def test_a_kill_of_an_actor_that_starts(kind: str, make: type[Puppet]) -> None:
    notes: list[str] = []

    def prepare(engine: Kernel) -> None:
        # As soon as it is asked to start, before anything of it that waits has run.
        start_cell = engine.start_cell

        def start_and_kill(cell: Cell) -> None:
            start_cell(cell)
            if cell.incarnation == 1:
                engine.kill(cell, Killed("at once"))

        engine.start_cell = start_and_kill  # type: ignore[method-assign]

    async def scenario(world: World) -> None:
        assert world.cell("top/a").incarnation == 2
        assert world.engine.root.restarts == 1
        await world.told("top/a", Say("hello"))

    play(kind, family(puppet(notes, "a", make=make)), scenario, prepare=prepare)
    assert notes.count("a: hello") == 1
    assert notes.count("a: is up") <= 1


@on_each_engine
def test_a_kill_in_the_midst_of_a_start(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        await world.sleep(0.5)
        assert world.state("top/a") == "starting"
        world.engine.kill(world.cell("top/a"), Killed("by hand"))
        await world.sleep(2.0)
        assert world.state("top/a") == "running"
        assert world.cell("top/a").incarnation == 3

    play(kind, family(puppet(notes, "a", make=LateStart)), scenario)
    assert notes.count("a: is up") == 2


@on_each_engine
def test_a_kill_in_the_midst_of_an_asynchronous_handler(kind: str) -> None:
    notes: list[str] = []

    async def nap(actor: Puppet) -> None:
        actor.ctx.me.tell(Say("never"))
        try:
            await actor.ctx.sleep(1.0)
        finally:
            actor.ctx.me.tell(Say("nor this"))
            actor.note("is cut")

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(nap), Say("next"))
        world.engine.kill(world.cell("top/a"), Killed("by hand"))
        world.engine.kill(world.cell("top/a"), Killed("once is enough"))
        await world.sleep(1.0)

    engine = play(kind, family(puppet(notes, "a", make=AsyncPuppet)), scenario)
    assert notes == ["a: born", "a: is cut", "a: born", "a: next", "a: stops"]
    (letter,) = engine.dead_letters
    assert (letter.message, letter.why) == (Do(nap), "Killed('by hand')")


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
def test_an_actor_that_kills_itself_ends_after_its_message(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []

    def suicide(actor: Puppet) -> None:
        cell = actor.ctx._cell
        cell.kernel.kill(cell, Killed("enough"))
        actor.note("said so")

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(suicide), Say("next"))
        await world.sleep(0.1)

    play(kind, family(puppet(notes, "a", make=make)), scenario)
    assert notes == ["a: born", "a: said so", "a: born", "a: next", "a: stops"]


@on_each_engine
def test_a_kill_of_the_dead_is_void(kind: str) -> None:
    async def scenario(world: World) -> None:
        cell = world.cell("top/a")
        await world.told("top/a", CRASH)
        world.engine.kill(cell, Killed("too late"))
        assert isinstance(cell.error, Broken)
        assert cell.state is State.DOWN

    spec = family(puppet([], "a"), backoff=Backoff(first_s=60.0))
    play(kind, spec, scenario)


@on_each_engine
def test_a_kill_of_an_actor_that_stops(kind: str) -> None:
    notes: list[str] = []

    class StopsLate(AsyncPuppet):
        async def stop(self) -> None:  # type: ignore[override]
            self.note("stops")
            await self.ctx.sleep(2.0)
            self.note("never")

    async def scenario(world: World) -> None:
        world.engine.root.request_stop()
        await world.sleep(1.0)
        world.engine.kill(world.cell("top/a"), Killed("by hand"))
        await world.sleep(0.0)
        assert world.engine.root.state is State.STOPPED

    play(kind, family(puppet(notes, "a", make=StopsLate)), scenario)
    assert notes == ["a: born", "a: stops"]


# --- any script -------------------------------------------------------------------


class Disk(AsyncPuppet):
    """Writes for a while; confirms, or fails."""

    async def handle(self, message: object) -> Any:
        if not isinstance(message, Records):
            return await super().handle(message)
        await self.ctx.sleep(0.3)
        if "bad" in message.entries:
            message.hold.fail(Broken())
        else:
            message.hold.confirm()
        return None


ACTORS = ("top/disk", "top/f/a", "top/f/b", "top/c")


def to_all(actor: Puppet) -> None:
    for path in ACTORS[1:]:
        actor.ctx.ref(path).tell(Bulk("x", 1))
        actor.ctx.ref(path).tell(Say("hello"))


def to_next(actor: Puppet) -> None:
    place = ACTORS.index(actor.ctx.path)
    actor.ctx.ref(ACTORS[(place + 1) % 4]).tell(Say("hello"))
    actor.ctx.effect(lambda: None)


def keep(entry: str) -> Callable[[Puppet], None]:
    def call(actor: Puppet) -> None:
        if actor.ctx.path != ACTORS[0]:
            actor.ctx.record(entry)
        to_next(actor)

    return call


def bad_effect(actor: Puppet) -> None:
    actor.ctx.effect(crash_now)


def crash_now() -> None:
    raise Broken


def late(actor: Puppet) -> None:
    actor.ctx.after(0.2, Say("timer"))


MESSAGES = (
    Say("x"),
    Urgent("x"),
    Bulk("x", 1),
    Told(1),
    Told(2, fatal=True),
    CRASH,
    *(Do(call) for call in (to_all, to_next, keep("x"), keep("bad"), bad_effect, late)),
)


@attrs.frozen
class Act:
    """Do one thing to one actor, then wait; at times not even until all is calm."""

    what: str
    path: str
    message: int
    wait_s: float | None


acts = st.builds(
    Act,
    what=st.sampled_from(("tell", "tell", "tell", "kill", "ask", "revive", "again")),
    path=st.sampled_from(ACTORS),
    message=st.integers(0, len(MESSAGES) - 1),
    wait_s=st.sampled_from((None, None, 0.0, 0.1, 0.5, 2.0)),
)


def fragile(strategy: Strategy) -> SupervisorSpec:
    tiny = {
        Lane.EVENTS: LaneSpec(capacity=2),
        Lane.DATA: LaneSpec(capacity=1, full=Full.CONFLATE, key=lambda m: m.key),
    }
    crashing = {Lane.EVENTS: LaneSpec(capacity=3, full=Full.CRASH)}
    inner = SupervisorSpec(
        name="f",
        strategy=strategy,
        beyond=Beyond.PARK,
        restarts=3,
        retry_parked_s=5.0,
        backoff=Backoff(first_s=0.1, limit_s=0.4),
        children=(
            puppet([], "a", make=AsyncPuppet, recorder=ACTORS[0], lanes=tiny),
            puppet([], "b", recorder=ACTORS[0], lanes=crashing),
        ),
    )
    return SupervisorSpec(
        name="top",
        strategy=strategy,
        restarts=1_000,
        backoff=Backoff(first_s=0.1, limit_s=0.4),
        children=(
            puppet([], "disk", make=Disk),
            inner,
            puppet([], "c", recorder=ACTORS[0], lanes=tiny),
        ),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lock_step", [False, True])
@examples(60)
@given(
    script=st.lists(acts, max_size=12),
    strategy=st.sampled_from(Strategy),
    seed=st.integers(0, 3),
)
def test_after_any_script_nothing_is_left_pending_or_unsettled(
    kind: str, lock_step: bool, script: list[Act], strategy: Strategy, seed: int
) -> None:
    async def scenario(world: World) -> None:
        for act in script:
            await perform(world, act)
        await world.sleep(60.0)
        engine = world.engine
        assert (engine.pending, engine.unsettled) == (0, 0)
        for cell in engine.cells.values():
            assert not cell.holds
            assert not cell.stalls
            assert not cell.mailbox.size
            assert cell.state is State.RUNNING, cell.path

    play(kind, fragile(strategy), scenario, seed=seed, lock_step=lock_step)


async def again(engine: Kernel, path: str) -> None:
    # Its family may be parked, or parks meanwhile.
    with contextlib.suppress(ActorError):
        await engine.restart_child(path)


async def perform(world: World, act: Act) -> None:
    engine, cell = world.engine, world.cell(act.path)
    message = MESSAGES[act.message]
    if act.what == "tell":
        engine.post(cell, message, None)
    elif act.what == "kill":
        engine.kill(cell, Killed("by the script"))
    elif act.what == "ask":
        # Any of these will do, but in time.
        with contextlib.suppress(AskFailed, AskTimeout, MailboxClosed):
            await world.ref(act.path).ask(message, deadline_s=0.4)
    elif act.what == "again":
        engine.run_task(again(engine, act.path))
    elif cell.family is not None:
        cell.family.revive()
    if act.wait_s is not None:
        await world.sleep(act.wait_s)
