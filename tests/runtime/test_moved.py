"""A moved actor keeps the contract: in a thread, in a process, and inline."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from holdfast_runtime import ActorSpec, AskFailed, Full, Lane, LaneSpec

from .movers import (
    EFFECTS,
    Bulk,
    Input,
    Where,
    act,
    ask,
    play,
    tree,
    until,
)
from .puppets import Broken
from .worlds import World, on_each_engine

each_place = pytest.mark.parametrize("where", ["thread", "process"])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let another process import what these tests are made of."""
    monkeypatch.syspath_prepend(str(request.config.rootpath))


@each_place
@on_each_engine
def test_it_computes_elsewhere_but_for_simulation(kind: str, where: Where) -> None:
    found: list[tuple[int, int]] = []

    async def scenario(world: World) -> None:
        found.append(await ask(world, act("where")))
        found.append(await ask(world, act("where")))

    play(kind, tree(where, []), scenario)
    here = (os.getpid(), threading.get_ident())
    assert found[0] == found[1]
    if kind != "live":
        assert found[0] == here
    elif where == "thread":
        assert found[0][0] == here[0]
        assert found[0][1] != here[1]
    else:
        assert found[0][0] != here[0]


@each_place
@on_each_engine
def test_what_it_says_leaves_when_it_has_returned(kind: str, where: Where) -> None:
    notes: list[str] = []
    EFFECTS.clear()

    async def scenario(world: World) -> None:
        await ask(world, act("mixed"))
        await ask(world, act("tell_me", "hello"))
        assert await ask(world, act("all_heard")) == ["hello"]
        await ask(world, act("tell_to", world.ref("top/listener"), "by reference"))
        await until(world, lambda: "by reference" in notes)

    engine = play(kind, tree(where, notes), scenario)
    said = [note for note in notes if not note.startswith("listener")]
    assert said[:4] == ["started 1", "first", "last", "by reference"]
    # Its last word may come when the listener has stopped.
    assert said[4:] or [letter.message for letter in engine.dead_letters] == ["stops"]
    assert [os.getpid()] == EFFECTS


@each_place
@on_each_engine
def test_a_crash_is_a_crash_and_what_waits_is_read_by_the_next(
    kind: str, where: Where
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        mover = world.ref("top/mover")
        mover.tell(act("crash_after_tell"))
        mover.tell("kept")
        assert await ask(world, act("all_heard")) == ["kept"]
        with pytest.raises(AskFailed, match=r"top/mover crashed on .*Broken") as caught:
            await ask(world, act("crash"))
        assert type(caught.value.__cause__).__name__ == "Broken"
        await ask(world, act("where"))

    engine = play(kind, tree(where, notes), scenario)
    assert "never leaves" not in notes
    assert [note for note in notes if "started" in note] == [
        "started 1",
        "started 2",
        "started 3",
    ]
    assert act("crash_after_tell") in [each.message for each in engine.dead_letters]


@each_place
@on_each_engine
@pytest.mark.parametrize("fatal", ["crash", "die"])
def test_a_derived_input_is_read_once_more_and_then_quarantined(
    kind: str, where: Where, fatal: str
) -> None:
    if fatal == "die" and (kind != "live" or where == "thread"):
        pytest.skip("that would be the death of us all")
    notes: list[str] = []
    quarantined: list[Any] = []

    async def scenario(world: World) -> None:
        mover = world.ref("top/mover")
        for message in (Input(1), Input(2, fatal), Input(3)):
            mover.tell(message)
        await until(world, lambda: "3" in notes)

    def prepare(kernel: Any) -> None:
        kernel.on_quarantine.append(lambda _, origin, *__: quarantined.append(origin))

    play(kind, tree(where, notes), scenario, prepare)
    assert [note for note in notes if note.isdigit()] == ["1", "3"]
    assert quarantined == [("input", 2)]


@each_place
@on_each_engine
def test_an_input_can_be_named_as_poisoned(kind: str, where: Where) -> None:
    quarantined: list[Any] = []

    async def scenario(world: World) -> None:
        mover = world.ref("top/mover")
        mover.tell(act("poisoned"))
        mover.tell(act("poisoned"))
        await ask(world, act("where"))

    def prepare(kernel: Any) -> None:
        kernel.on_quarantine.append(lambda _, origin, *__: quarantined.append(origin))

    play(kind, tree(where, []), scenario, prepare)
    assert quarantined == [("input", 9)]


@each_place
@on_each_engine
def test_its_lanes_keep_their_policies(kind: str, where: Where) -> None:
    lanes = {
        Lane.DATA: LaneSpec(
            capacity=2, full=Full.CONFLATE, key=lambda bulk: bulk.number % 2
        )
    }
    heard: list[object] = []

    async def scenario(world: World) -> None:
        mover = world.cell("top/mover")
        # Behind a restart all of them wait.
        world.engine.kill(mover, Broken())
        for number in range(10):
            world.engine.post(mover, Bulk(number), None)
        await until(world, lambda: mover.incarnation == 2 and not mover.mailbox.size)
        heard.extend(await ask(world, act("all_heard")))

    play(kind, tree(where, [], lanes=lanes), scenario)
    assert heard == [Bulk(8), Bulk(9)]


@each_place
@on_each_engine
def test_its_timers_are_the_engine_s(kind: str, where: Where) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        began_s = world.engine.now_s()
        assert began_s <= await ask(world, act("now")) <= world.engine.now_s()
        await ask(world, act("not_later", 0.02, "never"))
        await ask(world, act("later", 0.01, "due"))
        await until(world, lambda: "due" in notes)
        await world.sleep(0.03)
        assert world.engine.now_s() >= began_s + 0.01

    play(kind, tree(where, notes), scenario)
    assert "never" not in notes


REFUSALS = {
    "sleep": "after(), which tells the actor later",
    "within": "no request to wait for",
    "sides": "work inside of handle",
    "at_end": "a stop method",
}


@each_place
@on_each_engine
def test_what_needs_the_engine_s_thread_is_refused_in_its_handler(
    kind: str, where: Where
) -> None:
    async def scenario(world: World) -> None:
        for what, instead in REFUSALS.items():
            assert await ask(world, act("refusal", what)) == (
                f"top/mover: expected {instead}, for it is moved out of the engine, "
                f"was {what}()"
            )
        assert world.cell("top/mover").incarnation == 1

    play(kind, tree(where, []), scenario)


@each_place
@on_each_engine
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("coroutine", "top/mover: expected handle to return a value, .* coroutine"),
        ("nowhere", "top/nobody"),
    ],
)
def test_what_it_cannot_do_is_an_error_that_names_it(
    kind: str, where: Where, what: str, said: str
) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(AskFailed, match=said):
            await ask(world, act(what))
        with pytest.raises(AskFailed, match="its spec names no recorder"):
            await ask(world, act("record", 1, "text"))

    play(kind, tree(where, []), scenario)


@each_place
@on_each_engine
def test_what_it_records_is_durable_before_it_speaks(kind: str, where: Where) -> None:
    notes: list[str] = []

    class Keeper:
        def handle(self, message: Any) -> None:
            notes.append(f"durable {message.entries}")
            message.hold.confirm()

    async def scenario(world: World) -> None:
        await ask(world, act("record", 17, "said"))
        await until(world, lambda: "said" in notes)

    keeper = ActorSpec(name="keeper", build=lambda _: Keeper())
    spec = tree(where, notes, before=(keeper,), recorder="top/keeper")
    play(kind, spec, scenario)
    assert notes.index("durable (17,)") < notes.index("said")
