"""Prints the history of a shuffled system that crashes: ``history.py SEED``."""

from __future__ import annotations

import sys
from random import Random
from typing import Any

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    Lifecycle,
    SimulatedEngine,
    Strategy,
    SupervisorSpec,
)

NAMES = ("one", "two", "three", "four", "five")


class Gossip:
    """Passes each rumour on to some others, and cannot stand every seventh."""

    def __init__(self, ctx: Context, random: Random) -> None:
        self.ctx = ctx
        self.random = random

    def handle(self, rumour: str) -> Any:
        print(f"{self.ctx.now_s():.6f} {self.ctx.path} {rumour}")
        for name in self.random.sample(NAMES, 2) if len(rumour) < 8 else ():
            self.ctx.ref(f"top/{name}").tell(rumour + name[0])
        if self.random.random() < 1 / 7:
            raise ValueError(rumour)


class Slow(Gossip):
    """The same, and takes its time."""

    async def handle(self, rumour: str) -> Any:
        await self.ctx.sleep(self.random.random())
        return super().handle(rumour)


def main(seed: int) -> None:
    random = Random(seed)

    def spec(name: str) -> ActorSpec:
        make = Slow if name in {"two", "four"} else Gossip
        return ActorSpec(name=name, build=lambda ctx: make(ctx, random))

    tree = SupervisorSpec(
        name="top",
        strategy=Strategy.REST_FOR_ONE,
        restarts=10_000,
        backoff=Backoff(first_s=0.1, jitter=1.0),
        children=tuple(spec(name) for name in NAMES),
    )
    engine = SimulatedEngine(tree, seed=seed, shuffle=True)
    engine.on_lifecycle.append(told)
    engine.start()
    for name in NAMES:
        engine.ref(f"top/{name}").tell(".")
    engine.run_until_idle()
    engine.stop()


def told(event: Lifecycle) -> None:
    print(event.path, event.what, event.incarnation, event.error)


if __name__ == "__main__":
    main(int(sys.argv[1]))
