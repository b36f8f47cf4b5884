"""Moved actors, live: the tree runs on, hangs are given up, processes die."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    AskTimeout,
    Beyond,
    Context,
    Killed,
    Lifecycle,
    SupervisorSpec,
)
from holdfast_runtime.moving.child import HEAD

from .movers import GO, Where, act, ask, going, play, tree, until
from .puppets import Do, puppet
from .worlds import World

each_place = pytest.mark.parametrize("where", ["thread", "process"])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.syspath_prepend(str(request.config.rootpath))


def listening(events: list[Lifecycle]) -> Any:
    return lambda kernel: kernel.on_lifecycle.append(events.append)


def test_while_it_computes_the_rest_of_the_tree_runs_on() -> None:
    """The handler goes on when another actor has handled a message meanwhile."""
    said: list[str] = []

    async def scenario(world: World) -> None:
        async def ask_it() -> None:
            said.append(await ask(world, act("hang")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_it)
            await until(world, lambda: bool(world.cell("top/mover").in_hand))
            world.ref("top/other").tell(Do(lambda _: GO.set()))

    with going():
        play("live", tree("thread", [], puppet([], "other")), scenario)
    assert said == ["went on"]


def test_while_a_process_computes_the_rest_of_the_tree_runs_on() -> None:
    async def scenario(world: World) -> None:
        world.ref("top/mover").tell(act("hang_alone"))
        await until(world, lambda: bool(world.cell("top/mover").in_hand))
        assert await ask(world, Do(lambda _: "here"), "top/other") == "here"
        assert world.cell("top/mover").in_hand
        world.engine.kill(world.cell("top/mover"), Killed("enough"))
        await ask(world, act("where"))

    play("live", tree("process", [], puppet([], "other")), scenario)


@each_place
def test_a_kill_overtakes_a_handler_and_its_backlog(where: Where) -> None:
    notes: list[str] = []
    what = act("hang") if where == "thread" else act("hang_alone")

    async def scenario(world: World) -> None:
        mover = world.cell("top/mover")
        world.ref("top/mover").tell(what)
        await until(world, lambda: bool(mover.in_hand))
        world.ref("top/mover").tell(act("tell", "after it"))
        world.engine.kill(mover, Killed("enough"))
        await until(world, lambda: "after it" in notes)
        assert mover.incarnation == 2
        GO.set()

    with going():
        engine = play("live", tree(where, notes), scenario)
    assert engine.dead_letters[0].message == what


@each_place
def test_a_handler_that_hangs_is_given_up_as_a_crash(where: Where) -> None:
    events: list[Lifecycle] = []
    what = act("hang") if where == "thread" else act("hang_alone")
    # To build it counts too, and a new process first imports what it is made of.
    limit_s = 0.5 if where == "thread" else 6.0

    async def scenario(world: World) -> None:
        said = f"top/mover: expected handle to take {limit_s} s"
        with pytest.raises(AskFailed, match=re.escape(said)):
            await ask(world, what)
        await ask(world, act("where"))
        GO.set()

    with going():
        play("live", tree(where, [], give_up_s=limit_s), scenario, listening(events))
    mover = [each.what for each in events if each.path == "top/mover"]
    told = ["abandoned"] if where == "thread" else []
    assert [what for what in mover if what != "abandoned"] == [
        *("started", "crashed", "restarted", "stopped")
    ]
    assert [what for what in mover if what == "abandoned"] == told


@each_place
def test_a_stop_gives_up_what_does_not_stop_in_time(where: Where) -> None:
    what = act("hang") if where == "thread" else act("hang_alone")

    async def scenario(world: World) -> None:
        world.ref("top/mover").tell(what)
        await until(world, lambda: bool(world.cell("top/mover").in_hand))

    with going():
        play("live", tree(where, [], stop_s=0.05), scenario)


def test_hung_threads_beyond_the_cap_park_the_family() -> None:
    """Each restart finds one more thread that hangs; the fifth is not started."""
    events: list[Lifecycle] = []
    spec = tree("thread", [], give_up_s=0.02)
    mover = SupervisorSpec(
        name="far",
        children=spec.children[1:],
        restarts=5,
        backoff=spec.backoff,
        beyond=Beyond.PARK,
    )
    whole = SupervisorSpec(name="top", children=(spec.children[0], mover))

    async def scenario(world: World) -> None:
        far = world.ref("top/far/mover")
        for _ in range(4):
            with suppress(AskFailed):
                await far.ask(act("hang"), deadline_s=60.0)
        family = world.engine.root.children[1]
        await until(world, lambda: family.state.value == "parked")
        assert "4 threads hang, and at most 4 may" in str(family.error)
        hung = world.cell("top/far/mover").hung
        GO.set()
        await until(world, lambda: hung is not None and not hung.count)
        family.begin()
        assert await ask(world, act("all_heard"), "top/far/mover") == []

    with going():
        play("live", whole, scenario, listening(events))
    assert [each.what for each in events].count("abandoned") == 4


def test_what_an_abandoned_handler_says_later_leaves_nowhere() -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        cell = world.cell("top/mover")
        world.ref("top/mover").tell(act("hang_and_tell"))
        await until(world, lambda: bool(cell.in_hand))
        world.engine.kill(cell, Killed("enough"))
        await ask(world, act("where"))
        GO.set()
        await until(world, lambda: cell.hung is not None and not cell.hung.count)
        await ask(world, act("tell", "last"))
        await until(world, lambda: "last" in notes)

    with going():
        play("live", tree("thread", notes), scenario)
    assert "late" not in notes


@pytest.mark.parametrize("when", ["in a handler", "between two"])
def test_kill_nine_of_the_process_is_a_crash(when: str) -> None:
    events: list[Lifecycle] = []

    async def scenario(world: World) -> None:
        cell = world.cell("top/mover")
        first, _ = await ask(world, act("where"))
        if when == "in a handler":
            with pytest.raises(
                AskFailed, match=f"process {first} ended with status -9"
            ):
                await ask(world, act("die"))
        else:
            os.kill(first, 9)
            await until(world, lambda: cell.incarnation == 2)
        assert (await ask(world, act("where")))[0] != first

    play("live", tree("process", []), scenario, listening(events))
    (crash,) = [each for each in events if each.what == "crashed"]
    assert "ProcessDied: top/mover: its process" in crash.error


def is_gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def test_no_process_is_left_behind() -> None:
    pids: list[int] = []

    async def scenario(world: World) -> None:
        for message in (act("crash"), act("where")):
            pids.append((await ask(world, act("where")))[0])
            world.ref("top/mover").tell(message)
        # The first one goes with its incarnation, and not with the engine.
        await until(world, lambda: is_gone(pids[0]))

    play("live", tree("process", []), scenario)
    assert [is_gone(pid) for pid in pids] == [True, True]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("closure", "top/mover: expected an effect that can be pickled"),
        ("say_closure", "top/mover: expected a tell that can be pickled"),
        ("answer_closure", "top/mover: expected an answer that can be pickled"),
    ],
)
def test_what_cannot_be_pickled_is_refused_by_name(what: str, said: str) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(AskFailed, match=said):
            await ask(world, act(what))

    play("simulated", tree("process", []), scenario)
    play("live", tree("process", []), scenario)


@each_place
def test_an_order_to_exit_is_obeyed(where: Where) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(AskTimeout):
            await world.ref("top/mover").ask(act("leave"), deadline_s=60.0)

    with pytest.raises(SystemExit, match="7"):
        play("live", tree(where, []), scenario)


def test_what_it_prints_goes_to_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def scenario(world: World) -> None:
        await ask(world, act("print", "hello from there"))

    play("live", tree("process", []), scenario)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "hello from there\n")


def test_the_process_ends_with_its_engine() -> None:
    """A process whose engine was killed reads the end of its pipe, and ends."""
    code = "from holdfast_runtime.moving.child import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        first = pickle.dumps(("top/mover", 1, False, {}))
        child.stdin.write(HEAD.pack(len(first)) + first)
        child.stdin.flush()
        assert child.stdout.read(HEAD.size)
        child.stdin.close()
        assert child.wait(60.0) == 0


def test_a_program_without_a_guard_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import trio\n"
        "from holdfast_runtime import ActorSpec, SupervisorSpec, open_engine\n"
        "class A:\n"
        "    def handle(self, message): return message\n"
        "def build(ctx): return A()\n"
        "a = ActorSpec(name='a', build=build, runs_in='process')\n"
        "spec = SupervisorSpec(name='top', restarts=0, children=(a,))\n"
        "async def main():\n"
        "    async with open_engine(spec): pass\n"
        "trio.run(main)\n"
    )
    ran = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 1
    assert 'put what starts it under if __name__ == "__main__"' in ran.stderr


async def nothing() -> None:
    await trio.lowlevel.checkpoint()


class Wrong:
    """An actor with whatever it is given."""

    def __init__(self, ctx: Context, **methods: Any) -> None:
        vars(self).update(methods)


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({}, "top/mover: expected an object with handle"),
        ({"handle": nothing}, "top/mover: expected def handle, .* was async def"),
        ({"handle": int, "start": nothing}, "top/mover: expected def start"),
        ({"handle": int, "run": nothing}, "top/mover: expected an actor without run"),
        (
            {"handle": int, "handle_batch": nothing},
            "expected def handle_batch, .*async",
        ),
    ],
)
@each_place
def test_an_actor_that_cannot_be_moved_is_a_crash_at_its_start(
    where: Where, methods: dict[str, Any], said: str
) -> None:
    async def scenario(_: World) -> None:
        """It never comes to this."""

    build = partial(Wrong, **methods)
    spec = SupervisorSpec(
        name="top",
        restarts=0,
        children=(ActorSpec(name="mover", build=build, runs_in=where),),
    )
    with pytest.raises(Exception, match=said):
        play("simulated", spec, scenario)
    with pytest.raises(Exception, match=said):
        play("live", spec, scenario)
