"""What a builder is given: the engine, as seen from one place in the tree."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast_runtime.errors import SpecError
from holdfast_runtime.refs import Ref
from holdfast_runtime.sides import Sides

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell
    from holdfast_runtime.timers import Timer

T = TypeVar("T")


class Context:
    """One actor's view of its engine. Hand its parts to the actor's constructor."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def path(self) -> str:
        """The actor's place in the tree."""
        return self._cell.path

    @property
    def incarnation(self) -> int:
        """How often this place was built, from 1."""
        return self._cell.incarnation

    @property
    def me(self) -> Ref[Any]:
        """The actor's own reference."""
        return self._cell.ref

    def ref(self, path: str) -> Ref[Any]:
        """Return the reference of another place.

        Raises:
            SpecError: if there is no such place.
        """
        return self._cell.kernel.ref(path)

    def record(self, entry: object) -> None:
        """Record ``entry``; nothing that this handler says leaves before it is durable.

        Legal inside `handle`, `start` and `stop`.

        Raises:
            SpecError: the actor's spec names no recorder.
        """
        cell = self._cell
        if cell.spec.recorder is None:
            message = f"{cell.path} records, but its spec names no recorder"
            raise SpecError(message)
        cell.records.append(entry)

    def effect(self, call: Callable[[], None]) -> None:
        """Call ``call`` when this handler's messages leave, in their order.

        If it raises, this actor crashes, and what it said after that does not leave.
        """
        self._cell.outbox.append((None, call))

    def after(self, delay_s: float, message: object) -> Timer:
        """Tell the actor ``message`` after ``delay_s`` seconds, across restarts."""
        cell = self._cell
        return cell.kernel.call_later(
            delay_s, lambda: cell.kernel.deliver([(cell, message)], cell)
        )

    def at_end(self, call: Callable[[], None]) -> None:
        """Call ``call`` when this incarnation has ended, however: to close a host.

        The calls are made in reverse order, and must not block. If one raises, that is
        told as a lifecycle event and no more.
        """
        self._cell.at_end.append(call)

    async def sleep(self, delay_s: float) -> None:
        """Wait ``delay_s`` seconds of the engine's clock."""
        kernel = self._cell.kernel
        await kernel.new_bell().wait(kernel.now_s() + delay_s)

    def within(
        self, delay_s: float, request: Coroutine[Any, Any, T]
    ) -> Coroutine[Any, Any, T]:
        """Await what ``request`` returns, unless it takes longer than ``delay_s``.

        By the engine's clock.

        Raises:
            TimeoutError: after ``delay_s``; the request was cancelled where it stood.
        """
        return self._cell.kernel.within(delay_s, request)

    def sides(self) -> Sides:
        """Return what runs work beside this actor's handlers, until it has ended.

        For an asynchronous actor that carries several requests at once; call it in
        ``build``. A stop waits for the work, as for the message in hand; a crash or a
        kill cuts it.
        """
        cell = self._cell
        if cell.sides is None:
            cell.sides = Sides(cell)
        return cell.sides

    def monitor(self, place: Ref[Any] | str) -> None:
        """Be told what happens at ``place``, an actor or a family, by `Lifecycle`.

        The first of them, at once, says how it stands, if it was ever up. They come
        after what the actor there has said; of an actor that goes with its family,
        ``parked`` has the family's path. Asking again asks only how it stands. It
        lasts over restarts of both, until `demonitor`.

        Raises:
            SpecError: there is no such place.
        """
        self._cell.kernel.monitors.add(self._cell, path_of(place))

    def demonitor(self, place: Ref[Any] | str) -> None:
        """Be told no more of ``place``; what waits in the mailbox is still read."""
        self._cell.kernel.monitors.remove(self._cell, path_of(place))

    def beat(self) -> None:
        """Say that the actor is alive, although it handles no messages.

        For one that works in `run`, or waits long, and declares ``silent_s``.
        """
        if self._cell.watchdog is not None:
            self._cell.watchdog.beat()

    def now_s(self) -> float:
        """Return the engine's monotonic clock, in seconds."""
        return self._cell.kernel.now_s()


def path_of(place: Ref[Any] | str) -> str:
    """Return the path of a place."""
    return place if isinstance(place, str) else place.path
