"""Incarnations on the live engine: how they start, serve and end.

What waits for nothing starts and ends where its family decides so, by calls; what may
wait has a task for it, and a scope that cuts it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from holdfast_runtime.cell import Cell
from holdfast_runtime.driving import is_coroutine
from holdfast_runtime.messages import Stop, take
from holdfast_runtime.sides import Work

if TYPE_CHECKING:
    from holdfast_runtime.live import LiveEngine

Phase = Callable[[], Awaitable[None]]


class Incarnations:
    """Starts and ends the actors of a live engine."""

    def __init__(self, engine: LiveEngine) -> None:
        self._engine = engine
        self.turning: Cell | None = None
        """Whose incarnation starts or ends just now, without a task."""

    def start(self, cell: Cell) -> None:
        """Start an incarnation of ``cell``, at once if nothing in it waits."""
        engine = self._engine
        if cell.holds or cell.spec.runs_in != "engine":
            self._spawn(cell, partial(engine.start_actor, cell))
            return
        before, self.turning = self.turning, cell
        error: Exception | None = None
        started: Any = None
        try:
            started = engine.begin_start(cell, engine.build(cell))
            if is_coroutine(started) or not _is_for_pump(cell):
                self._spawn(cell, partial(engine.end_start, cell, started))
                return
            engine.release(cell)
            if cell.kill_error is None:
                engine.is_up(cell)
        except Exception as raised:  # noqa: BLE001 - its supervisor decides
            error = raised
        finally:
            self.turning = before
        error = cell.kill_error or error
        if error is not None:
            engine.died(cell, error)
        elif cell.mailbox.size:
            engine.wake(cell)

    def stop(self, cell: Cell) -> None:
        """End an incarnation that has no task, at once if nothing in it waits."""
        engine = self._engine
        if engine.current is not None or cell.spec.recorder is not None:
            self._spawn(cell, None)
            return
        before, self.turning = self.turning, cell
        error: Exception | None = None
        try:
            stopped = engine.begin_stop(cell)
            if is_coroutine(stopped):
                self._spawn(cell, None, partial(engine.end_stop, cell, stopped))
                return
            engine.release(cell)
        except Exception as raised:  # noqa: BLE001 - its supervisor decides
            error = raised
        finally:
            self.turning = before
        self._end(cell, cell.kill_error or error)

    # --- in a task -----------------------------------------------------------

    def _spawn(
        self, cell: Cell, start: Phase | None, stop: Phase | None = None
    ) -> None:
        cell.scope = trio.CancelScope()
        self._engine.nursery.start_soon(self._live, cell, start, stop)

    async def _live(self, cell: Cell, start: Phase | None, stop: Phase | None) -> None:
        """Run one incarnation; of a synchronous actor, only its start or its end."""
        error: Exception | None = None
        try:
            with cell.scope:
                if start is not None:
                    await start()
                    if _is_for_pump(cell):
                        cell.scope = None
                        self._engine.wake(cell)
                        return
                    await self._serve_beside_run(cell)
                await (stop or partial(self._engine.stop_actor, cell))()
        except Exception as raised:  # noqa: BLE001 - its supervisor decides
            error = raised
        cancelled = cell.scope.cancelled_caught
        cell.scope, cell.task = None, None
        if cancelled or (error is not None and cell.kill_error is not None):
            error = cell.kill_error
        self._end(cell, error)

    def _end(self, cell: Cell, error: Exception | None) -> None:
        if error is not None:
            self._engine.died(cell, error)
        else:
            self._engine.exited(cell)

    async def _serve_beside_run(self, cell: Cell) -> None:
        run = getattr(cell.actor, "run", None)
        if run is None and cell.sides is None:
            await self._serve(cell)
            return

        async def service() -> None:
            try:
                if run is not None:
                    await run()
            except Exception as error:  # noqa: BLE001 - its supervisor decides
                self._engine.kill(cell, error)

        crash: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(service)
            if cell.sides is not None:
                cell.sides.start = partial(_start_side, nursery)
            try:
                await self._serve(cell)
                if cell.sides is not None:
                    await cell.sides.ended()
            except Exception as error:  # noqa: BLE001 - raised when `run` has ended
                crash = error
            if cell.sides is not None:
                cell.sides.close()
            nursery.cancel_scope.cancel()
        if crash is not None:
            raise crash

    async def _serve(self, cell: Cell) -> None:
        """Handle messages until the incarnation is stopped; raises what crashed it."""
        mailbox = cell.mailbox
        while not cell.interrupted:
            if not mailbox.size or cell.stalls:
                await _park(cell)
            else:
                await self._read(cell)
        if cell.kill_error is not None:
            raise cell.kill_error

    async def _read(self, cell: Cell) -> None:
        """Let the actor handle a message, or a batch of them if it takes batches."""
        engine = self._engine
        messages = take(cell)
        if type(messages[0]) is Stop:
            engine.ends_by_itself(cell)
            return
        cell.in_hand = tuple(messages)
        await engine.handle_async(cell, messages)
        if cell.kill_error is not None:
            raise cell.kill_error
        engine.after(cell)
        if cell.mailbox.size:
            await trio.lowlevel.checkpoint()


def _is_for_pump(cell: Cell) -> bool:
    return not (cell.is_async or cell.interrupted or hasattr(cell.actor, "run"))


def _start_side(nursery: trio.Nursery, work: Work) -> Callable[[], None]:
    scope = trio.CancelScope()

    async def side() -> None:
        with scope:
            await work

    nursery.start_soon(side)
    return scope.cancel


async def _park(cell: Cell) -> None:
    cell.task = trio.lowlevel.current_task()

    def abort(_: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
        cell.task = None
        return trio.lowlevel.Abort.SUCCEEDED

    await trio.lowlevel.wait_task_rescheduled(abort)
