"""A hosted asyncio loop: deadlines, cancellation, hung loops, events, its twin."""

from __future__ import annotations

import asyncio  # the host's other side
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from holdfast_runtime import (
    ActorError,
    SimulatedEngine,
    SupervisorSpec,
)
from holdfast_runtime.threads import (
    EventsLost,
    HostRefused,
    Hung,
    InlineAsyncioHost,
    LoopLost,
    PykkaAsyncioHost,
    Trouble,
)

LONG_S = 60.0
SOON_S = 0.02


@asynccontextmanager
async def hosting(**options: Any) -> AsyncGenerator[PykkaAsyncioHost]:
    """A host whose threads have all ended when this has."""
    before = set(threading.enumerate())
    host = PykkaAsyncioHost(**options)
    try:
        yield host
    finally:
        host.close()
        host.close()
        for thread in set(threading.enumerate()) - before:
            if "trio" not in thread.name.lower():
                await trio.to_thread.run_sync(thread.join, 10.0)
                assert not thread.is_alive()


async def where() -> int:
    await asyncio.sleep(0)
    return threading.get_ident()


async def test_a_coroutine_runs_in_one_loop_of_another_thread() -> None:
    async with hosting() as host:
        there = await host.run(where, deadline_s=LONG_S)
        assert there != threading.get_ident()
        assert await host.run(where, deadline_s=LONG_S) == there


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
async def test_the_error_of_a_coroutine_is_raised_here(
    kind: type[BaseException],
) -> None:
    async def fail() -> None:
        raise kind("away")

    async with hosting() as host:
        with pytest.raises(kind, match="away"):
            await host.run(fail, deadline_s=LONG_S)
        assert await host.run(where, deadline_s=LONG_S)


async def test_what_is_no_coroutine_function_is_an_error_and_harms_nobody() -> None:
    async with hosting() as host:
        with pytest.raises(TypeError, match="await"):
            await host.run(int, deadline_s=LONG_S)  # type: ignore[arg-type]
        assert await host.run(where, deadline_s=LONG_S)


async def test_coroutines_run_beside_each_other() -> None:
    async with hosting() as host, trio.open_nursery() as nursery:
        gate: list[asyncio.Event] = []

        async def make() -> None:
            gate.append(asyncio.Event())

        async def wait() -> None:
            await gate[0].wait()

        async def open_it() -> None:
            gate[0].set()

        await host.run(make, deadline_s=LONG_S)
        nursery.start_soon(lambda: host.run(wait, deadline_s=LONG_S))
        await wait_all_tasks_blocked()
        await host.run(open_it, deadline_s=LONG_S)


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
async def test_a_coroutine_that_nobody_waits_for_is_cancelled_in_its_loop(
    how: str,
) -> None:
    seen: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.sleep(LONG_S)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async with hosting() as host:
        if how == "deadline":
            with pytest.raises(TimeoutError, match=r"no answer from .*hang.* 0.02 s"):
                await host.run(hang, deadline_s=SOON_S)
        else:
            with trio.move_on_after(SOON_S) as scope:
                await host.run(hang, deadline_s=LONG_S)
            assert scope.cancelled_caught
        there = await host.run(where, deadline_s=LONG_S)
        assert seen == ["cancelled"]
        assert host.abandoned == 0
        assert there


async def test_a_library_that_cancels_itself_cancels_nobody_here() -> None:
    async def cancel() -> None:
        raise asyncio.CancelledError

    async with hosting() as host:
        with pytest.raises(TimeoutError, match="cancelled in its loop; its outcome"):
            await host.run(cancel, deadline_s=LONG_S)


async def test_a_hung_loop_is_abandoned_with_all_that_lives_in_it() -> None:
    go = threading.Event()
    told: list[Trouble] = []
    lost: list[str] = []

    async def block() -> None:
        go.wait()

    async with hosting(grace_s=SOON_S, report=told.append, name="ib") as host:
        first = await host.run(where, deadline_s=LONG_S)

        async def bystander() -> None:
            with pytest.raises(LoopLost) as caught:
                await host.run(asyncio.sleep, LONG_S, deadline_s=LONG_S)
            lost.append(str(caught.value))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(bystander)
            await wait_all_tasks_blocked()
            with pytest.raises(LoopLost, match=r"ib: the loop hangs, with .*block"):
                await host.run(block, deadline_s=SOON_S)
        assert "all that lived in it is lost" in lost[0]
        assert await host.run(where, deadline_s=LONG_S) != first
        assert [(each.what, each.hung) for each in told] == [("abandoned", 1)]
        go.set()
        while len(told) < 2:
            await trio.lowlevel.checkpoint()
        assert [each.what for each in told] == ["abandoned", "returned"]
        assert host.abandoned == 0


async def test_beyond_the_cap_of_hung_loops_nothing_is_called() -> None:
    go = threading.Event()

    async def block() -> None:
        go.wait()

    hung = Hung(1)
    async with hosting(grace_s=SOON_S, hung=hung) as host:
        with pytest.raises(LoopLost):
            await host.run(block, deadline_s=SOON_S)
        with pytest.raises(HostRefused, match="1 threads hang, and at most 1 may"):
            await host.run(where, deadline_s=LONG_S)
        with pytest.raises(HostRefused, match="1 threads hang"):
            PykkaAsyncioHost(hung=hung)
        go.set()


async def test_a_full_host_refuses_and_calls_nothing() -> None:
    called: list[int] = []

    async def note() -> None:
        called.append(1)

    async with hosting(calls_max=1) as host, trio.open_nursery() as nursery:
        nursery.start_soon(lambda: host.run(asyncio.sleep, LONG_S, deadline_s=LONG_S))
        await wait_all_tasks_blocked()
        with pytest.raises(HostRefused, match="1 calls wait or run, and at most 1 may"):
            await host.run(note, deadline_s=LONG_S)
        assert called == []
        nursery.cancel_scope.cancel()


async def test_events_come_in_order_and_before_the_result_of_their_call() -> None:
    taken: list[int] = []
    async with hosting() as host:
        events = host.events(taken.append)

        async def push() -> None:
            for number in range(100):
                events.push(number)
                await asyncio.sleep(0)

        await host.run(push, deadline_s=LONG_S)
        assert taken == [*range(100)]


async def push_many(host: PykkaAsyncioHost, push: Any, count: int) -> None:
    """Push from the loop while trio's thread cannot take anything."""
    go, pushed = threading.Event(), threading.Event()

    async def flood() -> None:
        go.wait()
        for number in range(count):
            push(number)
        pushed.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: host.run(flood, deadline_s=LONG_S))
        await wait_all_tasks_blocked()
        go.set()
        assert pushed.wait(10.0)  # on trio's thread, on purpose


async def test_a_flood_of_quotes_drops_the_oldest_and_counts_them() -> None:
    taken: list[int] = []
    async with hosting() as host:
        events = host.events(taken.append, capacity=10, full="drop_oldest")
        await push_many(host, events.push, 100)
        assert taken == [*range(90, 100)]
        assert events.dropped == 90


async def test_a_flood_of_fills_fails_the_host() -> None:
    taken: list[int] = []
    told: list[Trouble] = []
    async with hosting(report=told.append) as host:
        events = host.events(taken.append, capacity=10, full="fail")
        await push_many(host, events.push, 100)
        assert taken == [*range(10)]
        await wait_all_tasks_blocked()
        assert [each.what for each in told] == ["events_lost"]
        with pytest.raises(EventsLost, match="more than 10 waited"):
            await host.run(where, deadline_s=LONG_S)


async def test_an_event_that_nobody_can_take_fails_the_host() -> None:
    def refuse(event: int) -> None:
        raise ActorError(f"no place for {event}")

    async with hosting() as host:
        events = host.events(refuse)

        async def push() -> None:
            events.push(7)

        await host.run(push, deadline_s=LONG_S)
        with pytest.raises(EventsLost, match="no place for 7"):
            await host.run(where, deadline_s=LONG_S)


async def test_an_abandoned_loop_says_nothing_any_more() -> None:
    go = threading.Event()
    taken: list[str] = []
    async with hosting(grace_s=SOON_S) as host:
        events = host.events(taken.append)

        async def block() -> None:
            events.push("before")
            go.wait()
            events.push("late")

        with pytest.raises(LoopLost):
            await host.run(block, deadline_s=SOON_S)
        go.set()
        while host.abandoned:
            await trio.lowlevel.checkpoint()
        assert taken == ["before"]


async def test_a_closed_host_fails_what_is_under_way_and_makes_no_more_calls() -> None:
    async with hosting() as host, trio.open_nursery() as nursery:

        async def caller() -> None:
            with pytest.raises(LoopLost, match="closed during this call"):
                await host.run(asyncio.sleep, LONG_S, deadline_s=LONG_S)

        nursery.start_soon(caller)
        await wait_all_tasks_blocked()
        host.close()
        with pytest.raises(HostRefused, match="the host is closed"):
            await host.run(where, deadline_s=LONG_S)


def test_the_inline_twin_runs_on_the_engine_s_clock_and_refuses_asyncio() -> None:
    engine = SimulatedEngine(SupervisorSpec(name="top"))
    engine.start()
    host = InlineAsyncioHost()
    taken: list[str] = []
    events = host.events(taken.append)

    async def answer(text: str) -> str:
        await engine.new_bell().wait(engine.now_s() + 5.0)
        events.push(text)
        return text.upper()

    assert engine.call(host.run(answer, "a", deadline_s=1.0)) == "A"
    assert (taken, engine.now_s()) == (["a"], 5.0)
    with pytest.raises((ActorError, RuntimeError)):
        engine.call(host.run(where, deadline_s=1.0))
    host.close()
    events.push("b")
    assert taken == ["a"]
