"""The kernel: how actors are born, handle, record and die, the same on both engines.

An engine adds how a cell is run and how time passes; every rule is here and in
`delivery`. All of it happens on one thread.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from random import Random  # noqa: TID251 - a type here; the composition root seeds it
from typing import Any

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.context import Context
from holdfast_runtime.delivery import Delivery
from holdfast_runtime.driving import Driven, is_async
from holdfast_runtime.errors import Poisoned, SpecError
from holdfast_runtime.family import Family
from holdfast_runtime.holds import Hold
from holdfast_runtime.messages import Asked, Derived, Records, Stop, lane_of
from holdfast_runtime.spec import SupervisorSpec


class Kernel(Delivery):
    """What both engines share. Users meet it as `LiveEngine` or `SimulatedEngine`."""

    def __init__(
        self, spec: SupervisorSpec, *, lock_step: bool, random: Random
    ) -> None:
        """Build the tree of ``spec``; nothing runs yet."""
        spec.check()
        super().__init__(lock_step=lock_step, random=random)
        self.root = Family(self, spec, None)

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
        asked = messages[0]
        if cell.batch_handler is not None and type(asked) is not Asked:
            await self._call(cell, cell.batch_handler, messages)
        else:
            inner = asked.message if type(asked) is Asked else asked
            value = await self._call(cell, cell.handler, inner)
            if type(asked) is Asked:
                cell.outbox.append((None, lambda: asked.answer(value, None)))
        cell.handled += len(messages)

    async def _call(self, cell: Cell, handler: Any, argument: Any) -> Any:  # noqa: ANN401
        """Return what a handler of either kind returns."""
        self.current = cell
        try:
            result = handler(argument)
        finally:
            self.current = None
        if not inspect.iscoroutine(result):
            return result
        return await Driven(self, cell, result)

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
            cell.is_async = cell.batch_handler is not None or is_async(handler)
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

    def ring_family(self, child: Cell | Family) -> None:
        """Tell the family of ``child`` to look."""
        if child.family is not None:
            child.family.bell.ring()

    def stop_cell(self, cell: Cell) -> None:
        """Ask the actor of ``cell`` to end, before all that waits."""
        self.put(cell, Stop(), None)

    def root_ended(self) -> None:
        """Notice that the root of the tree stopped or gave up."""
