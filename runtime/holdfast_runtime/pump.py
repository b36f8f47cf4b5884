"""The pump of the live engine: it calls synchronous actors, which have no task.

Each that has mail is called for a batch of its messages, and then the others have
their turn. What is counted per message elsewhere is counted per batch here.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import trio

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.messages import Asked, Stop

BATCH = 64
"""Messages that are handled before the others get a turn."""

RUNNING = State.RUNNING


class Pump:
    """Lets synchronous actors read their mailboxes, in turn."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.ready: deque[Cell] = deque()
        """Who reads next; what is added while it is `parked` must `rouse` it."""

        self.parked: trio.lowlevel.Task | None = None
        self._aside: trio.lowlevel.Task | None = None
        """The task of `run`, while what a source brings is read beside it."""

        self._failure: BaseException | None = None
        """An order to exit that came meanwhile: `run` raises it."""

        self._unbroken = 0
        """Messages that were handled beside `run` since other tasks had their turn."""

        self.reading: Cell | None = None
        """Whose messages are being handled."""

        self.ended_reading = False
        """Whether its family is to look, when it has handled them."""

    def rouse(self) -> None:
        """Let `run` go on."""
        task, self.parked = self.parked, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    async def run(self) -> None:
        """Call actors that have mail, until cancelled; others run in between."""
        ready, task = self.ready, trio.lowlevel.current_task()
        while True:
            self._read()
            if ready:
                await trio.lowlevel.checkpoint()
                continue
            self.parked = task
            try:
                await trio.lowlevel.wait_task_rescheduled(self._abort)
            finally:
                # Also where it is cancelled by then.
                if self._failure is not None:
                    raise self._failure

    def _abort(self, _: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
        self.parked = self._aside = None
        return trio.lowlevel.Abort.SUCCEEDED

    def bring(self, cell: Cell, message: Any) -> bool:  # noqa: ANN401
        """Deliver what a source sends, and call actors at once if `run` waits.

        No task is woken for them then; they are called in the context of `run`.
        Returns whether other tasks should run before the source goes on.

        Raises:
            UnknownMessage: ``cell`` takes no such messages.
        """
        task, self.parked = self.parked, None
        if task is None:
            self._kernel.post(cell, message, None)
            return False
        self._aside = task
        try:
            self._kernel.post(cell, message, None)
            task.context.run(self._read_aside)
        finally:
            # Cancelled meanwhile, it is not parked any more.
            self.parked, self._aside = self._aside, None
            if self.ready or self._failure is not None:
                self.rouse()
        if self._unbroken < BATCH:
            return False
        self._unbroken = 0
        return True

    def _read_aside(self) -> None:
        try:
            self._unbroken += self._read()
        except BaseException as error:  # noqa: BLE001 - the engine ends by it
            self._failure = error

    def _read(self) -> int:
        """Call actors that have mail, until it is the turn of others.

        Returns how many messages were handled.
        """
        ready, kernel, handled = self.ready, self._kernel, 0
        while ready and handled < BATCH:
            cell = self.reading = ready.popleft()
            mailbox, count = cell.mailbox, 1
            if (
                mailbox.size == 1
                and cell.state is RUNNING
                and not (cell.stalls or cell.interrupted)
            ):
                # A lone message needs nothing of what a batch does.
                message = mailbox.pop()
                if type(message) is Stop:
                    self._finish(cell, 0, message, None)
                else:
                    kernel.handle(cell, message)
            else:
                count = self._read_batch(cell)
            handled += count
            cell.queued = False
            if mailbox.size or self.ended_reading or cell.kill_error is not None:
                self.reading = None
                self._see_to(cell, count)
        self.reading = None
        return handled

    def _read_batch(self, cell: Cell) -> int:
        mailbox, count = cell.mailbox, 0
        if mailbox.size > 1:
            mailbox.look()
        while (
            mailbox.size
            and count < BATCH
            and cell.state is RUNNING
            and not (cell.stalls or cell.interrupted)
        ):
            count += self._read_lane(cell, BATCH - count)
        return count

    def _see_to(self, cell: Cell, count: int) -> None:
        """Do what follows when ``cell`` has read ``count``: its end, or the next."""
        if self.ended_reading:
            self.ended_reading = False
            cell.family.mend()  # type: ignore[union-attr]
        if cell.kill_error is not None and cell.state is RUNNING:
            self._kernel.died(cell, cell.kill_error)
        elif cell.mailbox.size and not cell.stalls:
            if count == BATCH:
                cell.mailbox.be_fair()
            self._kernel.wake(cell)

    def _read_lane(self, cell: Cell, most: int) -> int:
        """Let ``cell`` handle at most ``most`` messages of its highest lane.

        None after one that ended or stalled it, or put something into a higher lane.
        Returns how many were taken.
        """
        kernel, mailbox = self._kernel, cell.mailbox
        active, queue, above = mailbox.highest()
        popleft = queue.popleft
        said, records, taken = cell.outbox, cell.records, 0
        message: Any = None
        fatal: Exception | None = None
        kernel.current = cell
        try:
            for taken in range(1, min(most, len(queue)) + 1):  # noqa: B007 - told below
                message = popleft()
                kind = type(message)
                if kind is Stop:
                    break
                try:
                    if kind is Asked:
                        kernel.answer(cell, message)
                    else:
                        value = cell.handler(message)  # type: ignore[misc]
                        if value is not None:
                            kernel.check_result(cell, value)
                except Exception as error:  # noqa: BLE001 - its supervisor decides
                    fatal = error
                    break
                if said or records:
                    kernel.current = None
                    kernel.release(cell)
                    said, records = cell.outbox, cell.records
                    kernel.current = cell
                    if cell.stalls:
                        break
                if cell.interrupted or mailbox.active is not active:
                    break
                if above and any(above):
                    break
        finally:
            kernel.current = None
        mailbox.size -= taken
        unhandled = type(message) is Stop or fatal is not None
        self._finish(cell, taken - unhandled, message, fatal)
        return taken

    def _finish(
        self,
        cell: Cell,
        done: int,
        last: Any,  # noqa: ANN401 - whatever was told
        fatal: Exception | None,
    ) -> None:
        """Count what was handled, and end the incarnation if ``last`` was its end."""
        kernel = self._kernel
        cell.handled += done
        if done and cell.handled >= cell.sample_at:
            kernel.sample(cell)
        if cell.blocked or cell.room:
            kernel.unblock(cell)
        kernel.done(done)
        if fatal is not None:
            cell.in_hand = (last,)
            kernel.died(cell, fatal)
        elif type(last) is Stop:
            kernel.ends_by_itself(cell)
            kernel.resume(cell)
