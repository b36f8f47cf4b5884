"""The simulated engine: one deterministic loop, virtual time, no threads, no sockets.

Backtests run on it, because a delivery is a call; fault tests run on it, because the
same seed gives the same history, and time costs nothing.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Coroutine, Generator
from random import Random  # noqa: TID251 - the caller's seed comes in here
from typing import Any

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import ActorError, EngineFailed, Killed
from holdfast_runtime.driving import Driven
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.timers import Timer
from holdfast_runtime.messages import MANNERS, Asked, Stop, take
from holdfast_runtime.spec import SupervisorSpec


RUNNING = State.RUNNING
_MAIL = object()
"""Stands for "read your mailbox" where a message could stand."""


class SimulatedBell:
    """A bell of the simulated engine."""

    __slots__ = ("_engine", "_rung", "task", "timer")

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self._rung = False
        self.task: _Task | None = None
        self.timer: Timer | None = None

    def ring(self) -> None:
        """Wake the waiter, or the next one that comes."""
        self._rung = True
        task, self.task = self.task, None
        if task is not None:
            if self.timer is not None:
                self.timer.cancel()
            self._engine.ready.append((None, task))

    async def wait(self, until_s: float | None = None) -> bool:
        """Return True once rung, or False when virtual time is at ``until_s``."""
        if not self._rung:
            await _Trap(self, until_s)
        rung, self._rung = self._rung, False
        return rung

    def sleep(self, task: _Task, until_s: float | None) -> None:
        """Let ``task`` wait here."""
        self.task = task
        self.timer = None
        if until_s is not None:
            delay_s = until_s - self._engine.now_s()
            self.timer = self._engine.call_later(delay_s, self._expire)

    def _expire(self) -> None:
        task, self.task = self.task, None
        if task is not None:
            self._engine.ready.append((None, task))


class _Rest:
    """Awaits what is left of a coroutine that has already been begun."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Any) -> None:  # noqa: ANN401
        self.coroutine = coroutine

    def __await__(self) -> Generator[_Trap, None, None]:
        # The coroutine stands at its first trap, which its task has already set.
        try:
            while True:
                try:
                    trap = self.coroutine.send(None)
                except StopIteration:
                    return
                yield trap
        finally:
            self.coroutine.close()


class _Trap:
    __slots__ = ("bell", "until_s")

    def __init__(self, bell: SimulatedBell, until_s: float | None) -> None:
        self.bell = bell
        self.until_s = until_s

    def __await__(self) -> Generator[_Trap, None, None]:
        yield self


class _Task:
    """A coroutine that the loop drives."""

    __slots__ = ("coroutine", "gone")

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.coroutine = coroutine
        self.gone = False

    def step(self) -> None:
        if self.gone:
            return
        try:
            trap = self.coroutine.send(None)
        except StopIteration:
            self.gone = True
            return
        trap.bell.sleep(self, trap.until_s)

    def begin(self, trap: _Trap) -> None:
        """Wait at a trap that was met before this task was made."""
        trap.bell.sleep(self, trap.until_s)

    def close(self) -> None:
        self.gone = True
        self.coroutine.close()


class SimulatedEngine(Kernel):
    """Runs a tree in virtual time, always in the same order for the same seed.

    ``shuffle`` lets the seed permute what is causally unordered: which of the actors
    that have mail is next. Without it, mail is read in the order in which it was sent.
    """

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        seed: int = 0,
        shuffle: bool = False,
        lock_step: bool = True,
    ) -> None:
        self.ready: deque[tuple[Cell | None, Any]] = deque()
        self._now_s = 0.0
        self._shuffle = shuffle
        super().__init__(spec, lock_step=lock_step, random=Random(seed))

    # --- for users -----------------------------------------------------------

    def start(self) -> None:
        """Start the tree, and run until it is up.

        Raises:
            EngineFailed: it could not be started.
        """
        self.root.begin()
        self.run_until_idle(started=True)
        self._raise_if_failed()

    def run_until_idle(
        self, until_s: float | None = None, *, started: bool = False
    ) -> None:
        """Deliver until nothing is left to do, or virtual time would pass ``until_s``.

        Timers advance virtual time when nothing else is ready. With ``started`` it
        returns as soon as the whole tree is up.
        """
        while True:
            self._drain()
            if started and not self.unsettled:
                return
            if self.root.state in (State.STOPPED, State.CRASHED, State.PARKED):
                return
            if not self._next_timer(until_s):
                if until_s is not None:
                    self._now_s = max(self._now_s, until_s)
                return

    def step(self) -> bool:
        """Deliver all that is ready, then let one timer fire; False if nothing is left.

        On an engine in lock-step "all that is ready" reaches to the source's end.
        """
        self._drain()
        return self._next_timer(None)

    def stop(self) -> None:
        """Stop the tree in reverse order, and run until it has ended."""
        self.root.request_stop()
        self.run_until_idle()

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        """Run ``coroutine`` (such as an `ask`) in the loop, and return its result."""
        box: list[Any] = []

        async def boxed() -> None:
            try:
                box.append((await coroutine, None))
            except Exception as error:  # noqa: BLE001 - raised again below
                box.append((None, error))

        self.run_task(boxed())
        while not box:
            self._drain()
            if not box and not self._next_timer(None):
                message = "nothing is left to do, and the call has not returned"
                raise ActorError(message)
        value, error = box[0]
        if error is not None:
            raise error
        return value

    def _raise_if_failed(self) -> None:
        if self.root.state is State.CRASHED:
            raise self.root.error or EngineFailed(self.root.path)

    # --- the loop ------------------------------------------------------------

    def _drain(self) -> None:
        """Deliver until nothing is ready, and no turn can be taken."""
        ready = self.ready
        while True:
            while ready:
                if self._shuffle and len(ready) > 1:
                    ready.rotate(-self.random.randrange(len(ready)))
                cell, item = ready.popleft()
                if cell is None:
                    item.step()
                elif item is _MAIL:
                    self._read_mail(cell)
                else:
                    cell.direct -= 1
                    self._hand_over(cell, item)
            if self.pending or self.unsettled or not self.held:
                return
            self._take_turns()

    def _hand_over(self, cell: Cell, message: Any) -> None:  # noqa: ANN401
        """Let ``cell`` handle a message that waited in no mailbox."""
        if cell.state is not RUNNING or cell.busy or cell.stalls:
            self.pending -= 1
            self.put(cell, message, None)
        elif cell.is_async:
            self._handle_async(cell, [message])
        elif type(message) is Asked:
            self.handle(cell, message)
        else:
            self.current = cell
            try:
                cell.handler(message)  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 - its supervisor decides
                self.current = None
                cell.in_hand = (message,)
                self.died(cell, error)
                return
            self.current = None
            cell.handled += 1
            if cell.outbox or cell.records:
                self.release(cell)
            if cell.blocked or cell.room:
                self.unblock(cell)
            self.pending -= 1

    def _read_mail(self, cell: Cell) -> None:
        """Let ``cell`` read its mailbox once, if it can."""
        if cell.state is not RUNNING and cell.state is not State.STOPPING:
            return
        if cell.busy or cell.stalls or not cell.mailbox.size:
            return
        if cell.is_async:
            messages = take(cell)
            if type(messages[0]) is not Stop:
                self._handle_async(cell, messages)
                return
            message = messages[0]
        else:
            message = cell.mailbox.pop()
        if type(message) is Stop:
            self._stop(cell)
        else:
            self.handle(cell, message)

    def _handle_async(self, cell: Cell, messages: list[Any]) -> None:
        """Run a coroutine as far as it goes; most of them never wait."""
        cell.in_hand = tuple(messages)
        coroutine = self.handle_async(cell, messages)
        try:
            trap = coroutine.send(None)
        except StopIteration:
            cell.in_hand = ()
            self.after_async(cell, messages)
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            self.died(cell, error)
        else:
            cell.busy = True
            task = cell.task = _Task(self._finish_async(cell, messages, coroutine))
            task.begin(trap)

    async def _finish_async(
        self, cell: Cell, messages: list[Any], coroutine: Any  # noqa: ANN401
    ) -> None:
        try:
            await _Rest(coroutine)
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            cell.busy = False
            self.died(cell, error)
            return
        cell.busy = False
        cell.in_hand = ()
        self.after_async(cell, messages)
        self._again(cell)

    def _again(self, cell: Cell) -> None:
        for _ in range(cell.mailbox.size):
            self.ready.append((cell, _MAIL))

    def _stop(self, cell: Cell) -> None:
        cell.busy = True
        self.run_task(self._stop_hook(cell))

    async def _stop_hook(self, cell: Cell) -> None:
        stop = getattr(cell.actor, "stop", None)
        try:
            result = stop() if stop is not None else None
            if result is not None:
                await Driven(self, cell, result)
            self.release(cell)
        except Exception as error:  # noqa: BLE001 - an end like any other
            cell.busy = False
            self.died(cell, error)
        else:
            cell.busy = False
            self.exited(cell)
        self.done()

    def _next_timer(self, until_s: float | None) -> bool:
        while self.timers:
            at_s, _, timer = self.timers[0]
            if timer.call is None:
                heapq.heappop(self.timers)
                continue
            if until_s is not None and at_s > until_s:
                return False
            heapq.heappop(self.timers)
            self._now_s = max(self._now_s, at_s)
            timer.call()
            return True
        return False

    # --- what the kernel asks for --------------------------------------------

    def now_s(self) -> float:
        """Return virtual time, in seconds from the start of the engine."""
        return self._now_s

    def new_bell(self) -> SimulatedBell:
        """Return a bell of this engine."""
        return SimulatedBell(self)

    def wake(self, cell: Cell) -> None:
        """Let ``cell`` read its mailbox."""
        self.ready.append((cell, _MAIL))

    def post(self, cell: Cell, message: Any, sender: Cell | None) -> None:  # noqa: ANN401
        """Deliver ``message``: at once where nothing waits before it.

        In simulation a message waits in a mailbox only while its reader is down, busy
        or stalled; then its lane's policy applies.
        """
        lane, turn = MANNERS[type(message)]
        if turn is not None and self.lock_step:
            self._hold(turn, cell, message, sender)
        elif lane and (cell.direct or self._is_free(cell)):
            cell.direct += 1
            self.pending += 1
            self.ready.append((cell, message))
        else:
            self.put(cell, message, sender)

    def put_now(self, cell: Cell, message: Any) -> None:  # noqa: ANN401
        """Deliver a message whose turn has come; at once, as `post` does."""
        if cell.direct or self._is_free(cell):
            cell.direct += 1
            self.pending += 1
            self.ready.append((cell, message))
        else:
            self.put(cell, message, None)

    def _is_free(self, cell: Cell) -> bool:
        return (
            cell.state is RUNNING
            and not cell.mailbox.size
            and not cell.busy
            and not cell.stalls
            and not self._shuffle
        )

    def start_cell(self, cell: Cell) -> None:
        """Build and start the actor of ``cell`` in the loop."""
        task = _Task(self._start(cell))
        cell.task = task
        self.ready.append((None, task))

    async def _start(self, cell: Cell) -> None:
        cell.busy = True
        try:
            while cell.holds:
                bell = self.new_bell()
                cell.settled.append(bell)
                await bell.wait()
            result = self.build(cell)
            if result is not None:
                await Driven(self, cell, result)
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            cell.busy = False
            self.died(cell, error)
            return
        cell.busy = False
        self.started(cell)
        self._again(cell)

    def cut_cell(self, cell: Cell) -> None:
        """End the incarnation of ``cell`` where it stands."""
        self.kill(cell, Killed(f"{cell.path} did not stop in time"))

    def kill(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, between two messages."""
        if cell.state not in (State.RUNNING, State.STARTING, State.STOPPING):
            return
        if cell.busy and cell.task is not None:
            cell.task.close()
        cell.busy, cell.task = False, None
        self.died(cell, error)

    def run_task(self, task: Coroutine[Any, Any, None]) -> None:
        """Drive a coroutine of the runtime in the loop."""
        self.ready.append((None, _Task(task)))

    def timer_added(self, timer: Timer) -> None:
        """Nothing to do: the loop looks at its timers itself."""
