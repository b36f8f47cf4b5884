"""What stands before the handlers of one actor: its faults and its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf
from typing import TYPE_CHECKING, Any

from holdfast_runtime.cell import Cell
from holdfast_runtime.driving import is_coroutine
from holdfast_runtime.errors import Killed, SpecError
from holdfast_runtime.messages import Records
from holdfast_runtime.simulated import SimulatedEngine
from holdfast_runtime.testing.fault import IN_HANDLING, WAITING, Fault, What

if TYPE_CHECKING:
    from holdfast_runtime.testing.history import History

Handler = Callable[[Any], Any]


class Handling:
    """The handlers of one incarnation, with what faults do to them."""

    def __init__(self, cell: Cell, faults: Sequence[Fault], history: History) -> None:
        self._cell = cell
        self._faults = faults
        self._history = history
        self._handler: Handler = cell.handler  # type: ignore[assignment]
        self._batch_handler = cell.batch_handler
        self._commit = cell.commit

    def install(self) -> None:
        """Take the place of the handlers.

        Raises:
            Injected: the actor is not to start.
        """
        for fault in self._faults:
            if fault.what is What.CRASH_START and fault.is_due(object):
                self._crash(fault, None)
        if any(fault.what in WAITING for fault in self._faults):
            self._cell.is_async = True
        self._put_in()

    def let_wait(self) -> None:
        """Let a handler wait that cannot, now that a fault needs it.

        Raises:
            SpecError: on the live engine, where it has no task to wait in.
        """
        if not self._cell.is_async:
            if not isinstance(self._cell.kernel, SimulatedEngine):
                message = (
                    f"{self._cell.path}: expected hang and slow of a synchronous actor "
                    "before the engine starts, was while it runs"
                )
                raise SpecError(message)
            self._cell.is_async = True
            self._put_in()

    def _put_in(self) -> None:
        cell = self._cell
        one, many = self._of_one, self._of_many
        if self._batch_handler is not None:
            cell.batch_handler = self._later(self._batch_handler, many)
        if cell.is_async:
            cell.handler = self._later(self._handler, one)
        else:
            cell.handler = self._now(self._handler, one)
        if self._commit is not None:
            cell.commit = self._now(self._commit, self._of_commit)

    # --- handlers ------------------------------------------------------------

    def _now(self, handler: Handler, opened: Opener) -> Handler:
        def handle(message: Any) -> Any:  # noqa: ANN401
            handled, due = opened(message)
            self._before(due, message)
            recorded = len(self._cell.records)
            value = handler(message)
            self._after(due, handled, recorded)
            return value

        return handle

    def _later(self, handler: Handler, opened: Opener) -> Handler:
        async def handle(message: Any) -> Any:  # noqa: ANN401
            handled, due = opened(message)
            self._before(due, message)
            for fault in due:
                if fault.what in WAITING:
                    await self._wait(fault)
            recorded = len(self._cell.records)
            value = handler(message)
            if is_coroutine(value):
                value = await value
            self._after(due, handled, recorded)
            return value

        return handle

    def _of_one(self, message: object) -> Opened:
        return [message], self._due([type(message)])

    def _of_many(self, messages: Sequence[Any]) -> Opened:
        return messages, self._due([type(message) for message in messages])

    def _of_commit(self, _entries: object) -> Opened:
        return [], self._due([Records])

    def _due(self, kinds: Sequence[type]) -> list[Fault]:
        return [
            fault
            for fault in self._faults
            if fault.what in IN_HANDLING and sum(fault.is_due(kind) for kind in kinds)
        ]

    # --- what faults do ------------------------------------------------------

    def _before(self, due: Sequence[Fault], message: object) -> None:
        for fault in due:
            if fault.what is What.CRASH and not fault.after:
                self._crash(fault, message)

    def _after(self, due: Sequence[Fault], handled: Sequence[Any], old: int) -> None:
        cell = self._cell
        for fault in due:
            if fault.what is What.CRASH:
                self._crash(fault, handled)
        for message in handled:
            self._history.add("handled", cell.path, message)
        for entry in cell.records[old:]:
            self._history.add("recorded", cell.path, entry)
        for fault in due:
            if fault.what is What.KILL:
                kill(cell, self._history, at_once=fault.at_once)
            elif fault.what is What.PAUSE:
                pause(cell, self._history, fault.for_s)
                # Who says nothing is not looked at before the end of its batch.
                cell.outbox.append((None, _nothing))

    def _crash(self, fault: Fault, message: object) -> None:
        self._history.add("fault", self._cell.path, message, note=fault.what.value)
        text = f"{self._cell.path}: {fault.what.value} by a test"
        raise fault.error(text)

    async def _wait(self, fault: Fault) -> None:
        cell = self._cell
        self._history.add("fault", cell.path, note=fault.what.value)
        until_s = None if isinf(fault.for_s) else cell.kernel.now_s() + fault.for_s
        await cell.kernel.new_bell().wait(until_s)


Opened = tuple[Sequence[Any], list[Fault]]
Opener = Callable[[Any], Opened]


def kill(cell: Cell, history: History, *, at_once: bool = True) -> None:
    """End the incarnation of ``cell`` between two messages.

    On the live engine that is when a task of its own gets its turn; so it is in
    simulation, unless it is to be ``at_once``: when the handler has returned.
    """
    engine = cell.kernel

    def strike() -> None:
        history.add("fault", cell.path, note="kill")
        engine.kill(cell, Killed(f"{cell.path}: kill by a test"))

    async def strike_later() -> None:
        strike()

    if isinstance(engine, SimulatedEngine) and at_once:
        strike()
    else:
        engine.run_task(strike_later())


def _nothing() -> None:
    """Is said by an actor that is paused."""


def pause(cell: Cell, history: History, for_s: float) -> None:
    """Let ``cell`` read nothing for a while, as if it waited for a full receiver."""
    history.add("fault", cell.path, note=f"pause of {for_s:g} s")
    cell.stalls += 1

    def go_on() -> None:
        cell.stalls -= 1
        if not cell.stalls:
            cell.kernel.resume(cell)

    cell.kernel.call_later(for_s, go_on)
