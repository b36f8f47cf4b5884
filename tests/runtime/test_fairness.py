"""A flood of an actor, or of a lane, starves nobody, and is not kept; how deep."""

from __future__ import annotations

import gc
from typing import Any, ClassVar
from weakref import WeakSet

import attrs
import pytest

from holdfast_runtime import Backoff, Full, Lane, LaneSpec, SupervisorSpec
from holdfast_runtime.delivery import DEAD_LETTERS_KEPT
from holdfast_runtime.mailbox import Mailbox
from holdfast_runtime.messages import FAIR
from holdfast_runtime.tree import snapshot

from .puppets import AsyncPuppet, Bulk, Do, Puppet, Say, Urgent, puppet
from .worlds import World, on_each_engine, play

FLOOD = 1_000
MAKERS = pytest.mark.parametrize("make", [Puppet, AsyncPuppet])


@attrs.frozen
class Tick:
    """A note by a timer."""

    lane: ClassVar[Lane] = Lane.TIMERS

    text: str


class Reader(Puppet):
    def handle(self, message: object) -> Any:
        if isinstance(message, Tick):
            return self.note(message.text)
        return super().handle(message)


class AsyncReader(AsyncPuppet):
    async def handle(self, message: object) -> Any:
        if isinstance(message, Tick):
            return self.note(message.text)
        return await super().handle(message)


def tree(*children: Any) -> SupervisorSpec:
    return SupervisorSpec(name="top", children=children)


def send(*messages: object) -> Do:
    def call(actor: Puppet) -> None:
        for message in messages:
            actor.ctx.ref("top/a").tell(message)

    return Do(call)


@on_each_engine
@pytest.mark.parametrize("make", [Reader, AsyncReader])
def test_a_flooded_lane_leaves_to_each_lower_one_a_message_of_each_batch(
    kind: str, make: Any
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        flood = [Say(str(number)) for number in range(FLOOD)]
        low = [Bulk("bulk"), Tick("tick"), Bulk("bulk 2"), Tick("tick 2")]
        await world.told("top/b", send(*low, *flood, Urgent("urgent")))

    engine = play(
        kind, tree(puppet(notes, "a", make=make), puppet(notes, "b")), scenario
    )
    said = [note[3:] for note in notes if note.startswith("a: ")]
    assert engine.cells["top/a"].handled == FLOOD + 5
    flood = [int(text) for text in said if text.isdigit()]
    assert flood == [*range(FLOOD)]
    assert said.index("tick") <= FAIR + 1
    assert said.index("bulk") <= FAIR + 2
    assert said.index("tick 2") <= 2 * (FAIR + 2)
    assert said.index("bulk 2") <= 2 * (FAIR + 2)
    assert said.index("urgent") <= 4


@on_each_engine
@MAKERS
def test_an_actor_that_is_flooded_leaves_the_others_their_turns(
    kind: str, make: Any
) -> None:
    notes: list[str] = []

    def again(left: int) -> Do:
        """Tell itself again and again, two for one."""

        def call(actor: Puppet) -> None:
            actor.note("flood")
            for _ in range(min(2, left)):
                actor.ctx.me.tell(again(left - 2))

        return Do(call)

    async def scenario(world: World) -> None:
        world.ref("top/a").tell(again(22))
        for number in range(10):
            world.ref("top/b").tell(Say(str(number)))
        await world.settle()

    play(kind, tree(puppet(notes, "a", make=make), puppet(notes, "b")), scenario)
    flood = notes.count("a: flood")
    assert flood > 4_000
    assert notes.index("b: 9") < flood // 2


@on_each_engine
def test_a_snapshot_has_the_high_water_mark_of_each_lane(kind: str) -> None:
    async def nap(actor: Puppet) -> None:
        await actor.ctx.sleep(1.0)

    async def scenario(world: World) -> None:
        for bulk, events in ((30, 2), (3, 20), (1, 1)):
            await world.told(
                "top/a", Do(nap), *[Bulk("x")] * bulk, *[Say("y")] * events
            )
            await world.sleep(1.0)
        (_, node) = snapshot(world.engine).walk()
        # An asynchronous reader looks before every eighth message only.
        assert 20 - 7 <= node.high_water["EVENTS"] <= 20
        assert 30 - 7 <= node.high_water["DATA"] <= 30
        assert node.waiting == 0

    play(kind, tree(puppet([], "a", make=AsyncPuppet)), scenario)


def test_fairness_and_marks_of_the_mailbox_itself() -> None:
    box = Mailbox({Lane.EVENTS: LaneSpec(full=Full.CONFLATE, key=lambda m: m.text)})
    box.be_fair()
    for lane, text in ((1, "e"), (3, "d"), (2, "t"), (0, "c"), (3, "d2")):
        box.put(Say(text), lane)
    box.look()
    box.be_fair()
    marks = {each.lane.name: each.high_water for each in box.active}
    assert marks == {"CONTROL": 1, "EVENTS": 1, "TIMERS": 1, "DATA": 2}
    # A lane that conflates is never flooded: nothing overtakes it.
    assert [m.text for m in box.drain()] == [*"cet", "d", "d2"]


@pytest.mark.parametrize("policy", Full)
def test_of_a_flood_no_more_is_kept_than_lane_and_dead_letters_hold(
    policy: Full,
) -> None:
    """But for a few that are in hand, or in the traceback of a crash."""
    capacity, few = 50, 20
    alive, most = WeakSet[Bulk](), 0

    async def scenario(world: World) -> None:
        nonlocal most
        ref = world.ref("top/a")
        for number in range(8_000):
            message = Bulk(str(number))
            alive.add(message)
            most = max(most, len(alive))
            if policy is Full.BLOCK:
                await ref.send(message)
            else:
                ref.tell(message)
            if number % 200 == 0:
                await world.sleep(1.0)
            if policy is Full.CRASH and number % 400 == 0:
                gc.collect()  # the circles that tracebacks are

    lane = LaneSpec(
        capacity=capacity,
        full=policy,
        key=(lambda each: each.text) if policy is Full.CONFLATE else None,
    )
    reader = puppet([], "a", make=AsyncReader, lanes={Lane.DATA: lane})
    spec = SupervisorSpec(
        name="top", children=(reader,), restarts=None, backoff=Backoff(first_s=0.0)
    )
    play("live", spec, scenario)
    buried = DEAD_LETTERS_KEPT if policy is Full.CRASH else 0
    assert capacity + buried <= most <= capacity + buried + few
