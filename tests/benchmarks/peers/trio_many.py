"""trio: 10 000 idle tasks, by mode: their memory, and how long a restart takes.

``bytes``, ``restart_one`` or ``mass_restart``. Each is a task with a channel, in a
loop that starts its body anew when it raised: nobody counts, waits or is told.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from pathlib import Path

import trio
import trio.testing

ACTORS = 10_000
RESTARTS = 2_000


def resident_bytes() -> int:
    """What is resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Idle:
    """Does nothing, and crashes on what is sent it."""

    def __init__(self) -> None:
        self.starts = 0
        self.send, self.receive = trio.open_memory_channel[object](1024)

    async def body(self) -> None:
        self.starts += 1
        async for message in self.receive:
            raise ValueError(message)

    async def run(self) -> None:
        while True:
            try:
                await self.body()
            except ValueError:
                continue


async def restart_one(idles: list[Idle]) -> float:
    """The median of many restarts, one after the other."""
    took = []
    for number in range(RESTARTS):
        idle = idles[number * 7 % ACTORS]
        starts = idle.starts
        began = time.perf_counter()
        idle.send.send_nowait("crash")
        while idle.starts == starts:
            await trio.lowlevel.checkpoint()
        took.append((time.perf_counter() - began) * 1e6)
    return statistics.median(took)


async def mass_restart(idles: list[Idle]) -> float:
    """All of them at once, per task."""
    began = time.perf_counter()
    for idle in idles:
        idle.send.send_nowait("crash")
    while not all(idle.starts == 2 for idle in idles):
        await trio.lowlevel.checkpoint()
    return (time.perf_counter() - began) / ACTORS * 1e6


async def measure(mode: str) -> float:
    """The figure of one mode."""
    gc.collect()
    before = resident_bytes()
    idles = [Idle() for _ in range(ACTORS)]
    async with trio.open_nursery() as nursery:
        for idle in idles:
            nursery.start_soon(idle.run)
        await trio.testing.wait_all_tasks_blocked()
        gc.collect()
        value = (resident_bytes() - before) / ACTORS
        if mode == "restart_one":
            value = await restart_one(idles)
        elif mode == "mass_restart":
            value = await mass_restart(idles)
        nursery.cancel_scope.cancel()
    return value


if __name__ == "__main__":
    print(json.dumps({"value": trio.run(measure, sys.argv[2]), "actors": ACTORS}))
