"""A simulated system: short ways to an engine, and its end."""

from __future__ import annotations

import gc
import inspect
import sys
from typing import Any

import pytest

from holdfast_runtime import ActorError, AskFailed, SpecError, SupervisorSpec
from holdfast_runtime.bells import Bell
from holdfast_runtime.testing import System
from holdfast_runtime.virtual import Task

from .puppets import CRASH, AsyncPuppet, Do, Say, hang, puppet

ONE = "top/one"


def system(**more: Any) -> System:
    spec = SupervisorSpec(
        name="top", children=(puppet([], "one", make=AsyncPuppet, stop_s=3.0),)
    )
    return System(spec, **more)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_told_and_asked_and_runs_for_a_while(seed: int) -> None:
    made = system(seed=seed).start()

    assert made.ask(ONE, Do(lambda actor: actor.name)) == "one"
    with pytest.raises(AskFailed):
        made.ask(ONE, CRASH)
    assert made.state(ONE) != "running"
    made.run(for_s=60)
    assert (made.state(ONE), made.now_s) == ("running", 60.0)
    assert made.tell(ONE, Say("a"), Say("b")).run().history.of("handled", ONE, Say)
    with pytest.raises(SpecError, match="was 'top/two'"):
        made.state("top/two")
    made.stop()
    assert made.state(ONE) == "stopped"


def test_a_hung_actor_is_cut_at_the_end() -> None:
    made = system().start().tell(ONE, Do(hang)).run(for_s=1.0)

    made.stop()

    made.history.expect("crashed", ONE, "did not stop in time", times=1)
    assert made.now_s == 4.0


def test_what_is_left_under_way_is_told() -> None:
    made = system().start()
    made.engine.pending += 1

    with pytest.raises(ActorError, match="was 1 messages, 0 children"):
        made.stop()


def test_what_waits_in_a_system_that_is_thrown_away_ends_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The garbage collector may end an inner coroutine before the one around it."""
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def waits(bell: Bell) -> None:
        await bell.wait()

    coroutine: Any = waits(system().engine.new_bell())
    Task(coroutine).step()
    inner = coroutine.cr_await
    assert inspect.iscoroutine(inner)
    del coroutine
    inner.close()
    del inner
    gc.collect()

    assert complaints == []
