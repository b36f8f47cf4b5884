"""trio: one task makes and sends messages through a memory channel to another."""

from __future__ import annotations

import json
import sys
import time

import attrs
import trio

MESSAGES = 200_000
CAPACITY = 1024


@attrs.frozen
class Tick:
    """The message: four fields, frozen, as ours is."""

    symbol: str
    price: int
    size: int
    number: int


async def produce(channel: trio.MemorySendChannel[Tick]) -> None:
    """Send, blocking when the channel is full, then close it."""
    async with channel:
        for number in range(MESSAGES):
            await channel.send(Tick("X", number, 2, number))


async def exchange() -> tuple[int, float]:
    """How many messages came, and the seconds that they took."""
    send, receive = trio.open_memory_channel[Tick](CAPACITY)
    handled = 0
    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce, send)
        async for _ in receive:
            handled += 1
    return handled, time.perf_counter() - began


def main() -> None:
    handled, took_s = trio.run(exchange)
    if handled != MESSAGES:
        sys.exit(f"handled {handled} of {MESSAGES}")
    print(json.dumps({"value": MESSAGES / took_s, "messages": handled}))


if __name__ == "__main__":
    main()
