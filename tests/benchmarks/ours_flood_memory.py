"""Holdfast: what ten times the flood costs in memory, by the mailbox's policy.

An actor is flooded by one source, once and then ten times as long. The figure is
how far the peak of the process's memory grew during both, as a multiple of how far
it grew during the first: 1 is flat.
"""

from __future__ import annotations

import json
import sys

import attrs
import trio
from memory import peak_bytes

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Full,
    Lane,
    LaneSpec,
    Ref,
    SupervisorSpec,
    open_engine,
)

CAPACITY = 20_000
FLOOD = 100_000
BURST = 4 * CAPACITY
"""What is told before anybody may read: more than the mailbox takes."""


@attrs.frozen
class Price:
    """What is told; it weighs something."""

    number: int
    text: str


class Reader:
    """Counts what it handles."""

    def __init__(self) -> None:
        self.handled = 0

    def handle(self, message: Price) -> None:
        self.handled += 1


async def flood(ref: Ref[Price], messages: int, policy: Full) -> None:
    for number in range(messages):
        price = Price(number, f"{number:0200d}")
        if policy is Full.BLOCK:
            await ref.send(price)
            continue
        ref.tell(price)
        if number % BURST == BURST - 1:
            await trio.sleep(0.001)


async def measure(policy: Full) -> tuple[float, int]:
    lane = LaneSpec(
        capacity=CAPACITY,
        full=policy,
        key=(lambda price: price.number) if policy is Full.CONFLATE else None,
    )
    reader = ActorSpec(
        name="reader", build=lambda _: Reader(), lanes={Lane.EVENTS: lane}
    )
    spec = SupervisorSpec(
        name="bench",
        children=(reader,),
        restarts=10_000_000,
        backoff=Backoff(first_s=0.0),
    )
    async with open_engine(spec) as engine:
        ref = engine.ref("bench/reader")
        before = peak_bytes()
        await flood(ref, FLOOD, policy)
        once = peak_bytes() - before
        await flood(ref, 10 * FLOOD, policy)
        return (peak_bytes() - before) / once, once


if __name__ == "__main__":
    grown, once = trio.run(measure, Full(sys.argv[2]))
    print(json.dumps({"value": grown, "once_bytes": once}))
