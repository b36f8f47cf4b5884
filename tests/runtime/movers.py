"""Actors that compute elsewhere, and their tree; other processes import it too.

`Mover` does what a message says, as `puppets.Puppet` does, but every message can be
pickled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ClassVar, Literal

import attrs
import trio

from holdfast_runtime import (
    ActorError,
    ActorSpec,
    Backoff,
    Context,
    Lane,
    LiveEngine,
    Poisoned,
    Ref,
    SimulatedEngine,
    SupervisorSpec,
    open_engine,
)
from holdfast_runtime.ids import LogIds
from holdfast_runtime.kernel import Kernel

from .puppets import Broken, Puppet, puppet
from .worlds import World

GO = threading.Event()
"""What a handler in a thread of this process may hang on."""

PATIENCE_S = 60.0
Where = Literal["thread", "process"]


@attrs.frozen
class Act:
    """Something to do, by the name of a method, with its arguments."""

    what: str
    arguments: tuple[Any, ...] = ()


def act(what: str, *arguments: Any) -> Act:
    return Act(what, arguments)


@attrs.frozen
class Input:
    """A message that derives from an input; fatal to its reader if that is so."""

    number: int
    fatal: str = ""

    @property
    def origin(self) -> tuple[str, int]:
        return ("input", self.number)


@attrs.frozen
class Bulk:
    lane: ClassVar[Lane] = Lane.DATA

    number: int


class Mover:
    """Says where it is, tells and records; what it does it was told to."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.heard: list[object] = []
        self.timers: list[Any] = []

    def start(self) -> None:
        self.ctx.ref("top/listener").tell(f"started {self.ctx.incarnation}")

    def stop(self) -> None:
        self.ctx.ref("top/listener").tell("stops")

    def handle(self, message: object) -> Any:
        if isinstance(message, Act):
            return getattr(self, message.what)(*message.arguments)
        if isinstance(message, Input):
            if message.fatal:
                getattr(self, message.fatal)()
            self.ctx.ref("top/listener").tell(message.number)
            return None
        self.heard.append(message)
        return None

    def all_heard(self) -> list[object]:
        return self.heard

    def where(self) -> tuple[int, int]:
        return os.getpid(), threading.get_ident()

    def crash(self) -> None:
        raise Broken("here")

    def poisoned(self) -> None:
        raise Poisoned(("input", 9), "cannot be read")

    def crash_after_tell(self) -> None:
        self.tell("never leaves")
        raise Broken

    def tell(self, text: object) -> None:
        self.ctx.ref("top/listener").tell(text)

    def tell_to(self, ref: Ref[Any], text: str) -> None:
        ref.tell(text)

    def tell_me(self, text: str) -> None:
        self.ctx.me.tell(text)

    def line(self) -> dict[str, Any]:
        """Return what a line of a log would say; a process knows no engine."""
        cell = getattr(self.ctx, "_cell", None)
        return dict(LogIds(cell and cell.kernel)(None, "info", {}))

    def log(self) -> None:
        self.tell(str(self.line()))

    def record(self, entry: object, text: str) -> None:
        self.ctx.record(entry)
        self.tell(text)

    def mixed(self) -> None:
        self.tell("first")
        self.ctx.effect(note_effect)
        self.tell("last")

    def later(self, delay_s: float, text: str) -> None:
        self.timers.append(self.ctx.after(delay_s, act("tell", text)))

    def not_later(self, delay_s: float, text: str) -> None:
        """Set a timer and cancel it at once: between two messages it might ring."""
        self.later(delay_s, text)
        self.timers.pop().cancel()

    def now(self) -> float:
        return self.ctx.now_s()

    def hang(self) -> str:
        GO.wait(PATIENCE_S)
        return "went on"

    def hang_and_tell(self) -> None:
        GO.wait(PATIENCE_S)
        self.tell("late")
        self.ctx.me.tell("late")

    def hang_alone(self) -> None:
        threading.Event().wait(PATIENCE_S)

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def leave(self) -> None:
        raise SystemExit(7)

    def closure(self) -> None:
        self.ctx.effect(lambda: None)

    def say_closure(self) -> None:
        self.tell(lambda: None)

    def answer_closure(self) -> object:
        return lambda: None

    def nowhere(self) -> None:
        self.ctx.ref("top/nobody").tell("anything")

    def refusal(self, what: str) -> str:
        try:
            getattr(self, what)()
        except ActorError as error:
            return str(error)
        return "not refused"

    def sleep(self) -> None:
        self.ctx.sleep(1.0)  # type: ignore[unused-coroutine]

    def within(self) -> None:
        self.ctx.within(1.0, self.coroutine())  # type: ignore[unused-coroutine]

    def sides(self) -> None:
        self.ctx.sides()

    def at_end(self) -> None:
        self.ctx.at_end(note_effect)

    def print(self, text: str) -> None:
        print(text, flush=True)

    async def coroutine(self) -> None:
        """What a handler should not return."""


EFFECTS: list[int] = []


def note_effect() -> None:
    EFFECTS.append(os.getpid())


def tree(
    where: Where,
    notes: list[str],
    *others: ActorSpec,
    build: Callable[[Context], Any] = Mover,
    before: tuple[ActorSpec, ...] = (),
    **spec: Any,
) -> SupervisorSpec:
    """A listener, others, and a mover that tells the listener."""
    mover = ActorSpec(name="mover", build=build, runs_in=where, **spec)
    return SupervisorSpec(
        name="top",
        backoff=Backoff(first_s=0.0, jitter=0.0),
        restarts=20,
        children=(*before, puppet(notes, "listener", make=Listener), *others, mover),
    )


@attrs.define(eq=False)
class Listener(Puppet):
    """Notes what it is told."""

    def handle(self, message: object) -> Any:
        if callable(getattr(message, "call", None)):
            return super().handle(message)
        self.notes.append(str(message))
        return None


Scenario = Callable[[World], Awaitable[None]]


def play(
    kind: str,
    spec: SupervisorSpec,
    scenario: Scenario,
    prepare: Callable[[Kernel], None] = lambda _: None,
) -> Kernel:
    """Run ``scenario`` beside the tree: in simulation, or live and in real time."""
    if kind == "live":
        return trio.run(partial(_play_live, spec, scenario, prepare))
    engine = SimulatedEngine(spec, shuffle=kind == "shuffled")
    prepare(engine)
    engine.start()

    async def scene() -> None:
        await scenario(World(engine))

    engine.call(scene())
    engine.stop()
    assert (engine.pending, engine.unsettled) == (0, 0)
    return engine


async def _play_live(
    spec: SupervisorSpec, scenario: Scenario, prepare: Callable[[Kernel], None]
) -> LiveEngine:
    with trio.fail_after(PATIENCE_S):
        async with open_engine(spec, prepare=prepare) as engine:
            await scenario(World(engine))
    assert (engine.pending, engine.unsettled) == (0, 0)
    return engine


async def until(world: World, ready: Callable[[], bool]) -> None:
    """Wait until ``ready``: live, in real time."""
    patience_s = world.engine.now_s() + PATIENCE_S
    while not ready():
        assert world.engine.now_s() < patience_s
        if isinstance(world.engine, LiveEngine):
            await trio.sleep(0.001)
        else:
            await world.sleep(0.001)


async def ask(world: World, message: object, path: str = "top/mover") -> Any:
    return await world.ref(path).ask(message, deadline_s=PATIENCE_S)


@contextlib.contextmanager
def going() -> Any:
    """Let what hangs on `GO` go in the end."""
    GO.clear()
    try:
        yield
    finally:
        GO.set()
