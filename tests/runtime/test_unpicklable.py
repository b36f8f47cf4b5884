"""What cannot get to a process is refused where it is told, down to its field."""

from __future__ import annotations

import threading
import tracemalloc
from functools import partial
from typing import Any

import attrs
import pytest
import trio

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    Context,
    SupervisorSpec,
    Unpicklable,
    open_engine,
)

from .movers import act, ask, play, tree, until
from .puppets import Do, Puppet, puppet
from .worlds import World, on_each_engine


@attrs.frozen
class Job:
    """A message with whatever it is given, some of it deep inside."""

    number: int
    steps: tuple[Any, ...] = ()
    options: dict[str, Any] = attrs.field(factory=dict)


@attrs.define
class Step:
    call: Any


class Plain:
    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)


def here() -> None: ...


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.syspath_prepend(str(request.config.rootpath))


UNFIT: list[tuple[Any, str]] = [
    (Job(1, (Step(here), Step(lambda: None))), "Job.steps[1].call"),
    (Job(1, options={"lock": threading.Lock()}), "Job.options['lock']"),
    (Job(1, (Plain(x=[Plain(y=threading.Lock())]),)), "Job.steps[0].x[0].y"),
    (lambda: None, "function"),
]


@on_each_engine
@pytest.mark.parametrize(("message", "field"), UNFIT, ids=[each[1] for each in UNFIT])
def test_it_is_refused_at_the_line_of_whoever_tells_sends_or_asks(
    kind: str, message: Any, field: str
) -> None:
    async def scenario(world: World) -> None:
        ref = world.ref("top/mover")
        with pytest.raises(Unpicklable) as told:
            ref.tell(message)
        with pytest.raises(Unpicklable) as sent:
            await ref.send(message)
        with pytest.raises(Unpicklable) as asked:
            await ref.ask(message, deadline_s=1.0)
        for caught in (told, sent, asked):
            error = caught.value
            assert (error.path, error.field) == ("top/mover", field)
            assert error.message is message
            assert "top/mover: expected a message that can be pickled" in str(error)
            assert f"{message!r}: {field}: " in str(error)
        # Nobody crashed on it.
        assert await ask(world, act("all_heard")) == []
        assert world.cell("top/mover").incarnation == 1

    play(kind, tree("process", []), scenario)


@on_each_engine
def test_an_actor_that_tells_it_hears_so_in_its_handler(kind: str) -> None:
    notes: list[str] = []

    def tell(actor: Puppet) -> None:
        try:
            actor.ctx.ref("top/mover").tell(Job(1, (lambda: None,)))
        except Unpicklable as error:
            notes.append(error.field)
        actor.ctx.ref("top/mover").tell(act("tell", "this can"))

    async def scenario(world: World) -> None:
        world.ref("top/teller").tell(Do(tell))
        await until(world, lambda: "this can" in notes)

    spec = tree("process", notes, puppet(notes, "teller"))
    play(kind, spec, scenario)
    assert "Job.steps[0]" in notes


async def test_a_thread_that_tells_it_hears_so() -> None:
    async with open_engine(tree("process", [])) as engine:
        ref = engine.ref("top/mover")
        tell = partial(engine.tell_from_thread, ref, Job(1, (lambda: None,)))
        with pytest.raises(Unpicklable, match=r"Job\.steps\[0\]"):
            await trio.to_thread.run_sync(tell)


@on_each_engine
def test_from_a_process_it_is_the_same_error(kind: str) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(AskFailed) as caught:
            await ask(world, act("say_closure"))
        cause = caught.value.__cause__
        assert isinstance(cause, Unpicklable)
        assert (cause.path, cause.field) == ("top/mover", "function")
        assert "In the process of top/mover:" in cause.__notes__[0]

    play(kind, tree("process", []), scenario)


class Sink:
    def __init__(self, ctx: Context) -> None:
        del ctx

    def handle(self, message: object) -> None: ...


def test_a_reference_can_be_told_and_large_buffers_are_not_copied() -> None:
    numpy = pytest.importorskip("numpy")
    spec = SupervisorSpec(
        name="top",
        children=(ActorSpec(name="sink", build=Sink, runs_in="process"),),
    )
    peak: list[int] = []

    async def scenario(world: World) -> None:
        blob = Step(numpy.zeros(10_000_000, dtype=numpy.uint8))
        tracemalloc.start()
        world.ref("top/sink").check((blob, world.ref("top/sink")))
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    play("simulated", spec, scenario)
    assert peak[0] < 1_000_000
