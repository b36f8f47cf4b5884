"""Opening: a live engine beside the body of an `async with`, or of a blocking call."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TypeVar

import trio

from holdfast_runtime.cell import State
from holdfast_runtime.live import LiveEngine
from holdfast_runtime.signals import Signals
from holdfast_runtime.spec import SupervisorSpec

T = TypeVar("T")


@asynccontextmanager
async def open_engine(
    spec: SupervisorSpec,
    *,
    seed: int = 0,
    lock_step: bool = False,
    prepare: Callable[[LiveEngine], None] | None = None,
    signals: Signals | None = None,
) -> AsyncGenerator[LiveEngine]:
    """Run the tree of ``spec`` beside the body; stop it in order afterwards.

    However the body ends, cancellation included, the tree stops in order, within the
    deadlines of its specs. ``prepare`` is called with the engine before anything of
    it runs. With ``signals``, on the main thread, the first SIGINT or SIGTERM cancels
    the body, so that the tree stops in order and the program goes on after the block;
    the second cuts.

    Raises:
        SpecError: the spec cannot be run.
        EngineFailed: the root went beyond its limit, during the body or before.
        SystemExit: a second signal came.
    """
    engine = LiveEngine(spec, seed=seed, lock_step=lock_step)
    if prepare is not None:
        prepare(engine)
    body = trio.CancelScope()
    failure: BaseException | None = None
    with _heeding(signals, engine, body):
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(engine.run)
                try:
                    with body:
                        yield engine
                finally:
                    with trio.CancelScope(shield=True):
                        await engine.stop()
        except BaseExceptionGroup as group:
            # The nursery is hidden from the caller, so its wrapping must be too.
            failure = group if len(group.exceptions) > 1 else group.exceptions[0]
    if failure is not None:
        raise failure


def _heeding(
    signals: Signals | None, engine: LiveEngine, body: trio.CancelScope
) -> AbstractContextManager[None]:
    if signals is None:
        return nullcontext()
    token = trio.lowlevel.current_trio_token()

    def drain() -> None:
        body.cancel()
        if engine.root.incarnation == 0:
            token.run_sync_soon(drain)
        elif engine.root.state is State.STARTING:
            engine.root.request_stop()

    return signals.heeded(drain, engine.cut)


def run(
    spec: SupervisorSpec,
    body: Callable[[LiveEngine], Awaitable[T]] | None = None,
    *,
    seed: int = 0,
    lock_step: bool = False,
    prepare: Callable[[LiveEngine], None] | None = None,
) -> T | None:
    """Run the tree of ``spec``, and block until it has ended; for plain scripts.

    With ``body``, an asynchronous function of the engine, the tree runs until that
    returns, and its value is returned. Without one it runs until a signal comes. On
    the main thread the first SIGINT or SIGTERM cancels the body and stops the tree in
    order; `run` then returns None. The second one cuts. Other threads take no signals.

    Raises:
        SpecError: the spec cannot be run.
        EngineFailed: the root went beyond its limit.
        SystemExit: a second signal came; the status is 128 + its number.
    """
    is_main = threading.current_thread() is threading.main_thread()
    signals = Signals() if is_main else None

    async def main() -> T | None:
        value = None
        async with open_engine(
            spec, seed=seed, lock_step=lock_step, prepare=prepare, signals=signals
        ) as engine:
            if body is None:
                await engine.wait_ended()
            else:
                value = await body(engine)
        return value

    with signals or nullcontext():
        return trio.run(main)
