"""The hosts are what the ports of the domain ask for; the type checker reads this."""

from __future__ import annotations

from holdfast_domain.ports import AsyncioHost, EventHost, ThreadHost
from holdfast_runtime.threads import (
    InlineAsyncioHost,
    InlineHost,
    PykkaAsyncioHost,
    PykkaThreadHost,
)


async def seven() -> int:
    return 7


async def test_the_hosts_of_calls_fit_their_port() -> None:
    thread, inline = PykkaThreadHost(), InlineHost()
    hosts: list[ThreadHost] = [thread, inline]
    assert [await each.run(int, "7", deadline_s=60.0) for each in hosts] == [7, 7]
    thread.close()


async def test_the_hosts_of_coroutines_fit_their_port() -> None:
    loop, inline = PykkaAsyncioHost(), InlineAsyncioHost()
    hosts: list[AsyncioHost] = [loop, inline]
    assert [await each.run(seven, deadline_s=60.0) for each in hosts] == [7, 7]
    loop.close()


async def test_all_hosts_bring_events() -> None:
    thread, loop = PykkaThreadHost(), PykkaAsyncioHost()
    hosts: list[EventHost] = [thread, loop, InlineHost(), InlineAsyncioHost()]
    taken: list[int] = []
    for number, each in enumerate(hosts):
        each.events(taken.append).push(number)
    await thread.run(int, deadline_s=60.0)
    await loop.run(seven, deadline_s=60.0)
    assert sorted(taken) == [0, 1, 2, 3]
    thread.close()
    loop.close()
