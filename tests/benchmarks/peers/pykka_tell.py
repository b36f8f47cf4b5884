"""pykka: one sender makes and tells messages to one actor until all are handled.

Hand-overs between threads are bimodal on machines with few cores; ``--one-core``
pins the process, which is the better of pykka's two modes.
"""

from __future__ import annotations

import json
import os
import sys
import time

import attrs
import pykka

MESSAGES = 200_000


@attrs.frozen
class Tick:
    """The message: four fields, frozen, as ours is."""

    symbol: str
    price: int
    size: int
    number: int


class Counter(pykka.ThreadingActor):
    """Counts what it handles, and says how many when asked."""

    def __init__(self) -> None:
        super().__init__()
        self.handled = 0

    def on_receive(self, message: object) -> int:
        if isinstance(message, Tick):
            self.handled += 1
        return self.handled


def main() -> None:
    if "--one-core" in sys.argv:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    counter = Counter.start()
    began = time.perf_counter()
    for number in range(MESSAGES):
        counter.tell(Tick("X", number, 2, number))
    handled = counter.ask("how many?")
    took_s = time.perf_counter() - began
    counter.stop()
    if handled != MESSAGES:
        sys.exit(f"handled {handled} of {MESSAGES}")
    print(json.dumps({"value": MESSAGES / took_s, "messages": handled}))


if __name__ == "__main__":
    main()
