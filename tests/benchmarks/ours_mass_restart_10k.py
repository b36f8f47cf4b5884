"""Holdfast: 10 000 actors crash at once, until all of them are ready again."""

from __future__ import annotations

import json
import time

import trio
from many import ACTORS, FAMILY, open_many

from holdfast_runtime import Lifecycle


async def measure() -> float:
    restarted = 0
    all_ready = trio.Event()

    def told(event: Lifecycle) -> None:
        nonlocal restarted
        if event.what == "restarted":
            restarted += 1
            if restarted == ACTORS:
                all_ready.set()

    async with open_many() as engine:
        engine.on_lifecycle.append(told)
        refs = [engine.ref(f"{FAMILY}/{number}") for number in range(ACTORS)]
        began_s = time.perf_counter()
        for ref in refs:
            ref.tell("crash")
        await all_ready.wait()
        return (time.perf_counter() - began_s) / ACTORS * 1e6


if __name__ == "__main__":
    print(json.dumps({"value": trio.run(measure), "restarts": ACTORS}))
