"""A service in a plain script: `run` blocks until Ctrl-C or SIGTERM, and then drains.

Run it with ``python embed_blocking.py``. The first signal stops the tree in reverse
order, so that the counter says what it has; a second one cuts, with status 128 + its
number.
"""

from __future__ import annotations

import attrs

from holdfast_runtime import ActorSpec, Context, Ref, SupervisorSpec, run

TICK_S = 0.02


@attrs.frozen
class Tick:
    """It is time."""


class Ticker:
    """Tells the counter that time passes; a timer is a message to oneself."""

    def __init__(self, context: Context, counter: Ref[Tick]) -> None:
        self._context = context
        self._counter = counter

    def start(self) -> None:
        """Set the first timer."""
        self._context.after(TICK_S, Tick())

    def handle(self, message: Tick) -> None:
        """Pass it on, and set the next timer."""
        self._counter.tell(message)
        self._context.after(TICK_S, Tick())


class Counter:
    """Counts, and says what it has when it is asked to stop."""

    def __init__(self) -> None:
        self._count = 0

    def handle(self, message: Tick) -> None:
        """Count one."""
        del message
        self._count += 1
        if self._count == 1:
            print("running; stop with Ctrl-C", flush=True)

    def stop(self) -> None:
        """Say how many there were: nothing more comes, for the ticker has stopped."""
        print("counted to the end:", self._count > 0, flush=True)


TREE = SupervisorSpec(
    name="service",
    children=(
        ActorSpec(name="counter", build=lambda _: Counter()),
        ActorSpec(
            name="ticker",
            build=lambda context: Ticker(context, context.ref("service/counter")),
        ),
    ),
)

if __name__ == "__main__":
    run(TREE)
    print("stopped in order")
