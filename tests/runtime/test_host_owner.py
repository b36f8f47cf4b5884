"""Hosts and their owners: what is full refuses; events; troubles; a cap that parks."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    Backoff,
    Beyond,
    Context,
    Lifecycle,
    SupervisorSpec,
    open_engine,
)
from holdfast_runtime.threads import (
    HostRefused,
    Hung,
    PykkaAsyncioHost,
    PykkaThreadHost,
    Trouble,
)

from .movers import until
from .puppets import puppet
from .worlds import World, on_each_engine, play

LONG_S = 60.0
SOON_S = 0.02


async def test_a_full_host_refuses_and_calls_nothing() -> None:
    go = threading.Event()
    called: list[str] = []
    host = PykkaThreadHost(name="db", calls_max=2)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(lambda: host.run(go.wait, deadline_s=LONG_S))
        await wait_all_tasks_blocked()
        with pytest.raises(HostRefused, match="db: 2 calls wait or run, and at most 2"):
            await host.run(called.append, "a", deadline_s=LONG_S)
        go.set()
    await host.run(called.append, "b", deadline_s=LONG_S)
    assert called == ["b"]
    host.close()


async def test_events_of_a_blocking_library_come_before_the_result() -> None:
    taken: list[int] = []
    host = PykkaThreadHost()
    events = host.events(taken.append)

    def work() -> str:
        for number in range(1_000):
            events.push(number)
        return "done"

    assert await host.run(work, deadline_s=LONG_S) == "done"
    assert taken == [*range(1_000)]
    host.close()
    events.push(7)
    await wait_all_tasks_blocked()
    assert taken == [*range(1_000)]


async def test_the_owner_is_told_of_each_hung_thread_and_of_its_return() -> None:
    go = threading.Event()
    told: list[Trouble] = []
    host = PykkaThreadHost(name="sdk", report=told.append)
    with pytest.raises(TimeoutError, match="sdk: no answer"):
        await host.run(go.wait, deadline_s=SOON_S)
    go.set()
    while len(told) < 2:
        await trio.lowlevel.checkpoint()
    assert [(each.what, each.hung) for each in told] == [
        ("abandoned", 1),
        ("returned", 0),
    ]
    assert told[0].text.startswith("sdk: functools.partial(<bound method Event.wait")
    host.close()


async def test_an_owner_that_cannot_be_told_gets_the_error_with_its_next_call() -> None:
    def report(_: Trouble) -> None:
        raise ValueError("deaf")

    go = threading.Event()
    host = PykkaThreadHost(report=report)
    with pytest.raises(TimeoutError):
        await host.run(go.wait, deadline_s=SOON_S)
    await wait_all_tasks_blocked()
    with pytest.raises(HostRefused, match=r"nobody could be told .*deaf"):
        await host.run(int, deadline_s=LONG_S)
    go.set()
    host.close()


class Session:
    """Owns a host: it makes it, turns its troubles into alerts, and has it closed."""

    def __init__(self, ctx: Context, make: Any, call: Any, hung: Hung) -> None:
        self.call = call
        self.alert = ctx.ref("top/alerts")
        self.host = make(name=ctx.path, hung=hung, report=self.report)
        ctx.at_end(self.host.close)

    def report(self, trouble: Trouble) -> None:
        self.alert.tell(trouble)

    async def handle(self, message: object) -> Any:
        return await self.host.run(self.call, message, deadline_s=SOON_S)


class Alerts:
    """Keeps what it is told."""

    def __init__(self, heard: list[Any]) -> None:
        self.heard = heard

    def handle(self, message: Any) -> None:
        self.heard.append(message)


def venue(make: Any, call: Any, heard: list[Any]) -> SupervisorSpec:
    hung = Hung(3)
    session = ActorSpec(
        name="session", build=lambda ctx: Session(ctx, make, call, hung)
    )
    family = SupervisorSpec(
        name="venue",
        children=(session,),
        restarts=4,
        backoff=Backoff(first_s=0.0, jitter=0.0),
        beyond=Beyond.PARK,
    )
    alerts = ActorSpec(name="alerts", build=lambda _: Alerts(heard))
    return SupervisorSpec(name="top", children=(alerts, family))


@pytest.mark.parametrize("kind", ["thread", "loop"])
async def test_hung_threads_beyond_the_cap_crash_the_owner_and_park_its_family(
    kind: str,
) -> None:
    go = threading.Event()
    heard: list[Any] = []
    events: list[Lifecycle] = []

    def hang(_: object) -> None:
        go.wait()

    async def hang_loop(_: object) -> None:
        go.wait()

    def make_loop(**options: Any) -> PykkaAsyncioHost:
        return PykkaAsyncioHost(grace_s=SOON_S, **options)

    make, call = (PykkaThreadHost, hang) if kind == "thread" else (make_loop, hang_loop)
    spec = venue(make, call, heard)
    async with open_engine(
        spec, prepare=lambda engine: engine.on_lifecycle.append(events.append)
    ) as engine:
        session = engine.ref("top/venue/session")
        for _ in range(3):
            with pytest.raises(AskFailed, match=r"TimeoutError|LoopLost"):
                await session.ask("x", deadline_s=LONG_S)
        family = engine.root.children[1]
        await until(World(engine), lambda: family.state.value == "parked")
        assert isinstance(family.error, HostRefused)
        assert "top/venue/session: 3 threads hang, and at most 3" in str(family.error)
        # The last of them comes by the bridge, after the end that it led to.
        await until(World(engine), lambda: len(heard) == 3)
        assert [each.what for each in heard] == ["abandoned"] * 3
        assert engine.root.children[0].state.value == "running"
        go.set()
    assert any(each.what == "parked" and "HostRefused" in each.error for each in events)


@on_each_engine
def test_what_an_incarnation_opened_is_closed_however_it_ends(kind: str) -> None:
    notes: list[str] = []

    class Owner:
        def __init__(self, ctx: Context) -> None:
            ctx.at_end(lambda: notes.append(f"closes {ctx.incarnation}"))
            ctx.at_end(self.fail)

        def fail(self) -> None:
            raise ValueError("cannot be closed")

        def handle(self, message: object) -> None:
            raise ValueError(message)

    events: list[Lifecycle] = []
    owner = ActorSpec(name="owner", build=Owner)
    spec = SupervisorSpec(name="top", children=(owner, puppet([], "other")))

    async def scenario(world: World) -> None:
        await world.told("top/owner", "crash")
        assert notes == ["closes 1"]
        await world.sleep(2.0)

    play(
        kind,
        spec,
        scenario,
        prepare=lambda kernel: kernel.on_lifecycle.append(events.append),
    )
    assert notes == ["closes 1", "closes 2"]
    assert [each.error for each in events if each.what == "end_failed"] == [
        "ValueError: cannot be closed"
    ] * 2


def test_what_is_open_is_closed_when_the_engine_is_ordered_to_exit() -> None:
    notes: list[str] = []

    class Owner:
        def __init__(self, ctx: Context) -> None:
            ctx.at_end(lambda: notes.append("closes"))

        def handle(self, message: object) -> None:
            raise SystemExit(message)

    owner = ActorSpec(name="owner", build=Owner)

    async def scenario(world: World) -> None:
        await world.told("top/owner", 7)

    with pytest.raises(SystemExit, match="7"):
        play("live", SupervisorSpec(name="top", children=(owner,)), scenario)
    assert notes == ["closes"]
