"""The kernel: delivery, records, quiescence and death, the same on both engines.

An engine adds how a cell is run and how time passes; every rule of delivery is here.
All of it happens on one thread.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Coroutine, Hashable
from random import Random  # noqa: TID251 - a type here; the composition root seeds it
from typing import Any

from holdfast_runtime.bells import Bell
from holdfast_runtime.cell import Cell, Outbox, State
from holdfast_runtime.context import Context
from holdfast_runtime.errors import ActorError, MailboxFull, Poisoned, SpecError
from holdfast_runtime.family import Family
from holdfast_runtime.holds import Hold
from holdfast_runtime.mailbox import Put
from holdfast_runtime.messages import (
    Asked,
    DeadLetter,
    Derived,
    Lifecycle,
    Records,
    Stop,
    lane_of,
)
from holdfast_runtime.refs import Ref
from holdfast_runtime.spec import SupervisorSpec

DEAD_LETTERS_KEPT = 1_000


class Timer:
    """A call that is due at a time; `cancel` takes it back."""

    __slots__ = ("at_s", "call")

    def __init__(self, at_s: float, call: Callable[[], None]) -> None:
        self.at_s = at_s
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Take the call back; idempotent."""
        self.call = None


class Kernel:
    """What both engines share. Users meet it as `LiveEngine` or `SimulatedEngine`."""

    def __init__(
        self, spec: SupervisorSpec, *, lock_step: bool, random: Random
    ) -> None:
        """Build the tree of ``spec``; nothing runs yet.

        ``lock_step`` holds messages with a ``turn`` back until all else is quiescent.
        """
        spec.check()
        self.lock_step = lock_step
        self.random = random
        self.current: Cell | None = None
        self.pending = 0
        """Messages that wait or are being handled, and holds."""

        self.unsettled = 0
        self.held: list[tuple[int, int, int, Cell, Any]] = []
        self.dead_letters: list[DeadLetter] = []
        self.on_lifecycle: list[Callable[[Lifecycle], None]] = []
        self.on_quarantine: list[Callable[[Cell, Hashable, Any, Exception], None]] = []
        self.on_dead_letter: list[Callable[[DeadLetter], None]] = []
        self.timers: list[tuple[float, int, Timer]] = []
        self.cells: dict[str, Cell] = {}
        self._orders = 0
        self._sequence = 0
        self.root = Family(self, spec, None)

    # --- the tree ------------------------------------------------------------

    def next_order(self) -> int:
        """Return the next place in the canonical order of senders."""
        self._orders += 1
        return self._orders

    def ref(self, path: str) -> Ref[Any]:
        """Return the reference of the actor at ``path``.

        Raises:
            SpecError: if there is none.
        """
        cell = self.cells.get(path)
        if cell is None:
            message = f"expected one of {sorted(self.cells)}, was {path!r}"
            raise SpecError(message)
        return cell.ref

    # --- delivery ------------------------------------------------------------

    def post(self, cell: Cell, message: Any, sender: Cell | None) -> None:  # noqa: ANN401
        """Deliver ``message`` now, or hold it for its turn."""
        if self.lock_step:
            turn = getattr(message, "turn", None)
            if turn is not None:
                self._sequence += 1
                place = sender.order if sender is not None else 0
                self.held.append((turn, place, self._sequence, cell, message))
                if not self.pending:
                    self._take_turns()
                return
        self.put(cell, message, sender)

    def put(self, cell: Cell, message: Any, sender: Cell | None) -> None:  # noqa: ANN401
        """Put ``message`` into the mailbox by its lane's policy."""
        if cell.state in (State.STOPPED, State.PARKED):
            self.bury(cell, message, cell.state.value)
            return
        kind = type(message)
        if kind is Asked:
            kind = type(message.message)
        put = cell.mailbox.put(message, lane_of(kind))
        if put is Put.TAKEN:
            self.pending += 1
            self.wake(cell)
            return
        self._put_over(cell, message, sender, put)

    def _put_over(
        self,
        cell: Cell,
        message: Any,  # noqa: ANN401
        sender: Cell | None,
        put: Put,
    ) -> None:
        if put is Put.OVERFLOW:
            lane = str(lane_of(type(message)))
            error = MailboxFull(cell.path, lane, message)
            self.bury(cell, message, str(error))
            self.kill(cell, error)
        elif put is Put.OVER:
            self.pending += 1
            if sender is not None and sender is not cell:
                sender.stalls += 1
                cell.blocked.append(sender)
            self.wake(cell)

    def deliver(self, outbox: Outbox, sender: Cell) -> None:
        """Let out what a handler said, in its order."""
        for cell, message in outbox:
            if cell is None:
                message()
            else:
                self.post(cell, message, sender)

    def unblock(self, cell: Cell) -> None:
        """Let those go on that waited for room in ``cell``'s mailbox."""
        if cell.mailbox.is_over():
            return
        senders, cell.blocked = cell.blocked, []
        for sender in senders:
            sender.stalls -= 1
            if not sender.stalls:
                self.wake(sender)
        bells, cell.room = cell.room, []
        for bell in bells:
            bell.ring()

    async def room(self, cell: Cell) -> None:
        """Wait until there may be room in ``cell``'s mailbox."""
        bell = self.new_bell()
        cell.room.append(bell)
        await bell.wait()

    # --- quiescence ----------------------------------------------------------

    def settle(self, step: int) -> None:
        """Count a child that became unsettled (+1) or settled (-1)."""
        self.unsettled += step
        if not self.unsettled and not self.pending and self.held:
            self._take_turns()

    def done(self) -> None:
        """Count one message or hold as done; what waits for its turn may go."""
        self.pending -= 1
        if not self.pending and self.held and not self.unsettled:
            self._take_turns()

    def _take_turns(self) -> None:
        """Take all messages of the lowest turn, in canonical order."""
        if self.unsettled or not self.held:
            return
        held = self.held
        if len(held) == 1:
            _, _, _, cell, message = held.pop()
            self.put(cell, message, None)
            return
        lowest = min(entry[0] for entry in held)
        due = sorted((e for e in held if e[0] == lowest), key=_canonical)
        self.held = [entry for entry in held if entry[0] != lowest]
        # Counted as one more pending thing, so that a dead receiver cannot start the
        # next turn in the middle of this one.
        self.pending += 1
        for _, _, _, cell, message in due:
            self.put(cell, message, None)
        self.done()

    # --- handling ------------------------------------------------------------

    def handle(self, cell: Cell, message: Any) -> bool:  # noqa: ANN401
        """Let a synchronous actor handle ``message``; False when that was its end."""
        self.current = cell
        try:
            if type(message) is Asked:
                self._answer(cell, message)
            else:
                cell.handler(message)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            self.current = None
            cell.in_hand = (message,)
            self.died(cell, error)
            return False
        self.current = None
        cell.handled += 1
        if cell.outbox or cell.records:
            self.release(cell)
        if cell.blocked or cell.room:
            self.unblock(cell)
        self.pending -= 1
        if not self.pending and self.held and not self.unsettled:
            self._take_turns()
        return True

    @staticmethod
    def _answer(cell: Cell, asked: Asked) -> None:
        value = cell.handler(asked.message)  # type: ignore[misc]
        cell.outbox.append((None, lambda: asked.answer(value, None)))

    async def handle_async(self, cell: Cell, messages: list[Any]) -> None:
        """Let an asynchronous actor handle one message, or a batch of them.

        Raises whatever the handler raises.
        """
        if cell.batch_handler is not None and type(messages[0]) is not Asked:
            result = cell.batch_handler(messages)
            if hasattr(result, "send"):
                await Driven(self, cell, result)
        else:
            asked = messages[0]
            inner = asked.message if type(asked) is Asked else asked
            value = await Driven(self, cell, cell.handler(inner))  # type: ignore[misc]
            if type(asked) is Asked:
                cell.outbox.append((None, lambda: asked.answer(value, None)))
        cell.handled += len(messages)

    def after_async(self, cell: Cell, messages: list[Any]) -> None:
        """Let out what an asynchronous handler said, and count its messages."""
        if cell.outbox or cell.records:
            self.release(cell)
        if cell.blocked or cell.room:
            self.unblock(cell)
        for _ in messages:
            self.done()

    def release(self, cell: Cell) -> None:
        """Let out what a handler said, or hold it until its records are durable."""
        outbox, cell.outbox = cell.outbox, []
        if not cell.records and not cell.holds:
            for target, message in outbox:
                if target is None:
                    message()
                else:
                    self.post(target, message, cell)
            return
        records, cell.records = cell.records, []
        hold = Hold(cell, outbox, done=not records)
        cell.holds.append(hold)
        self.pending += 1
        if records:
            recorder = self._recorder(cell)
            self.put(recorder, Records(tuple(records), hold), cell)

    def _recorder(self, cell: Cell) -> Cell:
        path = cell.spec.recorder
        if path is None or path not in self.cells:
            message = f"{cell.path} records, but its spec names no recorder"
            raise SpecError(message)
        return self.cells[path]

    def let_out(self, cell: Cell) -> None:
        """Let out the holds of ``cell`` that are done, in their order."""
        while cell.holds and cell.holds[0].done:
            hold = cell.holds.popleft()
            if hold.life == cell.life:
                self.deliver(hold.outbox, cell)
            self.done()
        if not cell.holds:
            bells, cell.settled = cell.settled, []
            for bell in bells:
                bell.ring()

    # --- birth and death -----------------------------------------------------

    def build(self, cell: Cell) -> Any:  # noqa: ANN401 - a coroutine, or nothing
        """Build the actor of ``cell``; return its `start` if that must be awaited."""
        cell.outbox, cell.records, cell.stalls = [], [], 0
        self.current = cell
        try:
            actor = cell.spec.build(Context(cell))
            handler = getattr(actor, "handle", None)
            if handler is None:
                message = f"{cell.path}: expected an object with handle, was {actor!r}"
                raise SpecError(message)
            cell.actor, cell.handler = actor, handler
            cell.batch_handler = getattr(actor, "handle_batch", None)
            cell.is_async = cell.batch_handler is not None or _is_async(handler)
            start = getattr(actor, "start", None)
            return start() if start is not None else None
        finally:
            self.current = None

    def started(self, cell: Cell) -> None:
        """Say that the actor of ``cell`` is ready."""
        self.release(cell)
        cell.started_s = self.now_s()
        if cell.state is State.STARTING:
            cell.become(State.RUNNING)
        what = "started" if cell.incarnation == 1 else "restarted"
        self.tell_lifecycle(cell.path, what, cell.incarnation, cell.error)
        self.ring_family(cell)

    def died(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, with what it had in hand."""
        cell.life += 1
        messages, cell.in_hand = cell.in_hand, ()
        cell.outbox, cell.records = [], []
        cell.actor = cell.handler = cell.batch_handler = None
        cell.error = error
        if isinstance(error, Poisoned):
            self._blame(cell, error.origin, None, error)
        stopping = cell.state is State.STOPPING
        if not stopping:
            cell.become(State.CRASHED)
        for message in reversed(messages):
            self._dispose(cell, message, error)
        self.tell_lifecycle(cell.path, "crashed", cell.incarnation, error)
        if stopping:
            self.close(cell, cell.ends_as)
        self.ring_family(cell)
        for _ in messages:
            self.done()

    def exited(self, cell: Cell) -> None:
        """End the incarnation of ``cell`` in order."""
        cell.life += 1
        cell.actor = cell.handler = cell.batch_handler = None
        if cell.state is State.STOPPING:
            self.close(cell, cell.ends_as)
        else:
            cell.become(State.EXITED)
        self.ring_family(cell)

    def close(self, cell: Cell, state: State) -> None:
        """Leave ``cell`` without an actor, stopped or about to be started again."""
        cell.become(state)
        if state is State.STOPPED:
            self.tell_lifecycle(cell.path, "stopped", cell.incarnation, None)
        self.ring_family(cell)

    def bury_waiting(self, cell: Cell) -> int:
        """Make dead letters of all that waits for ``cell``; return how many."""
        waiting = cell.mailbox.drain()
        for message in waiting:
            self.bury(cell, message, cell.state.value)
        self.unblock(cell)
        for _ in waiting:
            self.done()
        return len(waiting)

    def _dispose(self, cell: Cell, message: Any, error: Exception) -> None:  # noqa: ANN401
        """Decide what becomes of the message on which an actor died."""
        if type(message) is Records:
            message.hold.fail(error)
        elif type(message) is Asked:
            message.answer(None, error)
        elif isinstance(message, Derived):
            if not self._blame(cell, message.origin, message, error):
                cell.mailbox.put_first(message, lane_of(type(message)))
                self.pending += 1
        else:
            self.bury(cell, message, repr(error))

    def _blame(
        self,
        cell: Cell,
        origin: Hashable,
        message: Any,  # noqa: ANN401
        error: Exception,
    ) -> bool:
        """Return whether ``origin`` has now crashed its reader twice."""
        if cell.poison != origin:
            cell.poison = origin
            return False
        cell.poison = None
        for listener in self.on_quarantine:
            listener(cell, origin, message, error)
        return True

    def bury(self, cell: Cell, message: Any, why: str) -> None:  # noqa: ANN401
        """Keep an undelivered message as a dead letter; answer whoever waits."""
        if type(message) is Records:
            message.hold.fail(ActorError(f"{cell.path}: {why}"))
        elif type(message) is Asked:
            message.answer(None, ActorError(f"{cell.path}: {why}"))
        elif type(message) is not Stop:
            letter = DeadLetter(path=cell.path, message=message, why=why)
            del self.dead_letters[: max(0, len(self.dead_letters) - DEAD_LETTERS_KEPT)]
            self.dead_letters.append(letter)
            for listener in self.on_dead_letter:
                listener(letter)

    def ring_family(self, child: Cell | Family) -> None:
        """Tell the family of ``child`` to look."""
        if child.family is not None:
            child.family.bell.ring()

    def tell_lifecycle(
        self, path: str, what: str, incarnation: int, error: Exception | None
    ) -> None:
        """Tell all listeners what happened to a place."""
        text = "" if error is None else f"{type(error).__name__}: {error}"
        event = Lifecycle(path=path, what=what, incarnation=incarnation, error=text)
        for listener in self.on_lifecycle:
            listener(event)

    def stop_cell(self, cell: Cell) -> None:
        """Ask the actor of ``cell`` to end, before all that waits."""
        self.put(cell, Stop(), None)

    # --- time ----------------------------------------------------------------

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Call ``call`` in ``delay_s`` seconds of the engine's clock."""
        timer = Timer(self.now_s() + max(0.0, delay_s), call)
        self._sequence += 1
        heapq.heappush(self.timers, (timer.at_s, self._sequence, timer))
        self.timer_added(timer)
        return timer

    def root_ended(self) -> None:
        """Notice that the root of the tree stopped or gave up."""

    # --- what an engine adds -------------------------------------------------

    def now_s(self) -> float:
        """Return the engine's monotonic clock, in seconds."""
        raise NotImplementedError

    def new_bell(self) -> Bell:
        """Return a bell that can be waited on in this engine."""
        raise NotImplementedError

    def wake(self, cell: Cell) -> None:
        """See to it that ``cell`` reads its mailbox."""
        raise NotImplementedError

    def start_cell(self, cell: Cell) -> None:
        """Run a new incarnation of ``cell``."""
        raise NotImplementedError

    def cut_cell(self, cell: Cell) -> None:
        """Cancel the incarnation of ``cell``."""
        raise NotImplementedError

    def kill(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, between two messages."""
        raise NotImplementedError

    def run_task(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine of the runtime itself beside the actors."""
        raise NotImplementedError

    def timer_added(self, timer: Timer) -> None:
        """Notice a timer that may be due before all others."""
        raise NotImplementedError


def _canonical(entry: tuple[int, int, int, Cell, Any]) -> tuple[int, int, int]:
    return entry[:3]


def _is_async(handler: Callable[..., Any]) -> bool:
    code = getattr(handler, "__code__", None) or getattr(
        getattr(handler, "__func__", None), "__code__", None
    )
    return bool(code is not None and code.co_flags & 0x80)  # CO_COROUTINE


class Driven:
    """Awaits a handler's coroutine; what it says while it runs is its cell's."""

    __slots__ = ("_cell", "_coroutine", "_kernel")

    def __init__(self, kernel: Kernel, cell: Cell, coroutine: Any) -> None:  # noqa: ANN401
        self._kernel = kernel
        self._cell = cell
        self._coroutine = coroutine

    def __await__(self) -> Any:  # noqa: ANN401 - the engine's own traps pass through
        kernel, cell, coroutine = self._kernel, self._cell, self._coroutine
        value: Any = None
        error: BaseException | None = None
        while True:
            kernel.current = cell
            try:
                if error is None:
                    trap = coroutine.send(value)
                else:
                    trap = coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
            finally:
                kernel.current = None
            try:
                value = yield trap
                error = None
            except BaseException as thrown:  # noqa: BLE001 - passed on to the coroutine
                error = thrown
