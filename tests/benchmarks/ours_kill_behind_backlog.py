"""Holdfast: from the kill switch to its handling, behind 300 000 queued messages.

Whoever throws the switch is another task, which has to get its turn first; the
handlers of what is queued take a tenth of a millisecond each.
"""

from __future__ import annotations

import json
import time
from typing import ClassVar

import attrs
import trio

from holdfast_runtime import ActorSpec, Lane, LaneSpec, SupervisorSpec, open_engine

BACKLOG = 300_000
HANDLER_S = 1e-4
THROWN_AFTER_S = 0.2


@attrs.frozen
class Order:
    """What is queued."""

    number: int


@attrs.frozen
class Kill:
    """Overtakes all of it."""

    lane: ClassVar[Lane] = Lane.CONTROL


class Guard:
    """Handles orders slowly, and notes when it was told to stop."""

    def __init__(self) -> None:
        self.handled = 0
        self.killed_s = 0.0

    def handle(self, message: Order | Kill) -> None:
        if isinstance(message, Kill):
            self.killed_s = time.perf_counter()
            return
        self.handled += 1
        until_s = time.perf_counter() + HANDLER_S
        while time.perf_counter() < until_s:
            pass


async def measure() -> tuple[float, int]:
    guard = Guard()
    actor = ActorSpec(
        name="guard",
        build=lambda _: guard,
        lanes={Lane.EVENTS: LaneSpec(capacity=BACKLOG)},
    )
    with trio.CancelScope() as scope:
        async with open_engine(SupervisorSpec(name="bench", children=(actor,))) as e:
            ref = e.ref("bench/guard")
            for number in range(BACKLOG):
                ref.tell(Order(number))
            due_s = time.perf_counter() + THROWN_AFTER_S
            await trio.sleep(THROWN_AFTER_S)
            ref.tell(Kill())
            while not guard.killed_s:
                await trio.lowlevel.checkpoint()
            scope.cancel()
    return (guard.killed_s - due_s) * 1e3, guard.handled


if __name__ == "__main__":
    took_ms, handled = trio.run(measure)
    assert handled < BACKLOG
    print(json.dumps({"value": took_ms, "handled_before": handled}))
