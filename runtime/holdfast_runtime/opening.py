"""Opening: a live engine beside the body of an `async with`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import trio

from holdfast_runtime.live import LiveEngine
from holdfast_runtime.spec import SupervisorSpec


@asynccontextmanager
async def open_engine(
    spec: SupervisorSpec,
    *,
    seed: int = 0,
    lock_step: bool = False,
    prepare: Callable[[LiveEngine], None] | None = None,
) -> AsyncGenerator[LiveEngine]:
    """Run the tree of ``spec`` beside the body; stop it in order afterwards.

    However the body ends, cancellation included, the tree stops in order, within the
    deadlines of its specs. ``prepare`` is called with the engine before anything of
    it runs.

    Raises:
        SpecError: the spec cannot be run.
        EngineFailed: the root went beyond its limit, during the body or before.
    """
    engine = LiveEngine(spec, seed=seed, lock_step=lock_step)
    if prepare is not None:
        prepare(engine)
    failure: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(engine.run)
            try:
                yield engine
            finally:
                with trio.CancelScope(shield=True):
                    await engine.stop()
    except BaseExceptionGroup as group:
        # The nursery is hidden from the caller, so its wrapping must be too.
        if len(group.exceptions) > 1:
            raise
        failure = group.exceptions[0]
    if failure is not None:
        raise failure
