"""Who waits for whose full lanes; and no circle may come of it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    Full,
    Lane,
    LaneSpec,
    SimulatedEngine,
    SpecError,
    SupervisorSpec,
)

from .puppets import AsyncPuppet, Do, Puppet, Say, puppet
from .test_records import WRITER, record, tree
from .worlds import World, on_each_engine, play

ONE = {Lane.EVENTS: LaneSpec(capacity=1)}
NEVER_FULL = {lane: LaneSpec(full=Full.DROP_OLDEST) for lane in Lane}


def actor(name: str, *waits_for: str, **spec: Any) -> ActorSpec:
    return puppet([], name, waits_for=waits_for, **spec)


def family(name: str, *children: Any, **spec: Any) -> SupervisorSpec:
    return SupervisorSpec(name=name, children=children, **spec)


async def nap(actor: Puppet) -> None:
    await actor.ctx.sleep(5.0)


# --- what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            family("top", actor("a", "top/a")),
            "top/a: expected blocking lanes to form no cycle, "
            "was top/a waits for top/a; take a step out of somebody's waits_for",
        ),
        (
            family("top", actor("a", "top/b"), actor("b", "top/a")),
            "top/a: expected blocking lanes to form no cycle, "
            "was top/a waits for top/b waits for top/a;",
        ),
        (
            # A family stands for all that is in it.
            family("top", actor("a", "top/f"), family("f", actor("b", "top/a"))),
            "top/a: expected blocking lanes to form no cycle, "
            "was top/a waits for top/f/b waits for top/a;",
        ),
        (
            # Three levels deep, and by way of a family at each level.
            family(
                "top",
                family("f", family("g", actor("a", "top/k/m"), actor("other"))),
                family("k", family("m", family("n", actor("b", "top/c")))),
                actor("c", "top/f/g"),
            ),
            "top/f/g/a: expected blocking lanes to form no cycle, was "
            "top/f/g/a waits for top/k/m/n/b waits for top/c waits for top/f/g/a;",
        ),
        (
            family("top", actor("a", "top/f"), family("far", actor("b"))),
            "top/a: expected waits_for to name actors or families of the tree, "
            "was 'top/f'",
        ),
        (
            family("top", puppet([], "a", waits_for="top/a")),
            "top/a: expected waits_for to be a tuple of paths, was 'top/a'",
        ),
        (
            family(
                "top", actor("w", "top/b"), actor("b"), actor("c", recorder="top/w")
            ),
            "top/w: expected a recorder to wait for nobody, was ('top/b',)",
        ),
    ],
)
def test_a_circle_of_waiting_is_refused(spec: SupervisorSpec, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        SimulatedEngine(spec)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "spec",
    [
        family("top", actor("a", "top/b", "top/c"), actor("b", "top/c"), actor("c")),
        family("top", actor("a", "top/empty"), family("empty")),
        # Nobody ever waits for a lane that drops.
        family("top", actor("a", "top/b"), actor("b", "top/a", lanes=NEVER_FULL)),
        # Whoever does not declare is guarded while it runs, and not here.
        family("top", actor("a", "top/b"), puppet([], "b")),
    ],
)
def test_what_has_no_circle_is_run(spec: SupervisorSpec) -> None:
    SimulatedEngine(spec)


@on_each_engine
def test_a_child_that_would_close_a_circle_is_not_added(kind: str) -> None:
    async def scenario(world: World) -> None:
        late = actor("b", "top/a")
        with pytest.raises(SpecError, match="top/a waits for top/f/b waits for"):
            await world.engine.add_child("top/f", late)
        assert list(world.engine.cells) == ["top/a", "top/f/c"]

    spec = family("top", actor("a", "top/f"), family("f", actor("c")))
    play(kind, spec, scenario)


# --- what is done ---------------------------------------------------------------


def flood(path: str, count: int = 5) -> Do:
    def send(actor: Puppet) -> None:
        for _ in range(count):
            actor.ctx.ref(path).tell(Say("told"))

    return Do(send)


@on_each_engine
@pytest.mark.parametrize(
    ("waits_for", "waits"),
    [(("top/f/a",), True), (("top/f",), True), (None, True), (("top/c",), False)],
)
def test_only_those_wait_that_declare_it_or_declare_nothing(
    kind: str, waits_for: tuple[str, ...] | None, waits: bool
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/f/a", Do(nap))
        await world.told("top/b", flood("top/f/a"), Say("goes on"))
        assert bool(world.cell("top/b").stalls) is waits
        assert ("b: goes on" in notes) is not waits
        # Nothing is lost: what is not waited for goes over the capacity.
        await world.sleep(5.0)
        assert notes.count("a: told") == 5
        assert "b: goes on" in notes

    reader = puppet(notes, "a", make=AsyncPuppet, lanes=ONE)
    spec = family(
        "top",
        family("f", reader),
        puppet(notes, "b", waits_for=waits_for),
        puppet(notes, "c"),
    )
    play(kind, spec, scenario)


@on_each_engine
def test_a_recorder_waits_for_nobody_for_all_may_wait_for_it(kind: str) -> None:
    notes: list[str] = []

    async def nap(actor: Puppet) -> None:
        await actor.ctx.sleep(5.0)

    def flood(writer: Any) -> None:
        for _ in range(5):
            writer.ctx.ref("top/reader").tell(Say("told"))

    async def scenario(world: World) -> None:
        await world.told("top/reader", Do(nap))
        await world.told(WRITER, Do(flood))
        await world.told("top/a", record("x", say="in time"))
        assert notes[-1] == "b: in time"
        await world.sleep(5.0)

    spec = tree(notes)
    lanes = {Lane.EVENTS: LaneSpec(capacity=1)}
    reader = puppet(notes, "reader", make=AsyncPuppet, lanes=lanes)
    play(kind, attrs.evolve(spec, children=(*spec.children, reader)), scenario)
    assert notes.count("reader: told") == 5


@on_each_engine
def test_who_declares_nothing_never_waits_in_a_circle(kind: str) -> None:
    """Each of three, in families three deep, floods the next before it reads on."""
    notes: list[str] = []
    ring = ("top/f/g/a", "top/k/m/b", "top/c")

    async def scenario(world: World) -> None:
        # All are busy for a while, then flood, and have more in their mailboxes.
        for path in ring:
            await world.told(path, Do(nap))
        for path, following in zip(ring, (*ring[1:], ring[0]), strict=True):
            await world.told(path, flood(following), Say("goes on"))
        await world.sleep(6.0)
        stalled = [world.cell(path).stalls for path in ring]
        assert stalled == [0, 0, 0]
        for name in "abc":
            assert notes.count(f"{name}: told") == 5
            assert notes.count(f"{name}: goes on") == 1

    def member(name: str) -> ActorSpec:
        return puppet(notes, name, make=AsyncPuppet, lanes=ONE)

    spec = family(
        "top",
        family("f", family("g", member("a"))),
        family("k", family("m", member("b"))),
        member("c"),
    )
    play(kind, spec, scenario)


# --- sources alone wait where they send -------------------------------------------


def send_to(path: str) -> Do:
    async def send(actor: Puppet) -> None:
        await actor.ctx.ref(path).send(Say("never"))

    return Do(send)


@on_each_engine
def test_two_that_would_send_to_each_other_are_refused_before_one_waits(
    kind: str,
) -> None:
    """Full or not: it is not left to the load."""
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", send_to("top/f/b"))
        await world.told("top/f/b", send_to("top/a"))
        await world.sleep(5.0)
        for path, other in (("top/a", "top/f/b"), ("top/f/b", "top/a")):
            text = (
                f"{path}: expected tell, for a handler waits for no reader, "
                f"was send to {other} of Say(text='never')"
            )
            assert str(world.cell(path).error) == text
            assert world.cell(path).incarnation == 2
        await world.told("top/a", Say("reads on"))

    spec = family(
        "top",
        puppet(notes, "a", make=AsyncPuppet, lanes=ONE),
        family("f", puppet(notes, "b", make=AsyncPuppet, lanes=ONE)),
    )
    play(kind, spec, scenario)
    assert "a: reads on" in notes
    assert [note for note in notes if "never" in note] == []


@attrs.define(eq=False)
class Sender(AsyncPuppet):
    """Sends from the place that it is told at its birth."""

    at: str = "run"
    sides: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.sides = self.ctx.sides()

    async def start(self) -> None:
        await self.act("start")

    async def handle(self, message: object) -> None:
        del message
        self.sides.begin(self.act("sides"))

    async def stop(self) -> None:  # type: ignore[override]
        await self.act("stop")

    async def run(self) -> None:
        await self.act("run")

    async def act(self, at: str) -> None:
        if self.at == at:
            self.at = "nowhere"
            for number in range(3):
                await self.ctx.ref("top/reader").send(Say(f"{at} {number}"))


@on_each_engine
@pytest.mark.parametrize("at", ["start", "sides", "stop", "run"])
def test_a_run_may_send_and_what_belongs_to_handlers_may_not(
    kind: str, at: str
) -> None:
    notes: list[str] = []
    made: list[Sender] = []

    def make(ctx: Context, notes: list[str]) -> Sender:
        made.append(Sender(ctx, notes, "nowhere" if made else at))
        return made[-1]

    async def scenario(world: World) -> None:
        await world.told("top/sender", Say("go"))
        await world.sleep(5.0)
        if at == "stop":
            await world.engine.restart_child("top/sender")
        error = world.cell("top/sender").error
        if at == "run":
            assert (error, notes[-1]) == (None, "reader: run 2")
        else:
            assert "was send to top/reader of Say" in str(error)
            assert [note for note in notes if at in note] == []

    spec = family(
        "top",
        puppet(notes, "reader", lanes=ONE),
        puppet(notes, "sender", make=make),
        backoff=Backoff(first_s=0.0, jitter=0.0),
    )
    play(kind, spec, scenario)
