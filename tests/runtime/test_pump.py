"""A batch of messages is one by one for whoever looks: order, counts and crashes."""

from __future__ import annotations

from typing import Any

from holdfast_runtime import Backoff, SupervisorSpec

from .puppets import CRASH, Do, Puppet, Say, Urgent, puppet
from .worlds import World, on_each_engine, play


def family(*children: Any) -> SupervisorSpec:
    return SupervisorSpec(
        name="top", children=children, restarts=99, backoff=Backoff(first_s=0.0)
    )


def tell_oneself(message: object) -> Do:
    def call(puppet: Puppet) -> None:
        puppet.ctx.me.tell(message)

    return Do(call)


@on_each_engine
def test_what_a_message_causes_in_a_higher_lane_comes_before_the_rest(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        ref = world.ref("top/a")
        for _ in range(2):  # The lane is new, and then it is not.
            ref.tell(tell_oneself(Urgent("urgent")))
            for text in ("one", "two"):
                ref.tell(Say(text))
            await world.settle()

    play(kind, family(puppet(notes, "a")), scenario)
    said = [note for note in notes if note.split()[-1] in {"urgent", "one", "two"}]
    assert [note.split()[-1] for note in said] == 2 * ["urgent", "one", "two"]


@on_each_engine
def test_a_crash_in_the_middle_counts_what_came_before_and_leaves_what_comes_after(
    kind: str,
) -> None:
    notes: list[str] = []
    counts: list[tuple[int, int]] = []

    async def scenario(world: World) -> None:
        ref = world.ref("top/a")
        for message in (Say("one"), Say("two"), CRASH, Say("three")):
            ref.tell(message)
        await world.settle()
        await world.sleep(1.0)
        cell = world.cell("top/a")
        counts.append((cell.handled, cell.mailbox.size))
        assert [type(each.message) for each in world.engine.dead_letters] == [Do]

    play(kind, family(puppet(notes, "a")), scenario)
    assert counts == [(3, 0)]
    assert [note for note in notes if "born" in note] == ["a: born"] * 2


@on_each_engine
def test_more_than_a_batch_is_handled_in_its_order(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        for number in range(1_000):
            world.ref("top/a").tell(Say(str(number)))
        await world.settle()
        assert world.cell("top/a").handled == 1_000

    play(kind, family(puppet(notes, "a")), scenario)
    said = [note.split()[-1] for note in notes if note.split()[-1].isdigit()]
    assert said == [str(number) for number in range(1_000)]
