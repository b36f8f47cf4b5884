"""The live engine: real time, real I/O, on trio.

An asynchronous actor, or one with a `run` of its own, has a trio task. Synchronous
actors need none: one pump calls them, each for a batch of its messages. A chain of
them (strategy, guard, orders, journal) then costs calls and not wake-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from math import inf
from random import Random  # noqa: TID251 - the caller's seed comes in here
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from holdfast_runtime.bridge import Bridge
from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import (
    ActorError,
    EngineFailed,
    EngineStopped,
    Killed,
    MailboxClosed,
    MailboxFull,
    UnknownMessage,
)
from holdfast_runtime.incarnations import Incarnations
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.livebell import LiveBell
from holdfast_runtime.messages import Answer, Asked
from holdfast_runtime.moving.moved import Place
from holdfast_runtime.moving.places import OwnThread
from holdfast_runtime.moving.process import OwnProcess
from holdfast_runtime.pump import Pump
from holdfast_runtime.refs import Ref
from holdfast_runtime.spec import SupervisorSpec
from holdfast_runtime.timers import Timer, overdue

if TYPE_CHECKING:
    from holdfast_runtime.family import Family
    from holdfast_runtime.threads.hangs import Hang, HangWatch

WAITING = 65_536
"""Calls from other threads that may wait before `tell_from_thread` refuses."""

T = TypeVar("T")
RUNNING = State.RUNNING


class LiveEngine(Kernel):
    """Runs a tree on trio. Made by `open_engine`; its methods are for trio's thread.

    `tell_from_thread` is the exception.
    """

    def __init__(
        self, spec: SupervisorSpec, *, seed: int = 0, lock_step: bool = False
    ) -> None:
        self._nursery: trio.Nursery | None = None
        self.bridge = Bridge()
        """Makes calls on the engine's thread, for other threads."""

        self._ended = trio.Event()
        self._sooner = trio.Event()
        self._sleeps_until_s = inf
        self._pump = Pump(self)
        self._incarnations = Incarnations(self)
        self.scope = trio.CancelScope()
        """All that runs; shielded once the tree is up, so that it stops in order."""

        self._hang_watch: HangWatch | None = None
        self.on_hang: list[Callable[[Hang], None]] = []
        """Told while a synchronous handler is over its budget and has not returned.

        On a thread of its own, for trio's hangs: it may log, kill the process, or
        dump, but touch nothing of the engine. Without any it is logged as a warning.
        """

        super().__init__(spec, lock_step=lock_step, random=Random(seed))
        self._clock = trio.lowlevel.current_clock()

    # --- for users -----------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run the tree until its root ends; ready when the whole tree is up.

        Raises:
            EngineFailed: the root went beyond its limit of restarts.
        """
        failure: BaseException | None = None
        try:
            with self.scope:
                await self._run(task_status)
        except BaseExceptionGroup as group:
            failure = _gravest(group)
        finally:
            # An order to exit has ended them all where they stood.
            for cell in reversed(self.cells.values()):
                self.clear(cell)
                # An order to exit ends those who wait for an answer as well.
                if failure is None and not cell.closed:
                    self._abandon(cell)
            self._ended.set()
            if self._hang_watch is not None:
                self._hang_watch.close()
        if failure is not None:
            # Raised out here, so that it keeps its cause.
            raise failure
        if self.root.state is State.CRASHED:
            raise self.root.error or EngineFailed(self.root.path)

    def _abandon(self, cell: Cell) -> None:
        """Close the mailbox of an actor that was cut; nobody waits for its answers."""
        cell.closed = True
        cell.shut()
        in_hand = [each for each in cell.in_hand if type(each) is Asked]
        cell.outbox.extend((None, Answer(asked, None)) for asked in in_hand)
        self.silence(cell, EngineStopped(self.root.path))
        for message in cell.mailbox:
            if type(message) is Asked:
                message.answer(None, MailboxClosed(cell.path, message.message))

    async def _run(self, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._run_timers)
            nursery.start_soon(self._pump.run)
            self.root.begin()
            while self.root.state is State.STARTING:
                await self.root.up.wait()
            if self.root.state is not State.CRASHED:
                task_status.started()
                self.scope.shield = True
            await self._ended.wait()
            nursery.cancel_scope.cancel()

    async def stop(self) -> None:
        """Stop the tree in reverse order, each actor with its deadline."""
        if not self._ended.is_set():
            self.root.request_stop()
        await self._ended.wait()

    def cut(self) -> None:
        """End the whole tree where it stands; no actor is asked to stop."""
        self.scope.cancel()

    async def wait_ended(self) -> None:
        """Wait until the root has stopped or given up."""
        await self._ended.wait()

    def tell_from_thread(self, ref: Ref[Any], message: object) -> None:
        """Tell from any thread; never blocks.

        There is nobody to stall: what finds a full lane, or a reader that takes no such
        messages, becomes a dead letter. From one thread to one receiver, in one lane,
        order is kept.

        Raises:
            MailboxFull: the engine's thread is `WAITING` calls behind.
            EngineStopped: the engine's trio run is over.
            Unpicklable: the actor runs in a process, and ``message`` cannot get there.
        """
        ref.check(message)
        if len(self.bridge) >= WAITING:
            raise MailboxFull(ref.path, "of calls from threads", message)
        try:
            self.bridge.send(self._tell_or_bury, self.cells[ref.path], message)
        except trio.RunFinishedError:
            raise EngineStopped(self.root.path) from None

    def _tell_or_bury(self, cell: Cell, message: object) -> None:
        try:
            self.tell(cell, message)
        except (MailboxClosed, MailboxFull, UnknownMessage) as error:
            self.bury(cell, message, str(error))

    # --- what the kernel asks for --------------------------------------------

    def now_s(self) -> float:
        """Return trio's clock."""
        # What `trio.current_time` does, in half the calls.
        return self._clock.current_time()

    def new_bell(self) -> LiveBell:
        """Return a bell of this engine."""
        return LiveBell(self)

    async def within(self, delay_s: float, request: Coroutine[Any, Any, T]) -> T:
        """Return what ``request`` returns; cancel it after ``delay_s``."""
        with trio.move_on_after(delay_s):
            return await request
        raise overdue(delay_s)

    def wake(self, cell: Cell) -> None:
        """See to it that ``cell`` reads its mailbox: its own task, or the pump."""
        if cell.scope is None:
            if cell.state is RUNNING and not cell.queued:
                cell.queued, pump = True, self._pump
                pump.ready.append(cell)
                if pump.parked is not None:
                    pump.rouse()
        elif (task := cell.task) is not None:
            cell.task = None
            trio.lowlevel.reschedule(task)

    def bring(self, cell: Cell, message: object) -> bool:
        """Deliver what a source sends, and call synchronous actors at once."""
        return self._pump.bring(cell, message)

    def ring_family(self, child: Cell | Family) -> None:
        """Tell the family of ``child`` to look; at once, if the pump is at it."""
        family = child.family
        if child is self._pump.reading:
            self._pump.ended_reading = True
        elif family is not None and not family.mends:
            family.bell.ring()

    def resume(self, cell: Cell) -> None:
        """Let ``cell`` read on; or end it, if that was asked for."""
        if cell.scope is None and cell.state is State.STOPPING:
            self._incarnations.stop(cell)
        else:
            self.wake(cell)

    def start_cell(self, cell: Cell) -> None:
        """Start an incarnation of ``cell``: at once, or in a task if it waits."""
        self._incarnations.start(cell)

    async def breathe(self) -> None:
        """Let trio run its other tasks."""
        await trio.lowlevel.checkpoint()

    def place(self, cell: Cell) -> Place:
        """Return the thread or process in which the actor of ``cell`` computes."""
        return OwnThread(cell) if cell.spec.runs_in == "thread" else OwnProcess(cell)

    def cut_cell(self, cell: Cell) -> None:
        """Cancel the incarnation of ``cell``, whatever it waits for."""
        self.kill(cell, Killed(f"{cell.path} did not stop in time"))

    def kill(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, between two messages.

        What it says from now on does not leave.
        """
        if cell.scope is not None:
            self._mark_killed(cell, error)
            cell.scope.cancel()
        elif cell is self._pump.reading or cell is self._incarnations.turning:
            self._mark_killed(cell, error)
        elif cell.state is RUNNING:
            cell.kill_error = error
            self.died(cell, error)

    @staticmethod
    def _mark_killed(cell: Cell, error: Exception) -> None:
        if cell.kill_error is None:
            cell.kill_error = error
            cell.life += 1
        cell.interrupted = True

    def watch_hangs(self, budget_s: float) -> HangWatch:
        """Return the thread that sees this one hang; it looks often enough."""
        from holdfast_runtime.threads.hangs import HangWatch  # noqa: PLC0415 - for few

        if self._hang_watch is None:
            self._hang_watch = HangWatch(self.on_hang)
        self._hang_watch.look_for(budget_s)
        return self._hang_watch

    def run_task(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine of the runtime in a task of its own."""
        self.nursery.start_soon(_await, task)

    def timer_added(self, timer: Timer) -> None:
        """Wake the task of the timers if it would sleep too long."""
        if timer.at_s < self._sleeps_until_s:
            self._sooner.set()

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
        timers = self.timers
        while True:
            self._sooner = trio.Event()
            first_s = timers.first_s()
            self._sleeps_until_s = inf if first_s is None else first_s
            with trio.move_on_at(self._sleeps_until_s):
                await self._sooner.wait()
            now_s = self.now_s()
            while (first_s := timers.first_s()) is not None and first_s <= now_s:
                timers.pop()()


async def _await(task: Coroutine[Any, Any, None]) -> None:
    await task


def _gravest(group: BaseExceptionGroup[Any]) -> BaseException:
    """Return what one must hear of first: an order to exit, then any error."""
    leaves: list[BaseException] = []
    todo: list[BaseException] = [group]
    while todo:
        error = todo.pop(0)
        if isinstance(error, BaseExceptionGroup):
            todo.extend(error.exceptions)
        else:
            leaves.append(error)
    leaves.sort(
        key=lambda each: (isinstance(each, trio.Cancelled), isinstance(each, Exception))
    )
    return leaves[0]
