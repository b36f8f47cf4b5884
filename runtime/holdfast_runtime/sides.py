"""Work beside an actor's handlers, for doers that carry several requests at once.

What a piece of work says and records leaves when it has ended, as a handler's does. An
engine in lock-step is not quiescent while some is under way, and lets out what it said
in the order in which it began, for trio shuffles its tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

from holdfast_runtime.errors import ActorError

if TYPE_CHECKING:
    from holdfast_runtime.bells import Bell
    from holdfast_runtime.cell import Cell, Outbox

Work = Coroutine[Any, Any, None]
Start = Callable[[Work], Callable[[], object]]
"""Runs a coroutine in a task of its own, and returns what cuts it."""


class Sides:
    """All the work beside the handlers of one incarnation; see `Context.sides`."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._all: deque[_Side] = deque()
        self._waiting: deque[_Side] = deque()
        """What has not made its first step, but for the one that is about to."""

        self._starts = self.is_closed = False
        self._bells: list[Bell] = []
        self.stepping: _Side | None = None
        """The piece that makes a step just now."""

        self.start: Start | None = None
        """Set by the engine for as long as the actor handles messages."""

    def __len__(self) -> int:
        return len(self._all)

    def begin(self, work: Work) -> None:
        """Run ``work`` soon; first steps are made in the order of these calls.

        It may await what a handler may. If it raises, the actor crashes.

        Raises:
            ActorError: the actor handles nothing, for it has not started or has ended.
        """
        if self.start is None:
            work.close()
            message = f"{self.cell.path} handles nothing, so no work begins beside that"
            raise ActorError(message)
        side = _Side(self, work)
        self._all.append(side)
        self._waiting.append(side)
        self.cell.kernel.pending += 1
        if not self._starts:
            self.start_next()

    def cut(self) -> None:
        """End all of it where it stands; nothing that it said leaves.

        Call it in a handler, and then await `ended`.
        """
        self._waiting.clear()
        for side in tuple(self._all):
            side.is_cut = True
            if side.has_begun:
                side.stop()
            else:
                side.work.close()
                self.finish(side)

    async def ended(self) -> None:
        """Wait until none is under way; a crash and a stop do not wait longer."""
        while self._all:
            bell = self.cell.kernel.new_bell()
            self._bells.append(bell)
            await bell.wait()

    # --- for the engine ------------------------------------------------------

    def close(self) -> None:
        """Let nothing make its first step any more."""
        self.is_closed = True
        self.start = None

    def start_next(self) -> None:
        """Let the next one make its first step."""
        self._starts = bool(self._waiting)
        if self._waiting and self.start is not None:
            side = self._waiting.popleft()
            side.stop = self.start(side.run())

    def finish(self, side: _Side) -> None:
        """Let out what ``side`` said, or keep it until those before it have ended."""
        side.has_ended = True
        if self.cell.kernel.lock_step:
            while self._all and self._all[0].has_ended:
                self._all.popleft().let_out()
        else:
            self._all.remove(side)
            side.let_out()
        if not self._all:
            bells, self._bells = self._bells, []
            for bell in bells:
                bell.ring()

    def discard(self) -> None:
        """Close what has not begun; see `SimulatedEngine.discard`."""
        for side in self._all:
            if not side.has_begun:
                side.work.close()

    def end(self) -> None:
        """Count all of it as gone, with the incarnation, and end what still runs."""
        self.close()
        sides, self._all = self._all, deque()
        for side in sides:
            if not side.has_begun:
                side.work.close()
            elif not side.has_ended:
                side.has_ended = True
                side.stop()
        self.cell.kernel.done(len(sides))


def end_sides(cell: Cell) -> None:
    """End what runs beside the handlers of an incarnation that has ended."""
    sides, cell.sides = cell.sides, None
    if sides is not None:
        sides.end()


class _Side:
    """One piece of work; awaiting it makes its steps, as `Driven` does a handler's."""

    __slots__ = (
        "_records",
        "_said",
        "_sides",
        "begun_on",
        "has_begun",
        "has_ended",
        "is_cut",
        "stop",
        "work",
    )

    def __init__(self, sides: Sides, work: Work) -> None:
        self._sides = sides
        self.work = work
        self._said: Outbox = []
        self._records: list[Any] = []
        self.begun_on = self._message()
        """The message that its actor had in hand when this began."""

        self.has_begun = self.has_ended = self.is_cut = False
        self.stop: Callable[[], object] = _nothing

    async def run(self) -> None:
        cell = self._sides.cell
        if self._sides.is_closed or cell.kill_error is not None:
            return
        if self.has_ended:
            self._sides.start_next()
            return
        try:
            await self
        except Exception as error:  # noqa: BLE001 - its actor crashes
            if self.is_cut:
                self._sides.finish(self)
            elif not self.has_ended:
                self.has_ended = True
                cell.kernel.kill(cell, error)
        except BaseException:
            # What ends with its incarnation is counted by that.
            if self.is_cut and not self.has_ended:
                self._sides.finish(self)
            raise
        else:
            if not self.has_ended:
                self._sides.finish(self)

    def __await__(self) -> Generator[Any, Any, None]:
        step: Callable[[Any], Any] = self.work.send
        value: object = None
        is_closing = False
        while True:
            try:
                trap = self._make(step, value)
            except StopIteration:
                return
            if is_closing:
                continue
            try:
                value = yield trap
            except BaseException as thrown:  # noqa: BLE001 - passed on to the work
                is_closing = type(thrown) is GeneratorExit
                step, value = self.work.throw, thrown
            else:
                step = self.work.send

    def _make(self, step: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401 - an engine's trap
        """Make one step; what is said meanwhile is this piece's."""
        cell, is_first = self._sides.cell, not self.has_begun
        self.has_begun = True
        self._swap()
        cell.kernel.current, self._sides.stepping = cell, self
        try:
            return step(value)
        finally:
            cell.kernel.current = self._sides.stepping = None
            self._swap()
            if is_first:
                self._sides.start_next()

    def _message(self) -> Any:  # noqa: ANN401 - any message
        before, in_hand = self._sides.stepping, self._sides.cell.in_hand
        if before is not None:
            return before.begun_on
        return in_hand[0] if in_hand else None

    def let_out(self) -> None:
        cell = self._sides.cell
        if not self.is_cut and (self._said or self._records):
            self._swap()
            cell.kernel.release(cell)
            self._swap()
        cell.kernel.done()

    def _swap(self) -> None:
        """Put what this piece said in the place of what the handler has said so far."""
        cell = self._sides.cell
        cell.outbox, self._said = self._said, cell.outbox
        cell.records, self._records = self._records, cell.records


def _nothing() -> None:
    """Stop nothing: it has not begun."""
