"""Faults on the way from one actor to another, within what delivery promises."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest

from holdfast_runtime import ActorSpec, AskTimeout, Context, Records, SupervisorSpec
from holdfast_runtime.testing import Faults, System

from .puppets import AsyncPuppet, Do, Puppet, Say, Told, puppet

A, B, READER = "top/a", "top/b", "top/reader"


@pytest.fixture(params=[0, 1, 2], ids=["in order", "seed 1", "seed 2"])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


class Office:
    """Two senders and a reader, whose notes are kept."""

    def __init__(self, seed: int, **reader: Any) -> None:
        self.notes: list[str] = []
        spec = SupervisorSpec(
            name="top",
            children=(
                puppet([], "a"),
                puppet([], "b"),
                puppet(self.notes, "reader", **reader),
            ),
        )
        self.system = System(spec, seed=seed).start()
        self.faults = self.system.faults

    def say(self, sender: str, *messages: object) -> None:
        """Let a sender say messages in one handler."""

        def speak(actor: Puppet) -> None:
            for message in messages:
                actor.ctx.ref(READER).tell(message)

        self.system.tell(sender, Do(speak))

    def read(self) -> list[str]:
        """Return what the reader has read when nothing is left to do."""
        self.system.run()
        read = [each.removeprefix("reader: ") for each in self.notes[1:]]
        self.system.stop()
        return read


def test_a_dropped_message_is_a_dead_letter(seed: int) -> None:
    office = Office(seed)
    office.faults.drop(READER, Say, 2)

    office.say(A, Say("1"), Say("2"), Say("3"))

    assert office.read() == ["1", "3"]
    (letter,) = office.system.history.expect("dead", READER, times=1)
    assert (letter.message, letter.note) == (Say("2"), "dropped by a test")
    office.system.history.expect("sent", READER, Say, times=3)


def test_a_message_from_outside_can_be_dropped_too(seed: int) -> None:
    office = Office(seed)
    office.faults.drop(READER, nth=2)

    office.system.tell(READER, Say("1"), Say("2"), Say("3"))

    assert office.read() == ["1", "3"]


def test_a_dropped_question_is_not_answered(seed: int) -> None:
    office = Office(seed)
    office.faults.drop(READER, Do)

    with pytest.raises(AskTimeout, match="no answer within 7 s"):
        office.system.ask(READER, Do(lambda _: 1), deadline_s=7)
    assert office.system.ask(READER, Do(lambda _: 2)) == 2


def test_nothing_that_derives_from_a_record_is_dropped(seed: int) -> None:
    office = Office(seed)
    fault = office.faults.drop(READER, times=9)

    office.say(A, Told(1), Say("x"), Told(2))

    assert office.read() == ["record 1", "record 2"]
    assert fault.happened == 1


def test_a_delayed_message_holds_back_its_sender_and_nobody_else(seed: int) -> None:
    office = Office(seed)
    office.faults.delay(READER, Say, by_s=5)

    office.say(A, Say("a1"), Say("a2"))
    office.system.run(for_s=1)
    office.say(B, Say("b1"))
    office.system.run(for_s=1)

    assert office.notes[1:] == ["reader: b1"]
    assert office.read() == ["b1", "a1", "a2"]
    handled = office.system.history.of("handled", READER)
    assert [each.at_s for each in handled] == [1.0, 5.0, 5.0]


def test_two_delays_on_one_link_keep_its_order(seed: int) -> None:
    office = Office(seed)
    office.faults.delay(READER, Say, 1, by_s=5)
    office.faults.delay(READER, Say, 2, by_s=1)
    office.faults.delay(READER, Say, 3, by_s=9)

    office.say(A, *map(Say, "1234"))

    assert office.read() == ["1", "2", "3", "4"]
    handled = office.system.history.of("handled", READER)
    assert [each.at_s for each in handled] == [5.0, 5.0, 9.0, 9.0]


def test_a_lane_above_overtakes_what_is_delayed(seed: int) -> None:
    office = Office(seed)
    office.faults.delay(READER, Told, by_s=5)

    @attrs.frozen
    class Bulky(Told):
        lane: ClassVar[Any] = 3

    office.say(A, Told(1), Do(lambda actor: actor.note("same lane")))

    assert office.read() == ["record 1", "same lane"]


def test_a_derived_message_comes_twice(seed: int) -> None:
    office = Office(seed)
    office.faults.duplicate(READER, Told, 2)
    office.faults.duplicate(READER, Told, 3, after_s=2)

    office.say(A, Told(1), Told(2), Told(3), Told(4))

    assert office.read() == [f"record {n}" for n in (1, 2, 2, 3, 4, 3)]


def test_what_derives_from_nothing_never_comes_twice(seed: int) -> None:
    office = Office(seed)
    fault = office.faults.duplicate(READER, times=9)

    office.say(A, Say("x"), Told(1))

    assert office.read() == ["x", "record 1", "record 1"]
    assert fault.happened == 1


def test_a_reordered_message_comes_after_what_others_say_now(seed: int) -> None:
    office = Office(seed)
    office.faults.reorder(READER, Say)

    office.say(A, Say("a1"), Say("a2"))
    office.system.run(for_s=0.0)
    assert office.notes[1:] == ["reader: a1", "reader: a2"]

    office = Office(seed)
    office.faults.reorder(READER, Say)
    for sender in (A, B):
        office.say(sender, Say(f"{sender[-1]}1"), Say(f"{sender[-1]}2"))
    read = office.read()

    first = office.system.history.of("fault", READER)[0].message.text[0]
    other = {"a": "b", "b": "a"}[first]
    assert read == [f"{other}1", f"{other}2", f"{first}1", f"{first}2"]


def test_a_rate_is_thrown_from_the_seed(seed: int) -> None:
    def lost(dice: int) -> list[object]:
        faults = Faults(seed=dice)
        faults.drop(READER, Say, times=99, rate=0.3)
        spec = SupervisorSpec(name="top", children=(puppet([], "reader"),))
        system = System(spec, seed=seed, faults=faults).start()
        system.tell(READER, *(Say(str(n)) for n in range(50))).run()
        return [each.message for each in system.history.of("dead")]

    assert lost(1) == lost(1) != lost(2)
    assert 5 < len(lost(1)) < 30


@attrs.frozen
class Tick:
    """The next step of a source."""

    turn: ClassVar[int] = 0
    number: int


def test_what_is_under_way_holds_back_market_time(seed: int) -> None:
    notes: list[str] = []

    class Source(Puppet):
        def handle(self, message: object) -> Any:
            if isinstance(message, Tick) and message.number <= 3:
                self.note(f"step {message.number}")
                self.ctx.ref(READER).tell(Told(message.number))
                self.ctx.me.tell(Tick(message.number + 1))

    reader = puppet(notes, "reader")
    spec = SupervisorSpec(
        name="top", children=(reader, puppet(notes, "source", make=Source))
    )
    system = System(spec, seed=seed)
    system.faults.delay(READER, Told, 2, by_s=100)
    system.faults.duplicate(READER, Told, 3, after_s=100)

    system.start().tell("top/source", Tick(1)).run()

    steps = [each.partition(": ")[2] for each in notes[2:]]
    assert steps == [
        *("step 1", "record 1", "step 2", "record 2"),
        *("step 3", "record 3", "record 3"),
    ]


class Disk:
    """Makes durable at once, by mail."""

    def handle(self, message: Records) -> None:
        message.hold.confirm()


def test_records_reach_their_recorder_whatever_is_done_to_links(seed: int) -> None:
    spec = SupervisorSpec(
        name="top",
        children=(
            ActorSpec(name="disk", build=lambda _: Disk()),
            puppet([], "a", recorder="top/disk"),
            puppet([], "reader", make=AsyncPuppet),
        ),
    )
    system = System(spec, seed=seed)
    system.faults.drop("top/disk", times=9)
    system.faults.duplicate("top/disk", times=9)
    system.start()

    def act(actor: Puppet) -> None:
        actor.ctx.record("entry")
        actor.ctx.ref(READER).tell(Say("durable"))

    system.tell(A, Do(act)).run()

    system.history.expect_order(("recorded", A), ("handled", "top/disk"))
    system.history.expect("handled", READER, Say("durable"), times=1)
    system.stop()


def test_a_stop_with_a_message_under_way_leaves_nothing_behind(seed: int) -> None:
    office = Office(seed)
    office.faults.delay(READER, Say, by_s=1)
    office.say(A, Say("late"))
    office.system.run(for_s=0.5)

    office.system.stop()

    office.system.history.expect("dead", READER, Say("late"), times=1)


def test_the_context_of_an_actor_knows_nothing_of_faults(seed: int) -> None:
    contexts: list[Context] = []
    office = Office(seed)

    office.system.tell(READER, Do(lambda actor: contexts.append(actor.ctx)))
    office.system.run()

    assert type(contexts[0]) is Context
    assert type(office.system.cell(READER).actor) is Puppet
