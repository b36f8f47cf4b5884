"""Holdfast: one call to a hosted thread and back; with ``--asyncio``, to a loop."""

from __future__ import annotations

import json
import sys
import time

import trio

from holdfast_runtime.threads import PykkaAsyncioHost, PykkaThreadHost

TRIPS = 5_000
WARM = 500
DEADLINE_S = 10.0


async def nothing() -> None:
    """What is called in the loop."""


async def measure(*, with_loop: bool) -> float:
    """Microseconds for a call there and its return here."""
    host = PykkaAsyncioHost() if with_loop else PykkaThreadHost()
    call = nothing if with_loop else int
    began_s = 0.0
    for number in range(WARM + TRIPS):
        if number == WARM:
            began_s = time.perf_counter()
        await host.run(call, deadline_s=DEADLINE_S)  # type: ignore[arg-type]
    took_s = time.perf_counter() - began_s
    host.close()
    return took_s / TRIPS * 1e6


if __name__ == "__main__":
    with_loop = "--asyncio" in sys.argv
    value = trio.run(lambda: measure(with_loop=with_loop))
    print(json.dumps({"value": value, "trips": TRIPS}))
