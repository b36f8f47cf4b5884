"""The live engine: real time, real I/O, on trio.

An asynchronous actor, or one with a `run` of its own, has a trio task. Synchronous
actors need none: one pump calls them, each for a batch of its messages. A chain of
them (strategy, guard, orders, journal) then costs calls and not wake-ups.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random  # noqa: TID251 - the caller's seed comes in here
from typing import Any

import trio

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import ActorError, EngineFailed, Killed
from holdfast_runtime.driving import Driven
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.timers import Timer
from holdfast_runtime.messages import Stop, take
from holdfast_runtime.refs import Ref
from holdfast_runtime.spec import SupervisorSpec

BATCH = 64
"""Messages that an actor reads before the others get a turn."""

RUNNING = State.RUNNING


class LiveBell:
    """A bell of the live engine; cheaper than an event with a cancel scope."""

    __slots__ = ("_engine", "_rung", "_task")

    def __init__(self, engine: LiveEngine) -> None:
        self._engine = engine
        self._rung = False
        self._task: trio.lowlevel.Task | None = None

    def ring(self) -> None:
        """Wake the waiter, or the next one that comes."""
        self._rung = True
        self._wake()

    async def wait(self, until_s: float | None = None) -> bool:
        """Return True once rung, or False when the engine's clock is at ``until_s``."""
        if self._rung:
            self._rung = False
            await trio.lowlevel.checkpoint_if_cancelled()
            return True
        timer = None
        if until_s is not None:
            timer = self._engine.call_later(until_s - self._engine.now_s(), self._wake)
        self._task = trio.lowlevel.current_task()

        def abort(_: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        try:
            await trio.lowlevel.wait_task_rescheduled(abort)
        finally:
            if timer is not None:
                timer.cancel()
        rung, self._rung = self._rung, False
        return rung

    def _wake(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)


class LiveEngine(Kernel):
    """Runs a tree on trio. Made by `open_engine`; all its methods are for trio's thread.

    `tell_from_thread` is the exception.
    """

    def __init__(
        self, spec: SupervisorSpec, *, seed: int = 0, lock_step: bool = False
    ) -> None:
        self._nursery: trio.Nursery | None = None
        self._token = trio.lowlevel.current_trio_token()
        self._ended = trio.Event()
        self._timers_changed = trio.Event()
        self._ready: deque[Cell] = deque()
        self._pump_parked: trio.lowlevel.Task | None = None
        super().__init__(spec, lock_step=lock_step, random=Random(seed))

    # --- for users -----------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run the tree until its root ends; ready when the whole tree is up.

        Raises:
            EngineFailed: the root went beyond its limit of restarts.
        """
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._run_timers)
            nursery.start_soon(self._pump)
            self.root.begin()
            await self._until_up()
            task_status.started()
            await self._ended.wait()
            nursery.cancel_scope.cancel()
        if self.root.state is State.CRASHED:
            raise self.root.error or EngineFailed(self.root.path)

    async def stop(self) -> None:
        """Stop the tree in reverse order, each actor with its deadline."""
        self.root.request_stop()
        await self._ended.wait()

    async def wait_ended(self) -> None:
        """Wait until the root has stopped or given up."""
        await self._ended.wait()

    def tell_from_thread(self, ref: Ref[Any], message: object) -> None:
        """Tell from any thread; raises `trio.RunFinishedError` after the end."""
        self._token.run_sync_soon(ref.tell, message)

    async def _until_up(self) -> None:
        while self.unsettled and not self._ended.is_set():
            await self.root.up.wait()

    # --- what the kernel asks for --------------------------------------------

    def now_s(self) -> float:
        """Return trio's clock."""
        return trio.current_time()

    def new_bell(self) -> LiveBell:
        """Return a bell of this engine."""
        return LiveBell(self)

    def wake(self, cell: Cell) -> None:
        """See to it that ``cell`` reads its mailbox: its own task, or the pump."""
        if cell.scope is not None:
            task = cell.task
            if task is not None:
                cell.task = None
                trio.lowlevel.reschedule(task)
        elif not cell.queued and cell.state is RUNNING:
            cell.queued = True
            self._ready.append(cell)
            pump = self._pump_parked
            if pump is not None:
                self._pump_parked = None
                trio.lowlevel.reschedule(pump)

    def start_cell(self, cell: Cell) -> None:
        """Start a task for a new incarnation of ``cell``."""
        self.nursery.start_soon(self._live, cell)

    def cut_cell(self, cell: Cell) -> None:
        """Cancel the incarnation of ``cell``, whatever it waits for."""
        self.kill(cell, Killed(f"{cell.path} did not stop in time"))

    def kill(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, between two messages."""
        if cell.scope is not None:
            if cell.kill_error is None:
                cell.kill_error = error
                cell.life += 1
                cell.scope.cancel()
        elif cell.state is RUNNING:
            self.died(cell, error)

    def run_task(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine of the runtime in a task of its own."""
        self.nursery.start_soon(_await, task)

    def timer_added(self, timer: Timer) -> None:
        """Wake the task of the timers if ``timer`` is the first that is due."""
        if self.timers[0][2] is timer:
            self._timers_changed.set()

    def root_ended(self) -> None:
        """Let `run` return."""
        self._ended.set()

    @property
    def nursery(self) -> trio.Nursery:
        """Where all incarnations run; there is one while `run` runs."""
        if self._nursery is None:
            message = "the engine does not run"
            raise ActorError(message)
        return self._nursery

    async def _run_timers(self) -> None:
        while True:
            self._timers_changed = trio.Event()
            at_s = self.timers[0][0] if self.timers else float("inf")
            with trio.move_on_at(at_s):
                await self._timers_changed.wait()
            now_s = self.now_s()
            while self.timers and self.timers[0][0] <= now_s:
                timer = heapq.heappop(self.timers)[2]
                if timer.call is not None:
                    timer.call()

    # --- the pump ------------------------------------------------------------

    async def _pump(self) -> None:
        """Call synchronous actors that have mail, in turn, a batch at a time."""
        ready = self._ready
        while True:
            left = BATCH
            while ready and left > 0:
                cell = ready.popleft()
                cell.queued = False
                left -= self._read_some(cell)
            if ready:
                await trio.lowlevel.checkpoint()
            else:
                self._pump_parked = trio.lowlevel.current_task()
                await trio.lowlevel.wait_task_rescheduled(self._abort_pump)

    def _abort_pump(self, _: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
        self._pump_parked = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _read_some(self, cell: Cell) -> int:
        """Let ``cell`` handle a batch of its messages; return how many it was."""
        mailbox, handle = cell.mailbox, self.handle
        for count in range(BATCH):
            if not mailbox.size or cell.stalls or cell.state is not RUNNING:
                return count
            handle(cell, mailbox.pop())
        self.wake(cell)
        return BATCH

    def stop_cell(self, cell: Cell) -> None:
        """Ask the actor of ``cell`` to end, before all that waits."""
        if cell.scope is None:
            self._end(cell)
        else:
            super().stop_cell(cell)

    def _end(self, cell: Cell) -> None:
        """End an actor that the pump calls; in a task if it has something to do."""
        if hasattr(cell.actor, "stop"):
            self.nursery.start_soon(self._end_in_task, cell)
            cell.scope = trio.CancelScope()
        else:
            self.exited(cell)

    async def _end_in_task(self, cell: Cell) -> None:
        error: Exception | None = None
        with cell.scope as scope:
            try:
                await self._stop_hook(cell)
            except Exception as raised:  # noqa: BLE001 - an end like any other
                error = raised
        cell.scope = None
        if scope.cancelled_caught:
            error = cell.kill_error or Killed(f"{cell.path} was cancelled")
        if error is not None:
            self.died(cell, error)
        else:
            self.exited(cell)

    # --- one incarnation -----------------------------------------------------

    async def _live(self, cell: Cell) -> None:
        """Build and start one incarnation; serve and stop it if it has a task."""
        error: Exception | None = None
        with trio.CancelScope() as scope:
            cell.scope = scope
            try:
                await self._start(cell)
                if not cell.is_async and not hasattr(cell.actor, "run"):
                    self._hand_to_pump(cell)
                    return
                await self._serve_beside_run(cell)
                await self._stop_hook(cell)
            except Exception as raised:  # noqa: BLE001 - its supervisor decides
                error = raised
        cell.scope, cell.task = None, None
        if scope.cancelled_caught:
            error = cell.kill_error or Killed(f"{cell.path} was cancelled")
        if error is not None:
            self.died(cell, error)
        else:
            self.exited(cell)
            self.done()

    def _hand_to_pump(self, cell: Cell) -> None:
        """Let the pump call this actor from now on."""
        cell.scope = None
        if cell.state is State.STOPPING:
            # It was asked to stop while it started; the request waits in its mailbox.
            cell.mailbox.take_out(Stop)
            self.done()
            self._end(cell)
        elif cell.mailbox.size:
            self.wake(cell)

    async def _start(self, cell: Cell) -> None:
        while cell.holds:
            bell = self.new_bell()
            cell.settled.append(bell)
            await bell.wait()
        result = self.build(cell)
        if result is not None:
            await Driven(self, cell, result)
        self.started(cell)

    async def _serve_beside_run(self, cell: Cell) -> None:
        run = getattr(cell.actor, "run", None)
        if run is None:
            await self._serve(cell)
            return
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run)
                await self._serve(cell)
                nursery.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise _first(group) from group

    async def _serve(self, cell: Cell) -> None:
        """Handle messages until a `Stop`; raises what the handler raises."""
        mailbox = cell.mailbox
        while True:
            if not mailbox.size or cell.stalls:
                await self._park(cell)
                continue
            messages = take(cell)
            if type(messages[0]) is Stop:
                return
            cell.in_hand = tuple(messages)
            await self.handle_async(cell, messages)
            cell.in_hand = ()
            self.after_async(cell, messages)
            if mailbox.size:
                await trio.lowlevel.checkpoint()

    @staticmethod
    async def _park(cell: Cell) -> None:
        cell.task = trio.lowlevel.current_task()

        def abort(_: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
            cell.task = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    async def _stop_hook(self, cell: Cell) -> None:
        stop = getattr(cell.actor, "stop", None)
        result = stop() if stop is not None else None
        if result is not None:
            await Driven(self, cell, result)
        self.release(cell)


async def _await(task: Coroutine[Any, Any, None]) -> None:
    await task


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


@asynccontextmanager
async def open_engine(
    spec: SupervisorSpec,
    *,
    seed: int = 0,
    lock_step: bool = False,
    prepare: Callable[[LiveEngine], None] | None = None,
) -> AsyncGenerator[LiveEngine]:
    """Run the tree of ``spec`` beside the body; stop it in order afterwards.

    ``prepare`` is called with the engine before anything of it runs.

    Raises:
        SpecError: the spec cannot be run.
        EngineFailed: the root went beyond its limit, during the body or before.
    """
    engine = LiveEngine(spec, seed=seed, lock_step=lock_step)
    if prepare is not None:
        prepare(engine)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(engine.run)
            yield engine
            with trio.CancelScope(shield=True):
                await engine.stop()
    except BaseExceptionGroup as group:
        # The nursery is hidden from the caller, so its wrapping must be too.
        raise _first(group) from None
