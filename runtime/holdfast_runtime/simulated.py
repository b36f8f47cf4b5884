"""The simulated engine: one deterministic loop, virtual time, no threads, no sockets.

Backtests run on it, because a delivery is a call; fault tests run on it, because the
same seed gives the same history, and time costs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from random import Random  # noqa: TID251 - the caller's seed comes in here
from typing import Any, TypeVar

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import ActorError, EngineFailed, Killed
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.messages import Lifecycle, NotTaken, Stop, lane_of, take
from holdfast_runtime.sides import Work
from holdfast_runtime.spec import SupervisorSpec
from holdfast_runtime.timers import Timer
from holdfast_runtime.virtual import SimulatedBell, Task, within

T = TypeVar("T")
RUNNING = State.RUNNING
_MAIL = object()
"""Stands for "read your mailbox" where a message could stand."""


class SimulatedEngine(Kernel):
    """Runs a tree in virtual time, always in the same order for the same seed.

    ``shuffle`` lets the seed permute what is causally unordered: which of the actors
    that have mail is next. Without it, mail is read in the order in which it was sent.
    """

    is_direct = True

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
        self.lifecycle: list[Lifecycle] = []
        """All that happened in the tree, in order."""

        self.on_lifecycle.append(self.lifecycle.append)

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
            if self.root.state in (State.STOPPED, State.CRASHED):
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

    def discard(self) -> None:
        """Let go of a tree that was not stopped, as if its process had died.

        What was to begin is closed, for Python warns of a coroutine that never ran.
        What has begun is left where it stands. Use the engine no more.
        """
        for _, item in self.ready:
            if isinstance(item, Task):
                item.discard()
        for cell in self.cells.values():
            if cell.sides is not None:
                cell.sides.discard()

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
                coroutine.close()
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
        ready, pop = self.ready, self.ready.popleft
        # Not `while ready`: CPython 3.11 makes a loop fast that jumps back always, and
        # this one may be entered only once in a whole backtest.
        while True:
            if not ready:
                if self.pending or self.unsettled or not self.held:
                    return
                self._take_turns()
                continue
            if self._shuffle and len(ready) > 1:
                ready.rotate(-self.random.randrange(len(ready)))
            cell, item = pop()
            if cell is None:
                item.step()
            elif item is _MAIL:
                self._read_mail(cell)
            else:
                cell.direct -= 1
                if (
                    cell.state is not RUNNING
                    or cell.is_async
                    or cell.stalls
                    or cell.mailbox.size
                ):
                    self._hand_over(cell, item)
                else:
                    self.handle(cell, item)

    def _hand_over(self, cell: Cell, message: Any) -> None:  # noqa: ANN401
        """Let an asynchronous actor handle a message that waited in no mailbox.

        Whoever cannot handle it now finds it in its mailbox.
        """
        if cell.state is not RUNNING or cell.busy or cell.stalls or cell.mailbox.size:
            # What waits in the mailbox came before it, or is in a higher lane.
            self.pending -= 1
            super().put(cell, message, None, lane_of(message))
        else:
            self._handle_async(cell, [message])

    def _read_mail(self, cell: Cell) -> None:
        """Let ``cell`` read its mailbox once, if it can; or end, if it is to."""
        if cell.busy:
            return
        if cell.state is State.STOPPING:
            self._stop(cell)
            return
        if cell.state is not RUNNING or cell.stalls or not cell.mailbox.size:
            return
        messages = take(cell)
        if type(messages[0]) is Stop:
            self.ends_by_itself(cell)
            self._stop(cell)
        elif cell.is_async:
            self._handle_async(cell, messages)
        else:
            self.handle(cell, messages[0])

    def _handle_async(self, cell: Cell, messages: list[Any]) -> None:
        """Run a coroutine as far as it goes; most of them never wait."""
        cell.in_hand = tuple(messages)
        coroutine = self.handle_async(cell, messages)
        try:
            trap = coroutine.send(None)
        except StopIteration:
            self.after(cell)
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            self.died(cell, error)
        else:
            cell.busy = True
            cell.task = Task(coroutine, partial(self._handled, cell))
            cell.task.park(trap)

    def _handled(self, cell: Cell, error: Exception | None) -> None:
        self._free(cell)
        if error is not None:
            self.died(cell, error)
        else:
            self.after(cell)
            self.resume(cell)

    def _free(self, cell: Cell) -> None:
        cell.busy, cell.task = False, None

    def _run_in(self, cell: Cell, task: Task) -> None:
        cell.busy, cell.task = True, task
        self.ready.append((None, task))

    def _stop(self, cell: Cell) -> None:
        self._run_in(cell, Task(self.stop_actor(cell), partial(self._stopped, cell)))

    def _stopped(self, cell: Cell, error: Exception | None) -> None:
        self._free(cell)
        if error is not None:
            self.died(cell, error)
        else:
            self.exited(cell)

    def _next_timer(self, until_s: float | None) -> bool:
        at_s = self.timers.first_s()
        if at_s is None or (until_s is not None and at_s > until_s):
            return False
        self._now_s = max(self._now_s, at_s)
        self.timers.pop()()
        return True

    # --- what the kernel asks for --------------------------------------------

    def now_s(self) -> float:
        """Return virtual time, in seconds from the start of the engine."""
        return self._now_s

    def new_bell(self) -> SimulatedBell:
        """Return a bell of this engine."""
        return SimulatedBell(self)

    def within(
        self, delay_s: float, request: Coroutine[Any, Any, T]
    ) -> Coroutine[Any, Any, T]:
        """Return what awaits ``request``, and ends it after ``delay_s``."""
        return within(self, delay_s, request)

    def wake(self, cell: Cell) -> None:
        """Let ``cell`` read its mailbox."""
        self.ready.append((cell, _MAIL))

    def resume(self, cell: Cell) -> None:
        """Let ``cell`` read all that waits, or end if it is to."""
        for _ in range(max(1, cell.mailbox.size)):
            self.ready.append((cell, _MAIL))

    def post(self, cell: Cell, message: Any, sender: Cell | None) -> None:  # noqa: ANN401
        """Deliver ``message`` now, or hold it for its turn.

        Raises:
            UnknownMessage: ``cell`` takes no such messages.
        """
        try:
            lane, turn = cell.manners[type(message)]
        except NotTaken:
            lane, turn = self.manners(cell, message)
        if turn is not None and self.lock_step:
            self._hold(turn, cell, message, sender)
        else:
            self.put(cell, message, sender, lane)

    def put(
        self,
        cell: Cell,
        message: Any,  # noqa: ANN401
        sender: Cell | None,
        lane: int,
    ) -> None:
        """Deliver ``message`` without a mailbox, where nothing waits before it.

        In simulation a message waits in a mailbox only while its reader is down, busy
        or stalled, or takes batches, or if it is for control; then its lane's policy
        applies.
        """
        if lane and (
            cell.direct
            or (
                cell.state is RUNNING
                and not cell.mailbox.size
                and not cell.busy
                and not cell.stalls
                and cell.batch_handler is None
                and not self._shuffle
            )
        ):
            cell.direct += 1
            self.pending += 1
            self.ready.append((cell, message))
        else:
            super().put(cell, message, sender, lane)

    def start_cell(self, cell: Cell) -> None:
        """Build and start the actor of ``cell`` in the loop."""
        self._run_in(cell, Task(self.start_actor(cell), partial(self._is_up, cell)))

    def _is_up(self, cell: Cell, error: Exception | None) -> None:
        self._free(cell)
        if error is not None:
            self.died(cell, error)
            return
        if cell.sides is not None:
            cell.sides.start = self._start_side
        run = getattr(cell.actor, "run", None)
        if run is not None:
            cell.service = Task(run(), partial(self._served, cell))
            self.ready.append((None, cell.service))
        self.resume(cell)

    def _start_side(self, work: Work) -> Callable[[], object]:
        task = Task(work)
        self.ready.append((None, task))
        return task.close

    def _served(self, cell: Cell, error: Exception | None) -> None:
        cell.service = None
        if error is not None:
            self.kill(cell, error)

    def died(self, cell: Cell, error: Exception) -> None:
        """End all that runs for the incarnation, and then the incarnation."""
        self._end_service(cell)
        super().died(cell, error)

    async def stop_actor(self, cell: Cell) -> None:
        """End the actor's service before its `stop`, and wait for its requests."""
        self._end_service(cell)
        if cell.sides is not None:
            await cell.sides.ended()
        await super().stop_actor(cell)

    @staticmethod
    def _end_service(cell: Cell) -> None:
        service, cell.service = cell.service, None
        if service is not None:
            service.close()

    def cut_cell(self, cell: Cell) -> None:
        """End the incarnation of ``cell`` where it stands."""
        self.kill(cell, Killed(f"{cell.path} did not stop in time"))

    def kill(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, between two messages."""
        if cell.state not in (State.RUNNING, State.STARTING, State.STOPPING):
            return
        if self.current is cell:
            # Its own handler asks for it: it ends when that has returned.
            self.ready.appendleft(
                (None, Task(self._kill_later(cell, cell.life, error)))
            )
            return
        cell.kill_error = error
        task = cell.task
        self._free(cell)
        if task is not None:
            task.close()
        self.died(cell, error)

    async def _kill_later(self, cell: Cell, life: int, error: Exception) -> None:
        if cell.life == life:
            self.kill(cell, error)

    def run_task(self, task: Coroutine[Any, Any, None]) -> None:
        """Drive a coroutine of the runtime in the loop."""
        self.ready.append((None, Task(task)))

    def timer_added(self, timer: Timer) -> None:
        """Nothing to do: the loop looks at its timers itself."""
