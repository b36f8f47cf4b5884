"""Messages between actors: collected, delivered in order, answered, or buried."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    AskTimeout,
    Backoff,
    Beyond,
    DeadLetter,
    Lane,
    LaneSpec,
    MailboxClosed,
    MailboxFull,
    Restart,
    SpecError,
    SupervisorSpec,
)
from holdfast_runtime.kernel import Kernel

from .puppets import CRASH, AsyncPuppet, Broken, Bulk, Do, Puppet, Say, hang, puppet
from .worlds import World, on_each_engine, play

MAKERS = pytest.mark.parametrize("make", [Puppet, AsyncPuppet])


def family(*children: Any, **spec: Any) -> SupervisorSpec:
    usual: dict[str, Any] = {"backoff": Backoff(jitter=0.0), "restarts": 9}
    return SupervisorSpec(name="top", children=children, **(usual | spec))


@on_each_engine
@MAKERS
def test_what_a_handler_says_leaves_when_it_has_returned(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []

    def talk(actor: Puppet) -> None:
        actor.ctx.ref("top/b").tell(Say("one"))
        actor.ctx.me.tell(Say("to myself"))
        actor.ctx.effect(lambda: notes.append("effect"))
        actor.ctx.ref("top/b").tell(Say("two"))
        actor.note("returns")

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(talk))

    play(kind, family(puppet(notes, "a", make=make), puppet(notes, "b")), scenario)
    said = [each for each in notes if "born" not in each and "stops" not in each]
    assert said[:2] == ["a: returns", "effect"]
    assert sorted(said[2:]) == ["a: to myself", "b: one", "b: two"]
    assert said.index("b: one") < said.index("b: two")


@on_each_engine
@MAKERS
def test_what_a_handler_said_before_it_crashed_does_not_leave(
    kind: str, make: type[Puppet]
) -> None:
    notes: list[str] = []

    def talk(actor: Puppet) -> None:
        actor.ctx.ref("top/b").tell(Say("never"))
        actor.ctx.effect(lambda: notes.append("never"))
        raise Broken

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(talk))
        await world.sleep(1.0)
        await world.told("top/a", Say("again"))

    play(kind, family(puppet(notes, "a", make=make), puppet(notes, "b")), scenario)
    assert not [note for note in notes if "never" in note]
    assert "a: again" in notes


@on_each_engine
@MAKERS
def test_messages_of_one_sender_keep_their_order(kind: str, make: type[Puppet]) -> None:
    """Whoever waits in between: an asynchronous reader that sleeps, too."""
    notes: list[str] = []

    async def nap(actor: Puppet) -> None:
        actor.note("naps")
        await actor.ctx.sleep(1.0)

    def count(actor: Puppet) -> None:
        for number in range(3):
            actor.ctx.ref("top/b").tell(Say(str(number)))
        if make is AsyncPuppet:
            actor.ctx.ref("top/b").tell(Do(nap))
        for number in range(3, 6):
            actor.ctx.ref("top/b").tell(Say(str(number)))

    async def scenario(world: World) -> None:
        world.ref("top/a").tell(Do(count))
        await world.sleep(0.5)
        await world.told("top/a", Do(count))
        await world.sleep(5.0)

    play(kind, family(puppet(notes, "a"), puppet(notes, "b", make=make)), scenario)
    said = [n for n in notes if n.startswith("b: ") and n[3:].isdigit()]
    assert said == [f"b: {number}" for number in [*range(6), *range(6)]]


@on_each_engine
def test_a_message_of_unknown_type_crashes_its_reader_and_is_kept(kind: str) -> None:
    @attrs.frozen
    class Unheard:
        turn: str = "of the screw"
        lane: str = "Penny"

    heard: list[DeadLetter] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Unheard(), "a text", 5)
        await world.sleep(10.0)
        assert world.state("top/a") == "running"

    def prepare(engine: Kernel) -> None:
        engine.on_dead_letter.append(heard.append)

    engine = play(kind, family(puppet([], "a")), scenario, prepare=prepare)
    assert [letter.message for letter in heard] == [Unheard(), "a text", 5]
    assert engine.dead_letters == heard
    assert all(letter.why.startswith("TypeError") for letter in heard)


@on_each_engine
def test_a_handler_that_hides_that_it_is_asynchronous_is_named(kind: str) -> None:
    async def later() -> None:
        raise AssertionError

    class Liar(Puppet):
        def handle(self, message: object) -> Any:
            return later()

    async def scenario(world: World) -> None:
        await world.told("top/a", Say("x"))
        assert "top/a: expected handle to be declared with async def" in str(
            world.cell("top/a").error
        )
        with pytest.raises(AskFailed):
            await world.ref("top/a").ask(Say("y"), deadline_s=9.0)

    play(kind, family(puppet([], "a", make=Liar)), scenario)


@on_each_engine
def test_an_effect_that_fails_is_a_crash_of_its_author(kind: str) -> None:
    notes: list[str] = []

    def fail() -> None:
        raise Broken

    def talk(actor: Puppet) -> None:
        actor.ctx.ref("top/b").tell(Say("before"))
        actor.ctx.effect(fail)
        actor.ctx.ref("top/b").tell(Say("after"))

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(talk), Say("next"))
        assert isinstance(world.cell("top/a").error, Broken)
        await world.sleep(1.0)

    play(kind, family(puppet(notes, "a"), puppet(notes, "b")), scenario)
    assert "b: before" in notes
    assert "b: after" not in notes
    assert "a: next" in notes


@on_each_engine
@MAKERS
def test_a_question_is_answered(kind: str, make: type[Puppet]) -> None:
    async def scenario(world: World) -> None:
        answer = await world.ref("top/a").ask(Do(lambda a: a.name), deadline_s=1.0)
        assert answer == "a"
        assert await world.ref("top/a").ask(Say("x"), deadline_s=1.0) is None
        assert not len(world.engine.timers)

    play(kind, family(puppet([], "a", make=make)), scenario)


@on_each_engine
def test_a_question_has_a_deadline(kind: str) -> None:
    async def scenario(world: World) -> None:
        began_s = world.engine.now_s()
        with pytest.raises(AskTimeout, match=r"top/a: no answer within 2.0 s"):
            await world.ref("top/a").ask(Do(hang), deadline_s=2.0)
        assert world.engine.now_s() - began_s == pytest.approx(2.0)
        with pytest.raises(AskTimeout):
            await world.ref("top/a").ask(Say("waits"), deadline_s=0.001)

    play(kind, family(puppet([], "a", make=AsyncPuppet, stop_s=1.0)), scenario)


@on_each_engine
@MAKERS
def test_the_crash_of_the_asked_is_told_with_its_cause(
    kind: str, make: type[Puppet]
) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(AskFailed, match="top/a crashed on") as caught:
            await world.ref("top/a").ask(CRASH, deadline_s=9.0)
        assert isinstance(caught.value.__cause__, Broken)

    engine = play(kind, family(puppet([], "a", make=make)), scenario)
    assert engine.dead_letters == []


@on_each_engine
def test_a_closed_mailbox_answers_at_once(kind: str) -> None:
    async def scenario(world: World) -> None:
        world.engine.kill(world.cell("top/a"), Broken())
        await world.settle()
        assert world.state("top/a") == "stopped"
        with pytest.raises(MailboxClosed):
            await world.ref("top/a").ask(Say("x"), deadline_s=9.0)
        with pytest.raises(MailboxClosed):
            await world.ref("top/a").send(Say("x"))

    play(kind, family(puppet([], "a", restart=Restart.TEMPORARY)), scenario)


@on_each_engine
def test_a_question_that_waits_when_its_reader_is_parked_was_not_handled(
    kind: str,
) -> None:
    inner = SupervisorSpec(
        name="f", restarts=0, beyond=Beyond.PARK, children=(puppet([], "a"),)
    )

    async def scenario(world: World) -> None:
        world.engine.post(world.cell("top/f/a"), CRASH, None)
        with pytest.raises(MailboxClosed):
            await world.ref("top/f/a").ask(Say("x"), deadline_s=9.0)

    play(kind, family(inner), scenario)


@on_each_engine
def test_an_asynchronous_actor_may_ask_another(kind: str) -> None:
    async def ask(actor: Puppet) -> Any:
        name = await actor.ctx.ref("top/b").ask(Do(lambda b: b.name), deadline_s=1.0)
        return f"{name}!"

    async def scenario(world: World) -> None:
        assert await world.ref("top/a").ask(Do(ask), deadline_s=9.0) == "b!"

    play(kind, family(puppet([], "a", make=AsyncPuppet), puppet([], "b")), scenario)


@on_each_engine
def test_timers_are_messages_that_survive_a_restart(kind: str) -> None:
    notes: list[str] = []

    def set_timers(actor: Puppet) -> None:
        actor.ctx.after(5.0, Say("five"))
        actor.ctx.after(3.0, Say("three"))
        actor.ctx.after(4.0, Say("four")).cancel()
        actor.ctx.after(-1.0, Say("at once"))

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(set_timers))
        await world.sleep(0.0)
        await world.told("top/a", CRASH)
        await world.sleep(2.9)
        assert notes == ["a: born", "a: at once", "a: born"]
        await world.sleep(3.0)

    play(kind, family(puppet(notes, "a")), scenario)
    assert notes[3:] == ["a: three", "a: five", "a: stops"]


@on_each_engine
def test_a_source_waits_for_room(kind: str) -> None:
    notes: list[str] = []
    lanes = {Lane.DATA: LaneSpec(capacity=2)}

    async def slowly(actor: Puppet) -> None:
        await actor.ctx.sleep(1.0)

    async def scenario(world: World) -> None:
        ref = world.ref("top/a")
        world.engine.post(world.cell("top/a"), Do(slowly), None)
        await world.settle()
        for number in range(5):
            await ref.send(Bulk(str(number)))
            waiting = world.cell("top/a").mailbox.size
            assert waiting <= 2
        assert world.engine.now_s() - began[0] >= 1.0
        await world.settle()

    began: list[float] = []
    play(
        kind,
        family(puppet(notes, "a", make=AsyncPuppet, lanes=lanes)),
        scenario,
        prepare=lambda engine: began.append(engine.now_s()),
    )
    assert notes[1:-1] == [f"a: {number}" for number in range(5)]


@on_each_engine
def test_a_source_that_waits_for_room_hears_that_there_will_be_none(kind: str) -> None:
    lanes = {Lane.DATA: LaneSpec(capacity=1)}
    heard: list[str] = []

    async def scenario(world: World) -> None:
        async def send() -> None:
            with pytest.raises(MailboxClosed):
                await world.ref("top/a").send(Bulk("never"))
            heard.append("closed")

        await world.told("top/a", Do(hang), Bulk("fills it"))
        world.engine.run_task(send())
        await world.settle()
        assert heard == []
        world.engine.kill(world.cell("top/a"), Broken())
        await world.settle()
        assert heard == ["closed"]

    a = puppet([], "a", make=AsyncPuppet, lanes=lanes, restart=Restart.TEMPORARY)
    play(kind, family(a), scenario)


@on_each_engine
def test_tell_from_outside_refuses_a_full_lane_that_blocks(kind: str) -> None:
    lanes = {Lane.DATA: LaneSpec(capacity=1)}

    async def scenario(world: World) -> None:
        await world.told("top/a", Do(hang))
        world.ref("top/a").tell(Bulk("one"))
        await world.settle()
        with pytest.raises(MailboxFull) as caught:
            world.ref("top/a").tell(Bulk("two"))
        assert (caught.value.path, caught.value.lane) == ("top/a", "DATA")
        assert caught.value.message == Bulk("two")

    play(
        kind,
        family(puppet([], "a", make=AsyncPuppet, lanes=lanes, stop_s=0.1)),
        scenario,
    )


@on_each_engine
def test_a_place_that_is_not_there_is_told_with_those_that_are(kind: str) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(SpecError, match=r"expected one of \['top/a'\], was 'x'"):
            world.ref("x")

    play(kind, family(puppet([], "a")), scenario)


@on_each_engine
def test_an_object_without_handle_is_no_actor(kind: str) -> None:
    async def scenario(world: World) -> None:
        assert "top/f/a: expected an object with handle" in str(
            world.cell("top/f/a").error
        )

    inner = SupervisorSpec(
        name="f",
        restarts=0,
        beyond=Beyond.PARK,
        children=(ActorSpec(name="a", build=lambda _: object()),),
    )
    play(kind, family(inner), scenario)


@on_each_engine
def test_dead_letters_are_kept_up_to_a_limit(kind: str) -> None:
    async def scenario(world: World) -> None:
        world.engine.kill(world.cell("top/a"), Broken())
        await world.settle()
        for number in range(1_200):
            world.engine.post(world.cell("top/a"), number, None)

    engine = play(kind, family(puppet([], "a", restart=Restart.TEMPORARY)), scenario)
    assert [letter.message for letter in engine.dead_letters] == [*range(200, 1_200)]
