"""A thread and trio's `run_sync_soon`, and nothing else: what any bridge must cost.

With ``--asyncio`` the thread runs an asyncio loop, and the call is a coroutine.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import trio

TRIPS = 5_000
WARM = 500


def abort(_: Any) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED


async def nothing() -> None:
    """What is called in the loop."""


def start_thread(token: trio.lowlevel.TrioToken) -> Callable[[Any], None]:
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()

    call = int

    def work() -> None:
        while True:
            task = calls.get()
            call()
            token.run_sync_soon(trio.lowlevel.reschedule, task)

    threading.Thread(target=work, daemon=True).start()
    return calls.put


def start_loop(token: trio.lowlevel.TrioToken) -> Callable[[Any], None]:
    loop = asyncio.new_event_loop()

    async def trip(task: Any) -> None:
        await nothing()
        token.run_sync_soon(trio.lowlevel.reschedule, task)

    def begin(task: Any) -> None:
        running.add(made := loop.create_task(trip(task)))
        made.add_done_callback(running.discard)

    running: set[Any] = set()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return lambda task: loop.call_soon_threadsafe(begin, task)


async def measure(*, with_loop: bool) -> float:
    """Microseconds for a call there and its return here."""
    start = start_loop if with_loop else start_thread
    send = start(trio.lowlevel.current_trio_token())
    task = trio.lowlevel.current_task()
    for _ in range(WARM):
        send(task)
        await trio.lowlevel.wait_task_rescheduled(abort)
    began = time.perf_counter()
    for _ in range(TRIPS):
        send(task)
        await trio.lowlevel.wait_task_rescheduled(abort)
    return (time.perf_counter() - began) / TRIPS * 1e6


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    with_loop = "--asyncio" in sys.argv
    value = trio.run(lambda: measure(with_loop=with_loop))
    print(json.dumps({"value": value, "trips": TRIPS}))
