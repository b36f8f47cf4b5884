"""pykka: what ten times the flood costs in memory: its inbox has no bound.

The figure is how far the peak of the process's memory grew during a flood and one ten
times as long, as a multiple of how far it grew during the first.
"""

from __future__ import annotations

import json
import resource

import attrs
import pykka

FLOOD = 100_000


@attrs.frozen
class Price:
    """What is told; it weighs something."""

    number: int
    text: str


class Reader(pykka.ThreadingActor):
    """Counts what it handles."""

    def __init__(self) -> None:
        super().__init__()
        self.handled = 0

    def on_receive(self, message: object) -> int:
        self.handled += 1
        return self.handled


def peak_bytes() -> int:
    """The most that was resident at any time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def flood(ref: pykka.ActorRef, messages: int) -> None:
    """Tell as fast as one can, then wait until all is handled."""
    for number in range(messages):
        ref.tell(Price(number, f"{number:0200d}"))
    ref.ask("done?")


def main() -> None:
    ref = Reader.start()
    before = peak_bytes()
    flood(ref, FLOOD)
    once = peak_bytes() - before
    flood(ref, 10 * FLOOD)
    grown = (peak_bytes() - before) / once
    ref.stop()
    print(json.dumps({"value": grown, "once_bytes": once}))


if __name__ == "__main__":
    main()
