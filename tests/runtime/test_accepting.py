"""Messages that a reader does not take are refused when they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol, assert_never

import attrs
import pytest
import trio

from holdfast_runtime import (
    ActorError,
    ActorSpec,
    Backoff,
    Context,
    Full,
    Lane,
    LaneSpec,
    LiveEngine,
    Stop,
    SupervisorSpec,
    UnknownMessage,
)
from holdfast_runtime.accepting import manners_for
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.messages import MANNERS

from .puppets import Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play


@attrs.frozen
class Buy:
    quantity: int


@attrs.frozen
class Sell:
    quantity: int


@attrs.frozen
class ShortSell(Sell):
    pass


class Trader:
    """Takes orders, and says so."""

    def __init__(self, notes: list[Any]) -> None:
        self.notes = notes

    def handle(self, message: Buy | Sell) -> int:
        self.notes.append(message)
        match message:
            case Buy() | Sell():
                return message.quantity
            case _:
                assert_never(message)


class AsyncTrader(Trader):
    async def handle(self, message: Buy | Sell) -> int:  # type: ignore[override]
        return super().handle(message)


def tree(notes: list[Any], make: Any = Trader, **spec: Any) -> SupervisorSpec:
    trader = ActorSpec(name="trader", build=lambda _: make(notes), **spec)
    return SupervisorSpec(
        name="top",
        backoff=Backoff(first_s=1.0, jitter=0.0),
        children=(trader, puppet([], "client"), puppet([], "other")),
    )


SAID = r"top/trader: expected one of Buy, Sell, Stop, was Say\(text='psst'\)"
MAKERS = pytest.mark.parametrize("make", [Trader, AsyncTrader])


@on_each_engine
@MAKERS
def test_who_tells_what_is_not_taken_hears_so_at_once(kind: str, make: Any) -> None:
    notes: list[Any] = []

    async def scenario(world: World) -> None:
        ref = world.ref("top/trader")
        for _ in range(2):
            with pytest.raises(UnknownMessage, match=SAID) as caught:
                ref.tell(Say("psst"))
            assert (caught.value.path, caught.value.message) == (ref.path, Say("psst"))
            with pytest.raises(UnknownMessage, match=SAID):
                await ref.ask(Say("psst"), deadline_s=1.0)
            with pytest.raises(UnknownMessage, match=SAID):
                await ref.send(Say("psst"))
        ref.tell(Buy(1))
        ref.tell(ShortSell(2))
        assert await ref.ask(Sell(3), deadline_s=1.0) == 3
        ref.tell(Stop())
        await world.settle()

    play(kind, tree(notes, make), scenario)
    assert notes == [Buy(1), ShortSell(2), Sell(3)]


@on_each_engine
@MAKERS
def test_an_actor_that_says_what_is_not_taken_crashes_and_not_its_reader(
    kind: str, make: Any
) -> None:
    notes: list[Any] = []

    def talk(actor: Puppet) -> None:
        to = actor.ctx.ref("top/trader")
        for message in (Buy(1), Say("psst"), Buy(2)):
            to.tell(message)

    async def scenario(world: World) -> None:
        await world.told("top/client", Do(talk))
        error = world.cell("top/client").error
        assert isinstance(error, UnknownMessage)
        assert error.__notes__ == ["in top/client, incarnation 1"]
        assert world.state("top/trader") == "running"
        await world.sleep(1.0)
        assert world.state("top/client") == "running"

    engine = play(kind, tree(notes, make), scenario)
    assert notes == [Buy(1)]
    (letter,) = engine.dead_letters
    assert (letter.path, letter.message) == ("top/trader", Say("psst"))


@on_each_engine
def test_a_timer_of_what_is_not_taken_crashes_its_author(kind: str) -> None:
    class Confused(Trader):
        def __init__(self, ctx: Context) -> None:
            super().__init__([])
            ctx.after(1.0, Say("psst"))

    async def scenario(world: World) -> None:
        await world.sleep(1.0)
        assert isinstance(world.cell("top/a").error, UnknownMessage)

    spec = SupervisorSpec(name="top", children=(ActorSpec(name="a", build=Confused),))
    play(kind, spec, scenario)


@on_each_engine
def test_what_is_not_taken_does_not_come_in_by_a_lane_that_conflates(kind: str) -> None:
    notes: list[Any] = []

    async def scenario(world: World) -> None:
        for _ in range(2):
            with pytest.raises(UnknownMessage):
                world.ref("top/trader").tell(Say("psst"))
            await world.told("top/trader", Buy(1))

    latest = {Lane.EVENTS: LaneSpec(full=Full.CONFLATE, key=type)}
    play(kind, tree(notes, lanes=latest), scenario)
    assert notes == [Buy(1)] * 2


async def test_what_a_thread_tells_and_nobody_takes_is_a_dead_letter() -> None:
    async def scenario() -> None:
        ref = engine.ref("top/trader")
        await trio.to_thread.run_sync(engine.tell_from_thread, ref, Say("psst"))
        await trio.testing.wait_all_tasks_blocked()

    async with trio.open_nursery() as nursery:
        engine = LiveEngine(tree([]))
        await nursery.start(engine.run)
        await scenario()
        await engine.stop()
    assert [letter.message for letter in engine.dead_letters] == [Say("psst")]


@on_each_engine
def test_an_incarnation_of_another_class_takes_other_messages(kind: str) -> None:
    notes: list[Any] = []

    def build(ctx: Context) -> Any:
        return Trader(notes) if ctx.incarnation == 1 else Puppet(ctx, notes)

    async def scenario(world: World) -> None:
        await world.told("top/a", Buy(1))
        await world.engine.restart_child("top/a")
        await world.told("top/a", Say("psst"))

    spec = SupervisorSpec(name="top", children=(ActorSpec(name="a", build=build),))
    play(kind, spec, scenario)
    assert notes[:2] == [Buy(1), "a: psst"]


@on_each_engine
@MAKERS
def test_what_was_told_before_the_first_start_is_looked_at_then(
    kind: str, make: Any
) -> None:
    notes: list[Any] = []

    def prepare(engine: Kernel) -> None:
        for message in (Buy(1), "nonsense", Sell(2)):
            engine.ref("top/trader").tell(message)

    async def scenario(world: World) -> None:
        await world.settle()
        assert notes == [Buy(1), Sell(2)]
        letters = world.engine.dead_letters
        assert [each.message for each in letters] == ["nonsense"]
        assert "expected one of Buy, Sell" in letters[0].why
        assert world.cell("top/trader").incarnation == 1

    spec = ActorSpec(name="trader", build=lambda _: make(notes))
    play(kind, SupervisorSpec(name="top", children=(spec,)), scenario, prepare=prepare)


class Counted(type):
    checks = 0

    def __subclasscheck__(cls, kind: type) -> bool:
        Counted.checks += 1
        return super().__subclasscheck__(kind)


class Cheap(metaclass=Counted):
    pass


@on_each_engine
def test_a_class_is_looked_at_once_and_not_each_message(kind: str) -> None:
    class Reader:
        def handle(self, message: Cheap) -> None:
            pass

    async def scenario(world: World) -> None:
        before = Counted.checks
        await world.told("top/a", *(Cheap() for _ in range(100)))
        assert Counted.checks == before + 1

    spec = SupervisorSpec(
        name="top", children=(ActorSpec(name="a", build=lambda _: Reader()),)
    )
    play(kind, spec, scenario)


# --- deadlines --------------------------------------------------------------------


@on_each_engine
@pytest.mark.parametrize(
    "deadline", [None, {}, 0, -1.0, float("nan"), float("inf"), "1"]
)
def test_a_question_without_a_deadline_is_refused(kind: str, deadline: Any) -> None:
    notes: list[Any] = []
    given = {} if deadline == {} else {"deadline_s": deadline}

    async def scenario(world: World) -> None:
        ask: Callable[..., Any] = world.ref("top/trader").ask
        said = r"top/trader: expected ask with deadline_s > 0, was "
        with pytest.raises(ActorError, match=said):
            await ask(Buy(1), **given)

    play(kind, tree(notes), scenario)
    assert notes == []


# --- what an annotation says ------------------------------------------------------


class Likeable(Protocol):
    likes: int


def taken(annotation: Any) -> tuple[type, ...] | None:
    def handle(self: object, message: Any) -> None: ...

    handle.__annotations__["message"] = annotation
    manners = manners_for(handle)
    return None if manners is MANNERS else manners.taken[:-1]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Buy, (Buy,)),
        (Buy | Sell, (Buy, Sell)),
        ("Buy | Sell", (Buy, Sell)),
        (Annotated[Buy, "why not"] | None, (Buy, type(None))),
        (list[int] | dict[str, int], (list, dict)),
        (float, (float, int)),
        (object, None),
        (Any, None),
        (Buy | Any, None),
        (Likeable, None),
        ("NotThere", None),
    ],
)
def test_an_annotation_says_what_is_taken_or_nothing(
    annotation: Any, expected: tuple[type, ...] | None
) -> None:
    assert taken(annotation) == expected


def test_without_an_annotation_anything_is_taken() -> None:
    def handle(self, message): ...  # type: ignore[no-untyped-def]

    class Callable_:
        def __call__(self, message: Buy) -> None: ...

    assert manners_for(handle) is MANNERS
    assert manners_for(Callable_()) is MANNERS
