"""What a line of a log can say of itself, on each engine."""

from __future__ import annotations

from collections import deque
from threading import Thread
from typing import Any

import attrs
import pytest

from holdfast_runtime import Context, SupervisorSpec
from holdfast_runtime.ids import LogIds, ids_of, origin_text

from . import movers
from .puppets import AsyncPuppet, Do, Puppet, Say, Told, puppet
from .worlds import World, on_each_engine, play


@attrs.frozen
class Chained(Told):
    """Derives from a record, which was made on an input."""

    @property
    def correlation(self) -> tuple[str, int]:
        return ("input", 10 * self.number)


@attrs.frozen
class Order:
    """Names an order, and nothing else."""

    order_id: str


@attrs.define(eq=False)
class Logging(Puppet):
    """Logs what it is told."""

    log: LogIds
    lines: list[Any]

    def handle(self, message: object) -> object:
        self.lines.append(dict(self.log(None, "info", {"event": "handled"})))
        return None


@attrs.define(eq=False)
class SlowlyLogging(Logging):
    """Logs before and after it has waited."""

    async def handle(self, message: object) -> object:
        Logging.handle(self, message)
        await self.ctx.sleep(1.0)
        return Logging.handle(self, message)


class BatchLogging(Logging):
    """Logs of a batch, which names its first message."""

    async def handle_batch(self, messages: list[object]) -> None:
        await self.ctx.sleep(1.0)
        Logging.handle(self, messages)


@on_each_engine
@pytest.mark.parametrize("make", [Logging, SlowlyLogging, BatchLogging])
@pytest.mark.parametrize("budget_s", [None, 100.0])
def test_a_line_has_the_ids_of_the_message_in_hand(
    kind: str, make: type[Logging], budget_s: float | None
) -> None:
    lines: list[Any] = []
    logs: list[LogIds] = []

    def build(ctx: Any, notes: list[str]) -> Logging:
        return make(ctx, notes, LogIds(ctx.me._cell.kernel, otherwise=now), lines)

    def now() -> tuple[str, int]:
        return ("input", 99)

    async def scenario(world: World) -> None:
        logs.append(LogIds(world.engine, otherwise=now))
        for message in (Chained(7), Told(8), Order("abc"), Say("x")):
            lines.clear()
            await world.told("top/a", message)
            await world.sleep(5.0)
            expected = {
                Chained: ("input:70", "record:7"),
                Told: ("record:8", "record:8"),
                Order: ("input:99", "Order:abc"),
                Say: ("input:99", "Say"),
            }[type(message)]
            assert {(e["correlation"], e["causation"]) for e in lines} == {expected}
            assert {(e["actor"], e["incarnation"]) for e in lines} == {("top/a", 1)}
            assert len(lines) == 1 + (make is SlowlyLogging)
        assert logs[0](None, "info", {"event": "outside"}) == {"event": "outside"}

    play(
        kind,
        SupervisorSpec(
            name="top", children=(puppet([], "a", make=build, budget_s=budget_s),)
        ),
        scenario,
    )


@on_each_engine
@pytest.mark.parametrize("make", [Puppet, AsyncPuppet])
def test_a_question_has_the_ids_of_what_is_asked(kind: str, make: type[Puppet]) -> None:
    def line(actor: Puppet) -> Any:
        return LogIds(actor.ctx.me._cell.kernel)(None, "info", {"actor": "mine"})

    async def scenario(world: World) -> None:
        answer = await world.ref("top/a").ask(Do(line), deadline_s=1.0)
        # What the line has already, stays; and nothing is known of this one's input.
        assert answer == {"actor": "mine", "incarnation": 1, "causation": "Do"}

    play(
        kind,
        SupervisorSpec(name="top", children=(puppet([], "a", make=make),)),
        scenario,
    )


class Recording(Puppet):
    """Records what it is told."""

    def handle(self, message: object) -> None:
        self.ctx.record(message)


class AtOnce(Puppet):
    """Commits in place, and logs how it starts, commits and stops."""

    def start(self) -> None:
        self.log()

    def commit(self, entries: list[object]) -> None:
        del entries
        self.log()

    def stop(self) -> None:
        self.log()

    def log(self) -> None:
        line = LogIds(self.ctx.me._cell.kernel)(None, "info", {})
        self.note(f"{line['actor']} on {line.get('causation')}")


@on_each_engine
def test_a_commit_in_place_is_on_the_message_of_who_records(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        await world.told("top/a", Told(7), Told(8))

    children = (
        puppet(notes, "log", make=AtOnce),
        puppet(notes, "a", make=Recording, recorder="top/log"),
    )
    play(kind, SupervisorSpec(name="top", children=children), scenario)
    said = ["None", "record:7", "record:8", "None"]
    on = [note for note in notes if " on " in note]
    assert on == [f"log: top/log on {each}" for each in said]


class Beside(AsyncPuppet):
    """Works beside its handlers; both log when they have waited."""

    def __init__(self, ctx: Context, notes: list[str]) -> None:
        super().__init__(ctx, notes)
        self.sides = ctx.sides()

    async def handle(self, message: object) -> None:
        assert isinstance(message, Told)
        self.sides.begin(self.work(4.0))
        await self.ctx.sleep(3.0)
        self.log("handler")

    async def work(self, for_s: float) -> None:
        if for_s == 4.0:
            self.sides.begin(self.work(3.5))
        await self.ctx.sleep(for_s)
        self.log(f"after {for_s}")

    def log(self, who: str) -> None:
        line = LogIds(self.ctx.me._cell.kernel)(None, "info", {})
        self.note(f"{line['incarnation']} {who} on {line.get('causation')}")


@on_each_engine
def test_work_beside_a_handler_is_on_the_message_on_which_it_began(kind: str) -> None:
    notes: list[str] = []

    async def scenario(world: World) -> None:
        # The work of the first is done while the second is in hand.
        await world.told("top/a", Told(7))
        await world.sleep(2.9)
        await world.told("top/a", Told(8))
        await world.sleep(9.0)

    children = (puppet(notes, "a", make=Beside),)
    play(kind, SupervisorSpec(name="top", children=children), scenario)
    whats = [f"{who} on record:{on}" for on in (7, 8) for who in WORK]
    assert [note for note in notes if " on " in note] == [f"a: 1 {x}" for x in whats]


WORK = ("handler", "after 3.5", "after 4.0")


@pytest.mark.parametrize("where", ["thread", "process"])
@pytest.mark.parametrize("kind", ["simulated", "live"])
def test_a_moved_actor_has_the_ids_too(
    kind: str,
    where: movers.Where,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.syspath_prepend(request.config.rootpath)
    notes: list[str] = []

    async def scenario(world: World) -> None:
        world.ref("top/mover").tell(movers.Input(7, "log"))
        answer = await movers.ask(world, movers.act("line"))
        assert answer == {"actor": "top/mover", "incarnation": 1, "causation": "Act"}

    movers.play(kind, movers.tree(where, notes), scenario)
    ids = {"correlation": "input:7", "causation": "input:7"}
    assert str({"actor": "top/mover", "incarnation": 1, **ids}) in notes


@on_each_engine
def test_a_thread_that_is_no_actor_is_not_taken_for_the_one_that_handles(
    kind: str,
) -> None:
    def look(actor: Puppet) -> Any:
        log, lines = LogIds(actor.ctx.me._cell.kernel), deque[Any]()
        thread = Thread(target=lambda: lines.append(log(None, "info", {})))
        thread.start()
        thread.join()
        return lines.pop()

    async def scenario(world: World) -> None:
        assert await world.ref("top/a").ask(Do(look), deadline_s=1.0) == {}

    children = (puppet([], "a"),)
    play(kind, SupervisorSpec(name="top", children=children), scenario)


def test_an_origin_is_written_as_it_is_journaled() -> None:
    assert origin_text(("decision", "sma", 4)) == "decision:sma:4"
    assert origin_text("plain") == "plain"
    assert ids_of(Told(3)) == {"correlation": "record:3", "causation": "record:3"}
