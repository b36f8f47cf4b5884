"""Holdfast: what ten times the flood costs in memory, by the mailbox's policy.

An actor is flooded by one source, once and then ten times as long. The figure is
how far the peak of the process's memory grew during both, as a multiple of how far
it grew during the first: 1 is flat. A flood is several bursts, each of more than the
mailbox takes, so that the first one has all of what a policy keeps: a mailbox that is
full, what was dropped, an actor that crashed and came back, and dead letters up to
their limit.
"""

from __future__ import annotations

import json
import sys

import attrs
import trio
from memory import forget_peak, peak_bytes

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
from holdfast_runtime.tree import snapshot

CAPACITY = 10_000
BURST = 2 * CAPACITY
"""What is told before anybody may read: more than the mailbox takes."""

BURSTS = 5


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


async def flood(ref: Ref[Price], bursts: int, policy: Full) -> None:
    for _ in range(bursts):
        for number in range(BURST):
            price = Price(number, f"{number:0200d}")
            if policy is Full.BLOCK:
                await ref.send(price)
            else:
                ref.tell(price)
        await trio.sleep(0.001)


async def measure(policy: Full) -> dict[str, float]:
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
        forget_peak()
        before = peak_bytes()
        await flood(ref, BURSTS, policy)
        once = peak_bytes() - before
        await flood(ref, 10 * BURSTS, policy)
        reader_seen = snapshot(engine).children[0]
        return {
            "value": (peak_bytes() - before) / once,
            "once_bytes": once,
            "dropped": reader_seen.dropped,
            "restarts": reader_seen.restarts,
        }


if __name__ == "__main__":
    print(json.dumps(trio.run(measure, Full(sys.argv[2]))))
