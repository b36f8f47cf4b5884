"""What an actor in a thread sees of the engine; inline in simulation too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from holdfast_runtime.context import Context, path_of
from holdfast_runtime.errors import ActorError, SpecError
from holdfast_runtime.timers import Timer

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell, Outbox
    from holdfast_runtime.refs import Ref


class Desk:
    """Collects what one call of the actor says. To a `Ref` it is the sender."""

    __slots__ = ("now_s", "outbox", "records")

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.outbox: Outbox = []
        self.records: list[Any] = []


class Later(Timer):
    """A timer that is armed, and cancelled, when what was said leaves."""

    __slots__ = ("_cell", "_desk_of", "_message", "_real")

    def __init__(
        self,
        cell: Cell,
        at_s: float,
        message: object,
        desk_of: Callable[[], Desk] | None = None,
    ) -> None:
        self._cell = cell
        self._message = message
        self._desk_of = desk_of
        self._real: Timer | None = None
        self.at_s = at_s

    def arm(self) -> None:
        """Start the timer; on the engine's thread."""
        cell = self._cell
        delay_s = self.at_s - cell.kernel.now_s()
        self._real = cell.kernel.call_later(
            delay_s, lambda: cell.kernel.post(cell, self._message, cell)
        )

    def disarm(self) -> None:
        """Take the call back; on the engine's thread."""
        if self._real is not None:
            self._real.cancel()

    def cancel(self) -> None:
        """Take the call back, when what is said now leaves; inside a handler."""
        assert self._desk_of is not None
        self._desk_of().outbox.append((None, self.disarm))


def refuse_within(path: str, request: Coroutine[Any, Any, Any]) -> NoReturn:
    """Say that a moved actor cannot wait for ``request``.

    Raises:
        ActorError: naming the actor.
    """
    request.close()
    message = (
        f"{path}: expected no request to wait for, for it is moved out of the engine, "
        "was within()"
    )
    raise ActorError(message)


def refuse_sleep(path: str) -> NoReturn:
    """Say that a moved actor cannot wait.

    Raises:
        ActorError: naming the actor.
    """
    message = (
        f"{path}: expected after(), which tells the actor later, for it is moved out "
        "of the engine, was sleep()"
    )
    raise ActorError(message)


def refuse_sides(path: str) -> NoReturn:
    """Say that a moved actor does one thing at a time.

    Raises:
        ActorError: naming the actor.
    """
    message = (
        f"{path}: expected work inside of handle, for it is moved out of the engine, "
        "was sides()"
    )
    raise ActorError(message)


def refuse_record(path: str) -> NoReturn:
    """Say that nobody would make a record durable.

    Raises:
        SpecError: naming the actor.
    """
    message = f"{path} records, but its spec names no recorder"
    raise SpecError(message)


def refuse_outside(path: str) -> NoReturn:
    """Say that nothing can be said now.

    Raises:
        ActorError: naming the actor.
    """
    message = (
        f"{path}: expected to speak inside start, handle or stop, for it is moved out "
        "of the engine, was outside of them, or in another thread"
    )
    raise ActorError(message)


def refuse_at_end(path: str) -> NoReturn:
    """Say that the engine cannot call an actor that is elsewhere.

    Raises:
        ActorError: naming the actor.
    """
    message = (
        f"{path}: expected a stop method, for it is moved out of the engine, "
        "was at_end()"
    )
    raise ActorError(message)


class ThreadContext(Context):
    """One actor's view of its engine, from another thread."""

    __slots__ = ("_beat", "_incarnation", "desk")

    def __init__(self, cell: Cell, beat: Callable[[], None]) -> None:
        super().__init__(cell)
        self._incarnation = cell.incarnation
        self._beat = beat
        self.desk: Desk | None = None
        """Where the call that is under way says what it says."""

    @property
    def incarnation(self) -> int:
        """How often this place was built, from 1."""
        return self._incarnation

    def _desk(self) -> Desk:
        return refuse_outside(self.path) if self.desk is None else self.desk

    def record(self, entry: object) -> None:
        """Record ``entry``, as in `Context`."""
        if self._cell.spec.recorder is None:
            refuse_record(self.path)
        self._desk().records.append(entry)

    def effect(self, call: Callable[[], None]) -> None:
        """Call ``call`` on the engine's thread when this handler's messages leave."""
        self._desk().outbox.append((None, call))

    def after(self, delay_s: float, message: object) -> Timer:
        """Tell the actor ``message`` ``delay_s`` seconds after this call began.

        The timer is started, and cancelled, when the handler's messages leave.
        """
        desk = self._desk()
        timer = Later(self._cell, desk.now_s + delay_s, message, self._desk)
        desk.outbox.append((None, timer.arm))
        return timer

    def monitor(self, place: Ref[Any] | str) -> None:
        """Be told what happens at ``place``, as in `Context`; from when this leaves.

        If there is no such place, the actor crashes then.
        """
        monitors = self._cell.kernel.monitors
        self.effect(partial(monitors.add, self._cell, path_of(place)))

    def demonitor(self, place: Ref[Any] | str) -> None:
        """Be told no more of ``place``, from when this leaves."""
        monitors = self._cell.kernel.monitors
        self.effect(partial(monitors.remove, self._cell, path_of(place)))

    def beat(self) -> None:
        """Say at once that the actor is alive, in the midst of a handler."""
        self._beat()

    def at_end(self, call: Callable[[], None]) -> None:
        """Refuse: the actor has a `stop`."""
        del call
        refuse_at_end(self.path)

    def sides(self) -> NoReturn:
        """Refuse: a moved actor is synchronous."""
        refuse_sides(self.path)

    def sleep(self, delay_s: float) -> NoReturn:
        """Refuse: a moved actor is synchronous."""
        del delay_s
        refuse_sleep(self.path)

    def within(self, delay_s: float, request: Coroutine[Any, Any, Any]) -> NoReturn:
        """Refuse: a moved actor is synchronous."""
        del delay_s
        refuse_within(self.path, request)

    def now_s(self) -> float:
        """Return the engine's clock as it was when this call began, in seconds."""
        return self._desk().now_s
