"""An actor that computes for long, moved out of everybody's way by one line.

Run it with ``python move_an_actor.py engine``, then with ``thread``, then with
``process``: the answer is the same, and what the rest of the tree does meanwhile is
not.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import attrs
import trio

from holdfast_runtime import (
    ActorSpec,
    Context,
    LiveEngine,
    Ref,
    RunsIn,
    SupervisorSpec,
    open_engine,
)

TICK_S = 0.005


@attrs.frozen
class Count:
    """Ask how many primes there are below ``limit``."""

    limit: int


@attrs.frozen
class Counted:
    """What the mathematician tells the clerk."""

    primes: int
    pid: int


class Mathematician:
    """Computes, and knows nothing of where it does so."""

    def __init__(self, clerk: Ref[Counted]) -> None:
        self.clerk = clerk

    def handle(self, message: Count) -> int:
        """Count, tell the clerk, and answer."""
        primes = sum(1 for number in range(2, message.limit) if is_prime(number))
        self.clerk.tell(Counted(primes, os.getpid()))
        return primes


def is_prime(number: int) -> bool:
    """Tell whether ``number`` is a prime, slowly."""
    return all(number % each for each in range(2, int(number**0.5) + 1))


class Clerk:
    """Hears what was counted, and ticks meanwhile."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.ticks = 0
        self.counted: Counted | None = None
        context.after(TICK_S, "tick")

    def handle(self, message: object) -> tuple[int, Counted | None]:
        """Count the ticks until the counting is done; answer with both."""
        match message:
            case "tick" if self.counted is None:
                self.ticks += 1
                self.context.after(TICK_S, "tick")
            case Counted():
                self.counted = message
            case _:
                pass
        return self.ticks, self.counted


def build_mathematician(context: Context) -> Mathematician:
    """Make a new actor; a function of a module, for another process has to find it."""
    return Mathematician(context.ref("office/clerk"))


def tree(where: RunsIn) -> SupervisorSpec:
    """The tree: the line with ``runs_in`` is all that moves the mathematician."""
    return SupervisorSpec(
        name="office",
        children=(
            ActorSpec(name="clerk", build=Clerk),
            ActorSpec(
                name="mathematician",
                build=build_mathematician,
                runs_in=where,
            ),
        ),
    )


async def main(where: RunsIn) -> None:
    """Ask, and see what the clerk could do meanwhile."""
    async with open_engine(tree(where)) as engine:
        primes = await ask(engine, "mathematician", Count(200_000))
        ticks, counted = await ask(engine, "clerk", "how many?")
        print(f"{primes} primes, computed in the {where}")
        print("in this process:", counted.pid == os.getpid())
        print("the clerk could work meanwhile:", ticks > 1)


async def ask(engine: LiveEngine, name: str, message: object) -> Any:  # noqa: ANN401
    """Ask an actor of the office."""
    return await engine.ref(f"office/{name}").ask(message, deadline_s=60.0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["engine" | "thread" | "process" as chosen]:
            trio.run(main, chosen)
        case _:
            sys.exit("usage: python move_an_actor.py engine | thread | process")
