"""pykka: questions with a time-out to one actor, one after the other.

``--one-core`` pins the process, which is the better of pykka's two modes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time

import pykka

QUESTIONS = 10_000
WARM_UP = 1_000


class Echo(pykka.ThreadingActor):
    """Answers with what it is asked."""

    def on_receive(self, message: int) -> int:
        return message


def main() -> None:
    if "--one-core" in sys.argv:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    echo = Echo.start()
    took = []
    for number in range(QUESTIONS):
        began = time.perf_counter()
        answer = echo.ask(number, timeout=10.0)
        took.append((time.perf_counter() - began) * 1e6)
        if answer != number:
            sys.exit(f"answered {answer} to {number}")
    echo.stop()
    took = sorted(took[WARM_UP:])
    figures = {"value": statistics.median(took), "p99": took[int(len(took) * 0.99)]}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
