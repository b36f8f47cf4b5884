"""trio: questions to another task by a memory channel, answered by an event.

Each has its deadline in a cancel scope, as `trio.fail_after` gives it.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import trio

QUESTIONS = 30_000
WARM_UP = 1_000


class Question:
    """What is asked, and where the answer goes."""

    __slots__ = ("answer", "answered", "asked")

    def __init__(self, asked: int) -> None:
        self.asked = asked
        self.answer: int | None = None
        self.answered = trio.Event()


async def echo(channel: trio.MemoryReceiveChannel[Question]) -> None:
    """Answer with what is asked."""
    async for question in channel:
        question.answer = question.asked
        question.answered.set()


async def measure() -> list[float]:
    """The microseconds of each question."""
    send, receive = trio.open_memory_channel[Question](1024)
    took = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, receive)
        for number in range(QUESTIONS):
            began = time.perf_counter()
            with trio.fail_after(10.0):
                question = Question(number)
                send.send_nowait(question)
                await question.answered.wait()
            took.append((time.perf_counter() - began) * 1e6)
            if question.answer != number:
                sys.exit(f"answered {question.answer} to {number}")
        nursery.cancel_scope.cancel()
    return took[WARM_UP:]


def main() -> None:
    took = sorted(trio.run(measure))
    figures = {"value": statistics.median(took), "p99": took[int(len(took) * 0.99)]}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
