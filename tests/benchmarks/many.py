"""What our benchmarks of 10 000 actors share: the tree, and how they are crashed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    LiveEngine,
    SupervisorSpec,
    open_engine,
)

ACTORS = 10_000
FAMILY = "bench"


class Idle:
    """Does nothing, and crashes on what is told it."""

    def handle(self, message: object) -> None:
        raise ValueError(message)


@asynccontextmanager
async def open_many() -> AsyncGenerator[LiveEngine]:
    """Run 10 000 idle actors that are restarted at once, and any number of times."""
    spec = SupervisorSpec(
        name=FAMILY,
        restarts=10 * ACTORS,
        backoff=Backoff(first_s=0.0),
        children=tuple(
            ActorSpec(name=str(number), build=lambda _: Idle())
            for number in range(ACTORS)
        ),
    )
    async with open_engine(spec) as engine:
        yield engine


async def open_none() -> None:
    """Run a tree of nothing, so that what is loaded once is loaded."""
    async with open_engine(SupervisorSpec(name=FAMILY)):
        await trio.lowlevel.checkpoint()
