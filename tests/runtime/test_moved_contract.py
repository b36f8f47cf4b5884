"""Batches, records, monitors and refusals of moved actors are those of all others."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import pytest

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    Context,
    Lifecycle,
    Records,
    RecordsLost,
    SimulatedEngine,
    SpecError,
    SupervisorSpec,
    UnknownMessage,
)
from holdfast_runtime.holds import Hold

from .movers import PATIENCE_S, Where, act, ask, play, tree, until
from .puppets import CRASH, Broken, Do, Puppet, puppet
from .test_moved import each_place
from .test_unanswered import Question
from .worlds import World, on_each_engine


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.syspath_prepend(str(request.config.rootpath))


@attrs.frozen
class Number:
    """A message that derives from an input."""

    value: int

    @property
    def origin(self) -> tuple[str, int]:
        return ("input", self.value)


class Batcher:
    """Tells the listener which batches it was given; negative numbers are fatal."""

    def __init__(self, ctx: Context) -> None:
        self.listener = ctx.ref("top/listener")
        self.sum = 0

    def handle(self, message: object) -> int:
        """Answer questions."""
        return self.sum

    def handle_batch(self, messages: list[Number]) -> None:
        values = [message.value for message in messages]
        if min(values) < 0:
            raise ValueError(values)
        self.sum += sum(values)
        self.listener.tell(values)


@each_place
@on_each_engine
def test_it_takes_batches_in_one_trip(kind: str, where: Where) -> None:
    notes: list[str] = []
    quarantined: list[Any] = []

    async def scenario(world: World) -> None:
        mover = world.cell("top/mover")
        for value in (1, 2, 3):
            world.engine.post(mover, Number(value), None)
        assert await ask(world, "how much?") == 6
        await until(world, lambda: "[1, 2, 3]" in notes)
        # The fatal one of a batch is found; the others are not lost.
        for value in (4, -5, 6):
            world.engine.post(mover, Number(value), None)
        await until(world, lambda: "[6]" in notes)

    def prepare(kernel: Any) -> None:
        kernel.on_quarantine.append(lambda _, origin, *__: quarantined.append(origin))

    play(kind, tree(where, notes, build=Batcher), scenario, prepare)
    assert [note for note in notes if note[0] == "["] == ["[1, 2, 3]", "[4]", "[6]"]
    assert quarantined == [("input", -5)]


# --- a recorder elsewhere -------------------------------------------------------


@attrs.frozen
class Settle:
    """Confirm a hold; or fail it, if there is a reason."""

    hold: Hold
    why: str


class Keeper:
    """Keeps its holds until it is told; then tells itself to settle them."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.kept: list[Hold] = []
        self.lost: list[str] = []
        self.at_once = False

    def handle(self, message: object) -> Any:
        match message:
            case Records(entries, hold):
                self.keep(entries[0], hold)
            case Settle(hold, why):
                self.settle(hold, why)
            case "lost":
                return self.lost
            case "failed":
                return [hold.failed for hold in self.kept]
            case "at once":
                self.at_once = True
            case "crash":
                raise OSError
            case str(which):
                nth, _, why = which.partition(" ")
                # By way of the engine: it is the same hold when it is back.
                self.ctx.me.tell(Settle(self.kept[int(nth)], why))
            case _:
                raise TypeError(message)
        return None

    def keep(self, entry: str, hold: Hold) -> None:
        if hold.failed:
            self.lost.append(entry)
        elif entry == "bad":
            self.settle(hold, entry)
        elif self.at_once:
            self.settle(hold, "")
        else:
            self.kept.append(hold)

    def settle(self, hold: Hold, why: str) -> None:
        if why:
            hold.fail(OSError(why))
        else:
            hold.confirm()


class KeeperOfBatches(Keeper):
    """The same, in batches."""

    def handle_batch(self, messages: list[Any]) -> None:
        for message in messages:
            self.handle(message)


def note(text: str) -> Do:
    def call(actor: Puppet) -> str:
        actor.ctx.record(text)
        actor.ctx.ref("top/listener").tell(f"said {text}")
        return text

    return Do(call)


def recorded(where: Where, notes: list[str], build: Any = Keeper) -> SupervisorSpec:
    """A listener, a keeper elsewhere, and who records there."""
    spec = tree(where, notes, build=build)
    writer = puppet(notes, "a", recorder="top/mover")
    return attrs.evolve(spec, children=(*spec.children, writer))


def said(notes: list[str]) -> list[str]:
    return [each for each in notes if each.startswith("said")]


async def kept(world: World, count: int) -> None:
    """Wait until the keeper has as many holds."""
    while len(await ask(world, "failed")) < count:
        await world.sleep(0.001)


@each_place
@on_each_engine
@pytest.mark.parametrize("build", [Keeper, KeeperOfBatches])
def test_a_recorder_confirms_from_where_it_is(
    kind: str, where: Where, build: Any
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        writer, keeper = world.ref("top/a"), world.ref("top/mover")
        writer.tell(note("one"))
        writer.tell(note("two"))
        await kept(world, 2)
        assert said(notes) == []
        keeper.tell("1")
        await ask(world, "failed")
        await ask(world, "failed")
        assert said(notes) == []
        keeper.tell("0")
        await until(world, lambda: said(notes) == ["said one", "said two"])
        await ask(world, "at once")
        assert await ask(world, note("three"), "top/a") == "three"

    play(kind, recorded(where, notes, build), scenario)
    assert said(notes) == ["said one", "said two", "said three"]


@each_place
@on_each_engine
@pytest.mark.parametrize("build", [Keeper, KeeperOfBatches])
def test_a_failure_there_ends_the_incarnation_and_voids_what_came_later(
    kind: str, where: Where, build: Any
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        for text in ("one", "two", "three"):
            world.ref("top/a").tell(note(text))
        await kept(world, 3)
        world.ref("top/mover").tell("0")
        world.ref("top/mover").tell("1 disk full")
        await until(world, lambda: world.cell("top/a").incarnation == 2)
        assert isinstance(world.cell("top/a").error, RecordsLost)
        assert "disk full" in str(world.cell("top/a").error)
        assert await ask(world, "failed") == [False, True, True]
        await ask(world, "at once")
        assert await ask(world, note("four"), "top/a") == "four"

    play(kind, recorded(where, notes, build), scenario)
    assert said(notes) == ["said one", "said four"]


@each_place
@on_each_engine
@pytest.mark.parametrize("build", [Keeper, KeeperOfBatches])
def test_what_came_later_is_known_as_failed_there(
    kind: str, where: Where, build: Any
) -> None:
    async def scenario(world: World) -> None:
        # Behind a restart both of them wait.
        world.engine.kill(world.cell("top/mover"), Broken())
        for text in ("bad", "two"):
            world.engine.post(world.cell("top/a"), note(text), None)
        while not await ask(world, "lost"):
            await world.sleep(0.001)
        assert await ask(world, "lost") == ["two"]

    play(kind, recorded(where, [], build), scenario)


@each_place
@on_each_engine
def test_what_a_recorder_has_not_settled_is_lost_with_it(
    kind: str, where: Where
) -> None:
    """Nobody is left to confirm it; whoever asked hears so."""
    notes: list[str] = []
    question = Question()

    async def scenario(world: World) -> None:
        world.engine.run_task(question.ask(world, note("one")))
        await kept(world, 1)
        with pytest.raises(AskFailed, match="OSError"):
            await ask(world, "crash")
        await until(world, lambda: question.took_s is not None)
        await until(world, lambda: world.cell("top/a").incarnation == 2)
        assert isinstance(question.error, AskFailed)
        assert "ended before it was durable" in str(question.error)
        await ask(world, "at once")
        assert await ask(world, note("two"), "top/a") == "two"

    play(kind, recorded(where, notes), scenario)
    assert said(notes) == ["said two"]


# --- seeing ---------------------------------------------------------------------


class Watcher:
    """Monitors a place, beats when told, and tells what it hears."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    def handle(self, message: object) -> None:
        match message:
            case Lifecycle(path=path, what=what):
                self.ctx.ref("top/listener").tell(f"{path} {what}")
            case ("monitor", str(path)):
                self.ctx.monitor(path)
            case ("demonitor", str(path)):
                self.ctx.demonitor(path)
            case _:
                self.ctx.beat()


@each_place
@on_each_engine
def test_it_monitors_and_beats(kind: str, where: Where) -> None:
    notes: list[str] = []
    beats: list[float] = []

    async def scenario(world: World) -> None:
        await ask(world, ("monitor", "top/a"))
        await until(world, lambda: "top/a started" in notes)
        # What it died on is a closure, which could not get to a process.
        world.ref("top/a").tell(Do(lambda _: 1 / 0))
        await until(world, lambda: "top/a restarted" in notes)
        await ask(world, ("demonitor", "top/a"))
        world.ref("top/a").tell(CRASH)
        await until(world, lambda: world.cell("top/a").incarnation == 3)
        watchdog = world.cell("top/mover").watchdog
        assert watchdog is not None
        beat = watchdog.beat
        watchdog.beat = lambda: (beats.append(1.0), beat())  # type: ignore[assignment, func-returns-value]
        await ask(world, "beat")
        # Before the handler, in the midst of it, and after it.
        await until(world, lambda: len(beats) == 3)
        with pytest.raises(SpecError, match="expected a place to monitor"):
            raise await crashed(world, ("monitor", "top/nobody"))

    spec = tree(where, notes, puppet([], "a"), build=Watcher, silent_s=PATIENCE_S)
    play(kind, spec, scenario)
    heard = [each for each in notes if each.startswith("top/a")]
    assert heard == ["top/a started", "top/a crashed", "top/a restarted"]


async def crashed(world: World, message: object) -> Exception:
    """Tell it, and return the error on which the mover died."""
    world.ref("top/mover").tell(message)
    cell = world.cell("top/mover")
    await until(world, lambda: cell.error is not None)
    assert cell.error is not None
    return cell.error


# --- refusals -------------------------------------------------------------------


class Typed:
    def __init__(self, ctx: Context) -> None: ...

    def handle(self, message: Number | str) -> None: ...


@each_place
@on_each_engine
def test_what_it_does_not_take_is_refused_where_it_is_told(
    kind: str, where: Where
) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(UnknownMessage, match="top/mover: expected one of Number"):
            world.ref("top/mover").tell(act("where"))
        await ask(world, Number(1))

    play(kind, tree(where, [], build=Typed), scenario)


class Source(Typed):
    async def run(self) -> None: ...


class Waiting(Typed):
    async def handle(self, message: Number | str) -> None: ...  # type: ignore[override]


def build_source(ctx: Context, _: int = 0) -> Source:
    return Source(ctx)


@each_place
@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Source, "expected an actor without run, for it is moved out of the engine"),
        (partial(build_source, _=3), "expected an actor without run"),
        (Waiting, "expected def handle, for it is moved out of the engine"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_the_spec(
    where: Where, build: Any, said: str
) -> None:
    spec = ActorSpec(name="a", build=build, runs_in=where)
    family = SupervisorSpec(name="f", children=(spec,))
    with pytest.raises(SpecError) as caught:
        SimulatedEngine(SupervisorSpec(name="top", children=(family,)))
    assert str(caught.value).startswith(f"top/f/a: {said}")
    SimulatedEngine(
        SupervisorSpec(name="top", children=(attrs.evolve(spec, runs_in="engine"),))
    )
