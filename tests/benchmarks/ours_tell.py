"""Holdfast: messages, made and told by one sender, to one supervised actor."""

from __future__ import annotations

import json
import time

import attrs
import trio

from holdfast_runtime import ActorSpec, SupervisorSpec, open_engine

MESSAGES = 500_000
YIELD_EACH = 64


@attrs.frozen
class Tick:
    """The message: four fields, frozen, as the peers' is."""

    symbol: str
    price: int
    size: int
    number: int


class Counter:
    """Counts what it handles."""

    def __init__(self) -> None:
        self.handled = 0

    def handle(self, message: Tick) -> None:
        self.handled += 1


async def measure() -> float:
    counter = Counter()
    spec = SupervisorSpec(
        name="bench", children=(ActorSpec(name="counter", build=lambda _: counter),)
    )
    async with open_engine(spec) as engine:
        ref = engine.ref("bench/counter")
        began_s = time.perf_counter()
        for first in range(0, MESSAGES, YIELD_EACH):
            for number in range(first, min(first + YIELD_EACH, MESSAGES)):
                ref.tell(Tick("X", number, 2, number))
            await trio.lowlevel.checkpoint()
        while counter.handled < MESSAGES:
            await trio.lowlevel.checkpoint()
        return MESSAGES / (time.perf_counter() - began_s)


if __name__ == "__main__":
    print(json.dumps({"value": trio.run(measure), "messages": MESSAGES}))
