"""pykka: from the kill switch to its handling, behind 300 000 queued messages.

The handlers take a tenth of a millisecond each, and there is one queue.
"""

from __future__ import annotations

import json
import threading
import time

import pykka

BACKLOG = 300_000
HANDLER_S = 1e-4


class Guard(pykka.ThreadingActor):
    """Handles orders slowly, and notes when it was told to stop."""

    def __init__(self, killed: threading.Event) -> None:
        super().__init__()
        self.killed = killed
        self.handled = 0

    def on_receive(self, message: object) -> None:
        if message == "kill":
            self.killed.set()
            return
        self.handled += 1
        until = time.perf_counter() + HANDLER_S
        while time.perf_counter() < until:
            pass


def main() -> None:
    killed = threading.Event()
    ref = Guard.start(killed)
    for number in range(BACKLOG):
        ref.tell(number)
    began = time.perf_counter()
    ref.tell("kill")
    killed.wait()
    took_ms = (time.perf_counter() - began) * 1e3
    ref.stop()
    print(json.dumps({"value": took_ms}))


if __name__ == "__main__":
    main()
