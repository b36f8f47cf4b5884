"""Lock-step: turns are taken at quiescence, in an order that nothing can shuffle."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest

from holdfast_runtime import (
    Backoff,
    Lane,
    Records,
    SupervisorSpec,
)

from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play


@attrs.frozen
class Step:
    """The source's next input."""

    turn: ClassVar[int] = 9

    number: int


@attrs.frozen
class Intent:
    """What a strategy wants."""

    turn: ClassVar[int] = 1
    lane: ClassVar[Lane] = Lane.EVENTS

    text: str


@attrs.frozen
class Back(Intent):
    """Somebody is there again, and may have missed something."""

    ends_turn: ClassVar[bool] = True


def family(*children: Any, **spec: Any) -> SupervisorSpec:
    usual: dict[str, Any] = {"backoff": Backoff(jitter=0.0), "restarts": 9}
    return SupervisorSpec(name="top", children=children, **(usual | spec))


STRATEGIES = ("s1", "s2", "s3")


class Source(Puppet):
    """Tells each step to the strategies, and itself of the next one."""

    def handle(self, message: object) -> Any:
        if not isinstance(message, Step):
            return super().handle(message)
        self.note(f"step {message.number}")
        for name in reversed(STRATEGIES):
            self.ctx.ref(f"top/{name}").tell(Say(f"step {message.number}"))
        if message.number < 3:
            self.ctx.me.tell(Step(message.number + 1))
        return None


class Strategy(Puppet):
    """Thinks about a step by way of a message to itself, then wants two things."""

    def handle(self, message: object) -> Any:
        if not isinstance(message, Say):
            return super().handle(message)
        if message.text.startswith("step"):
            self.ctx.me.tell(Say(f"thought of {message.text}"))
        else:
            for want in ("buy", "sell"):
                self.ctx.ref("top/guard").tell(Intent(f"{self.name} {want}"))
        return None


class SlowStrategy(AsyncPuppet):
    """The same, and waits for the world."""

    async def handle(self, message: object) -> Any:
        await self.ctx.sleep(0.25)
        return Strategy.handle(self, message)  # type: ignore[arg-type]


class Guard(Puppet):
    def handle(self, message: object) -> Any:
        if isinstance(message, Intent):
            self.note(message.text)
            return None
        return super().handle(message)


def market(notes: list[str]) -> SupervisorSpec:
    makes = (Strategy, SlowStrategy, Strategy)
    named = zip(STRATEGIES, makes, strict=True)
    return family(
        puppet(notes, "guard", make=Guard),
        puppet(notes, "source", make=Source),
        *(puppet(notes, name, make=make) for name, make in named),
    )


STEP = [f"guard: {name} {want}" for name in STRATEGIES for want in ("buy", "sell")]
CANONICAL = [line for number in range(4) for line in (f"source: step {number}", *STEP)]


@on_each_engine
@pytest.mark.parametrize("seed", range(5))
def test_intents_come_in_the_order_of_the_tree_and_steps_at_quiescence(
    kind: str, seed: int
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        world.ref("top/source").tell(Step(0))
        await world.sleep(10.0)

    play(kind, market(notes), scenario, seed=seed, lock_step=True)
    assert [n for n in notes if "born" not in n and "stops" not in n] == CANONICAL


@on_each_engine
@pytest.mark.parametrize("who", ["s1", "s2", "guard"])
def test_market_time_stands_still_while_anything_restarts(kind: str, who: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        world.engine.post(world.cell(f"top/{who}"), CRASH, None)
        await world.settle()
        world.ref("top/source").tell(Step(0))
        await world.sleep(0.9)
        assert "source: step 0" not in notes
        assert world.engine.unsettled == 1
        await world.sleep(10.0)

    play(kind, market(notes), scenario, lock_step=True)
    assert [n for n in notes if "born" not in n and "stops" not in n] == CANONICAL


@on_each_engine
def test_what_has_a_turn_waits_for_records_that_are_not_durable(kind: str) -> None:
    notes: list[str] = []

    class Disk(AsyncPuppet):
        async def handle(self, message: object) -> Any:
            assert isinstance(message, Records)
            await self.ctx.sleep(1.0)
            self.note("written")
            message.hold.confirm()

    def act(actor: Puppet) -> None:
        actor.ctx.record("x")

    async def scenario(world: World) -> None:
        world.engine.post(world.cell("top/a"), Do(act), None)
        world.engine.post(world.cell("top/b"), Step(3), None)
        await world.sleep(0.5)
        assert "b: step 3" not in notes
        await world.sleep(0.5)
        assert notes.index("disk: written") < notes.index("b: step 3")

    spec = family(
        puppet(notes, "disk", make=Disk),
        puppet(notes, "a", recorder="top/disk"),
        *(puppet(notes, name, make=Source) for name in ("b", *STRATEGIES)),
    )
    play(kind, spec, scenario, lock_step=True)


@on_each_engine
def test_without_lock_step_a_turn_means_nothing(kind: str) -> None:
    notes: list[str] = []

    async def nap(actor: Puppet) -> None:
        await actor.ctx.sleep(5.0)

    async def scenario(world: World) -> None:
        await world.told("top/busy", Do(nap))
        await world.told("top/guard", Intent("now"))
        assert notes[-1] == "guard: now"
        await world.sleep(5.0)

    spec = family(
        puppet(notes, "busy", make=AsyncPuppet), puppet(notes, "guard", make=Guard)
    )
    play(kind, spec, scenario, lock_step=False)


@on_each_engine
def test_a_dead_receiver_does_not_begin_the_next_turn_in_the_midst_of_one(
    kind: str,
) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        world.engine.kill(world.cell("top/gone"), Broken())
        await world.sleep(0.0)
        gone = world.cell("top/gone")
        gone.family._retire(gone)  # type: ignore[union-attr]

        def speak(actor: Puppet) -> None:
            actor.ctx.ref("top/source").tell(Step(3))
            actor.ctx.ref("top/gone").tell(Intent("lost"))
            actor.ctx.ref("top/guard").tell(Intent("heard"))

        await world.told("top/s1", Do(speak))

    engine = play(
        kind,
        family(
            puppet(notes, "guard", make=Guard),
            puppet(notes, "gone"),
            puppet(notes, "source", make=Source),
            *(puppet(notes, name) for name in STRATEGIES),
        ),
        scenario,
        lock_step=True,
    )
    assert [n for n in notes if n in {"guard: heard", "source: step 3"}] == [
        "guard: heard",
        "source: step 3",
    ]
    assert [letter.message for letter in engine.dead_letters] == [Intent("lost")]


@on_each_engine
@pytest.mark.parametrize("ends", [True, False])
def test_what_ends_a_turn_is_seen_through_before_what_follows(
    kind: str, ends: bool
) -> None:
    notes: list[str] = []

    class Asker(Guard):
        """Asks whoever is back what it has missed."""

        def handle(self, message: object) -> Any:
            if isinstance(message, Intent) and message.text == "back":
                self.ctx.ref("top/s1").tell(Do(tell("missed")))
            return super().handle(message)

    def tell(*texts: str, how: type[Intent] = Intent) -> Any:
        def speak(actor: Puppet) -> None:
            for text in texts:
                actor.ctx.ref("top/guard").tell(how(text))

        return speak

    def both(actor: Puppet) -> None:
        actor.ctx.ref("top/s2").tell(Do(tell("later", "and later")))
        tell("before")(actor)
        tell("back", how=Back if ends else Intent)(actor)

    async def scenario(world: World) -> None:
        await world.told("top/s1", Do(both))

    spec = family(
        puppet(notes, "guard", make=Asker),
        *(puppet(notes, name) for name in STRATEGIES),
    )
    play(kind, spec, scenario, lock_step=True)
    said = [n.removeprefix("guard: ") for n in notes if n.startswith("guard: ")][1:]
    others = ["later", "and later"]
    asked = ["missed", *others] if ends else [*others, "missed"]
    assert said[:5] == ["before", "back", *asked]
