"""A tree beside a plain script: `start` runs it on a thread, and gives a handle.

Run it with ``python embed_background.py``.
"""

from __future__ import annotations

import attrs

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    Backoff,
    EngineFailed,
    SupervisorSpec,
    start,
)


@attrs.frozen
class Add:
    """Add ``amount`` to the total."""

    amount: int


@attrs.frozen
class Divide:
    """Ask for the total divided by ``by``."""

    by: int


class Total:
    """A total that lives as long as its incarnation."""

    def __init__(self) -> None:
        self._total = 0

    def handle(self, message: Add | Divide) -> int | None:
        """Add, or answer; a zero crashes this incarnation."""
        match message:
            case Add(amount):
                self._total += amount
                return None
            case Divide(by):
                return self._total // by


def tree(*, restarts: int) -> SupervisorSpec:
    """Return a tree that tolerates so many restarts."""
    return SupervisorSpec(
        name="sums",
        restarts=restarts,
        backoff=Backoff(first_s=0.01, jitter=0.0),
        children=(ActorSpec(name="total", build=lambda _: Total()),),
    )


def main() -> None:
    """Tell, ask, crash it, stop it, and see a failure arrive with its cause."""
    with start(tree(restarts=3)) as sums:
        for amount in (20, 30, 50):
            sums.tell("sums/total", Add(amount))
        print("100 / 4 =", sums.ask("sums/total", Divide(4), deadline_s=5))
        try:
            sums.ask("sums/total", Divide(0), deadline_s=5)
        except AskFailed as error:
            print("crashed:", repr(error.__cause__))
        print("after the restart:", sums.ask("sums/total", Divide(4), deadline_s=5))

    plain = start(tree(restarts=3))
    plain.tell("sums/total", Add(7))
    print("without a block: 7 / 7 =", plain.ask("sums/total", Divide(7), deadline_s=5))
    plain.stop()

    frail = start(tree(restarts=0))
    frail.tell("sums/total", Divide(0))
    try:
        frail.wait(deadline_s=5)
    except EngineFailed as error:
        print("failed:", error)


if __name__ == "__main__":
    main()
