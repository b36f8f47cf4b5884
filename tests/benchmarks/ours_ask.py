"""Holdfast: questions with a deadline to one supervised actor, one after the other."""

from __future__ import annotations

import json
import statistics
import time

import trio

from holdfast_runtime import ActorSpec, SupervisorSpec, open_engine

QUESTIONS = 30_000
WARM_UP = 1_000


class Echo:
    """Answers with what it is asked."""

    def handle(self, message: int) -> int:
        return message


async def measure() -> list[float]:
    spec = SupervisorSpec(
        name="bench", children=(ActorSpec(name="echo", build=lambda _: Echo()),)
    )
    took_us = []
    async with open_engine(spec) as engine:
        ref = engine.ref("bench/echo")
        for number in range(QUESTIONS):
            began_s = time.perf_counter()
            answer = await ref.ask(number, deadline_s=10.0)
            took_us.append((time.perf_counter() - began_s) * 1e6)
            assert answer == number
    return took_us[WARM_UP:]


if __name__ == "__main__":
    took = sorted(trio.run(measure))
    figures = {"value": statistics.median(took), "p99": took[int(len(took) * 0.99)]}
    print(json.dumps(figures))
