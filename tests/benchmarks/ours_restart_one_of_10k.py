"""Holdfast: one crashes among 10 000, until its next incarnation is ready."""

from __future__ import annotations

import json
import statistics
import time

import trio
from many import ACTORS, FAMILY, open_many

from holdfast_runtime import Lifecycle

CRASHES = 2_000


async def measure() -> list[float]:
    ready = [trio.Event()]

    def told(event: Lifecycle) -> None:
        if event.what == "restarted":
            ready[0].set()

    took_us = []
    async with open_many() as engine:
        engine.on_lifecycle.append(told)
        for number in range(CRASHES):
            ref = engine.ref(f"{FAMILY}/{number * 7 % ACTORS}")
            ready[0] = trio.Event()
            began_s = time.perf_counter()
            ref.tell("crash")
            await ready[0].wait()
            took_us.append((time.perf_counter() - began_s) * 1e6)
    return took_us


if __name__ == "__main__":
    took = trio.run(measure)
    print(json.dumps({"value": statistics.median(took), "restarts": len(took)}))
