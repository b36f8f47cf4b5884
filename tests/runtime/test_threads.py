"""Threads: what blocks is hosted, given up when it hangs, and never waited for."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.lowlevel
from trio.testing import wait_all_tasks_blocked

from holdfast_runtime import ActorError
from holdfast_runtime.threads import HostRefused, Hung, InlineHost, PykkaThreadHost

LONG_S = 60.0
SOON_S = 0.02


@asynccontextmanager
async def hosting(abandoned_max: int = 4) -> AsyncGenerator[PykkaThreadHost]:
    """A host whose threads have all ended when this has."""
    before = set(threading.enumerate())
    host = PykkaThreadHost(hung=Hung(abandoned_max))
    try:
        yield host
    finally:
        host.close()
        host.close()
        for thread in set(threading.enumerate()) - before:
            if "trio" not in thread.name.lower():
                await trio.to_thread.run_sync(thread.join, 10.0)
                assert not thread.is_alive()


class Hanging:
    """Calls that hang until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.calls: list[str] = []

    def hang(self, name: str) -> str:
        self.calls.append(name)
        self.go.wait()
        return name

    def call(self, name: str) -> str:
        self.calls.append(name)
        return name


async def test_a_call_runs_elsewhere_and_its_result_comes_back() -> None:
    async with hosting() as host:
        here = threading.get_ident()
        there = await host.run(threading.get_ident, deadline_s=LONG_S)
        assert there != here
        assert await host.run(divmod, 7, 2, deadline_s=LONG_S) == (3, 1)
        assert await host.run(threading.get_ident, deadline_s=LONG_S) == there


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
async def test_the_error_of_a_call_is_raised_here(kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind("away")

    async with hosting() as host:
        with pytest.raises(kind, match="away"):
            await host.run(fail, deadline_s=LONG_S)
        assert await host.run(int, deadline_s=LONG_S) == 0


async def test_calls_are_made_in_order() -> None:
    hung = Hanging()
    async with hosting() as host, trio.open_nursery() as nursery:

        async def call(name: str) -> None:
            await host.run(hung.call, name, deadline_s=LONG_S)

        for name in "abcdef":
            nursery.start_soon(call, name)
            await wait_all_tasks_blocked()
    assert hung.calls == [*"abcdef"]


async def test_a_call_over_its_deadline_is_abandoned_and_the_next_gets_a_thread() -> (
    None
):
    hung = Hanging()
    async with hosting() as host:
        with pytest.raises(TimeoutError, match=r"no answer from .* within 0.02 s"):
            await host.run(hung.hang, "a", deadline_s=SOON_S)
        assert host.abandoned == 1
        assert await host.run(hung.call, "b", deadline_s=LONG_S) == "b"
        hung.go.set()
        while host.abandoned:
            await host.run(int, deadline_s=LONG_S)
        assert hung.calls == ["a", "b"]


async def test_a_call_that_waits_behind_a_hung_one_is_not_lost_with_it() -> None:
    hung = Hanging()
    results: list[str] = []
    async with hosting() as host:

        async def wait_behind() -> None:
            results.append(await host.run(hung.call, "b", deadline_s=LONG_S))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hang_until_deadline, host, hung)
            await wait_all_tasks_blocked()
            nursery.start_soon(wait_behind)
        assert results == ["b"]
        assert host.abandoned == 1
        hung.go.set()


async def hang_until_deadline(host: PykkaThreadHost, hung: Hanging) -> None:
    with pytest.raises(TimeoutError):
        await host.run(hung.hang, "a", deadline_s=SOON_S)


async def test_a_call_whose_time_is_over_before_it_began_is_never_made() -> None:
    hung = Hanging()
    async with hosting() as host:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def occupy() -> None:
                    await host.run(hung.hang, "a", deadline_s=LONG_S)

                nursery.start_soon(occupy)
                await wait_all_tasks_blocked()
                with pytest.raises(TimeoutError):
                    await host.run(hung.call, "b", deadline_s=SOON_S)
                assert host.abandoned == 0
                scope.cancel()
        # Cancelling abandons the thread, for the call may never come back.
        assert host.abandoned == 1
        hung.go.set()
    assert hung.calls == ["a"]


async def test_beyond_the_cap_no_more_threads_are_started() -> None:
    hung = Hanging()
    async with hosting(abandoned_max=2) as host:
        for _ in range(2):
            with pytest.raises(TimeoutError, match="no answer"):
                await host.run(hung.hang, "a", deadline_s=SOON_S)
        with pytest.raises(HostRefused, match="2 threads hang, and at most 2 may"):
            await host.run(hung.call, "b", deadline_s=LONG_S)
        hung.go.set()
        while host.abandoned:
            await trio.lowlevel.checkpoint()
        assert await host.run(hung.call, "c", deadline_s=LONG_S) == "c"


async def test_a_closed_host_makes_no_more_calls() -> None:
    hung = Hanging()
    async with hosting() as host, trio.open_nursery() as nursery:

        async def occupy() -> None:
            assert await host.run(hung.hang, "a", deadline_s=LONG_S) == "a"

        async def wait_behind() -> None:
            with pytest.raises(ActorError, match="closed before this call"):
                await host.run(hung.call, "b", deadline_s=LONG_S)

        nursery.start_soon(occupy)
        await wait_all_tasks_blocked()
        nursery.start_soon(wait_behind)
        await wait_all_tasks_blocked()
        host.close()
        with pytest.raises(ActorError, match="the host is closed"):
            await host.run(hung.call, "c", deadline_s=LONG_S)
        hung.go.set()
    assert hung.calls == ["a"]


def test_a_call_that_outlives_the_run_hurts_nobody() -> None:
    hung = Hanging()

    def hang() -> None:
        hung.go.wait()

    async def main() -> None:
        host = PykkaThreadHost()
        with pytest.raises(TimeoutError):
            await host.run(hang, deadline_s=SOON_S)
        host.close()

    before = set(threading.enumerate())
    trio.run(main)
    hung.go.set()
    for thread in set(threading.enumerate()) - before:
        if "trio" not in thread.name.lower():
            thread.join(10.0)
            assert not thread.is_alive()


async def test_the_inline_host_calls_at_once() -> None:
    host = InlineHost()
    assert await host.run(threading.get_ident, deadline_s=0.0) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await host.run(divmod, 1, 0, deadline_s=0.0)
