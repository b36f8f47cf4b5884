"""Prints what happens to a shuffled system under all faults: ``history.py SEED``.

Its actors crash, wait, ask, record, set timers, and are parked and tried again; what
they do is thrown from the seed.
"""

from __future__ import annotations

import sys
from math import inf
from random import Random
from typing import Any

import attrs

from holdfast_runtime import (
    ActorSpec,
    AskFailed,
    AskTimeout,
    Backoff,
    Beyond,
    Context,
    MailboxClosed,
    Records,
    Strategy,
    SupervisorSpec,
)
from holdfast_runtime.testing import System

NAMES = ("one", "two", "three", "four", "five")
DISK = "top/disk"
RUMOUR_MAX = 7


@attrs.frozen
class Fact:
    """A rumour that somebody has recorded."""

    text: str

    @property
    def origin(self) -> tuple[str, str]:
        return ("record", self.text)


class Disk:
    """Makes durable in a while, and tells everybody."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    async def handle_batch(self, batch: list[Records]) -> None:
        await self.ctx.sleep(0.01 * len(batch))
        for each in batch:
            each.hold.confirm()
            for name in NAMES:
                for entry in each.entries:
                    self.ctx.ref(f"top/talk/{name}").tell(Fact(entry))

    async def handle(self, message: Records) -> None:
        await self.handle_batch([message])


class Gossip:
    """Passes each rumour on to some others, and cannot stand some of them."""

    def __init__(self, ctx: Context, random: Random) -> None:
        self.ctx = ctx
        self.random = random

    def handle(self, message: object) -> Any:
        rumour = message.text if isinstance(message, Fact) else str(message)
        if isinstance(message, Fact):
            return
        for name in self.random.sample(NAMES, 2) if len(rumour) < RUMOUR_MAX else ():
            self.ctx.ref(f"top/talk/{name}").tell(rumour + name[0])
        dice = self.random.random()
        if dice < 0.1:
            raise ValueError(rumour)
        if dice < 0.4:
            self.ctx.record(rumour)
        elif dice < 0.5 and len(rumour) < RUMOUR_MAX:
            self.ctx.after(self.random.random(), rumour + "!")


class Slow(Gossip):
    """The same, takes its time, and asks the others."""

    async def handle(self, message: object) -> Any:
        await self.ctx.sleep(self.random.random())
        if self.random.random() < 0.2:
            other = self.ctx.ref(f"top/talk/{self.random.choice(NAMES)}")
            try:
                await other.ask("??????", deadline_s=0.5)
            except (AskTimeout, AskFailed, MailboxClosed) as error:
                return super().handle(type(error).__name__[:6])
        return super().handle(message)


def tree(random: Random) -> SupervisorSpec:
    def spec(name: str) -> ActorSpec:
        make = Slow if name in {"two", "four"} else Gossip
        return ActorSpec(
            name=name, build=lambda ctx: make(ctx, random), recorder=DISK, stop_s=1.0
        )

    talk = SupervisorSpec(
        name="talk",
        strategy=Strategy.REST_FOR_ONE,
        restarts=6,
        period_s=4.0,
        beyond=Beyond.PARK,
        retry_parked_s=2.0,
        backoff=Backoff(first_s=0.1, jitter=1.0),
        children=tuple(spec(name) for name in NAMES),
    )
    disk = ActorSpec(name="disk", build=Disk)
    return SupervisorSpec(
        name="top", restarts=1_000, backoff=talk.backoff, children=(disk, talk)
    )


def main(seed: int) -> None:
    system = System(tree(Random(seed)), seed=seed)
    faults = system.faults
    faults.crash_on("top/talk/*", str, times=inf, rate=0.05, after=True)
    faults.crash_on("top/talk/three", Fact, times=2)
    faults.kill("top/talk/*", object, times=inf, rate=0.02)
    faults.pause("top/talk/*", object, for_s=0.7, times=inf, rate=0.05)
    faults.hang("top/talk/five", times=1)
    faults.slow("top/talk/three", by_s=0.05, rate=0.3)
    faults.crash_on(DISK, Records, 5)
    faults.delay("top/talk/*", by_s=0.3, times=inf, rate=0.1)
    faults.duplicate("top/talk/*", after_s=0.2, times=inf, rate=0.1)
    faults.drop("top/talk/*", times=inf, rate=0.05)
    faults.reorder("top/talk/*", times=inf, rate=0.1)
    system.start()
    for name in NAMES:
        system.ref(f"top/talk/{name}").tell(".")
    system.run(for_s=60.0)
    system.stop()
    print(system.history)
    print(faults)


if __name__ == "__main__":
    main(int(sys.argv[1]))
