"""What stands in a moved actor's place, and takes its mail to where it computes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from holdfast_runtime.accepting import manners_of
from holdfast_runtime.errors import SpecError
from holdfast_runtime.holds import Hold
from holdfast_runtime.messages import Lifecycle
from holdfast_runtime.moving.contexts import Desk, Later, ThreadContext
from holdfast_runtime.moving.holds import (
    AwayHold,
    Crossing,
    HeldHere,
    HeldThere,
    replace_holds,
)
from holdfast_runtime.moving.home import Home
from holdfast_runtime.moving.pickling import dump, load, unpicklable
from holdfast_runtime.moving.resident import Resident, Traits
from holdfast_runtime.refs import Ref

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell, Outbox


class Place(Protocol):
    """Where the actor is, and how its calls get there."""

    async def open(self) -> None:
        """Make the place; it ends with the incarnation."""

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Return what ``build``, ``handle``, ``batch`` or ``stop`` returns there.

        What it said is in its cell then. Raises what it raises there.
        """


class Moved:
    """To the engine, an asynchronous actor; each of its calls is one trip."""

    def __init__(self, place: Place, taken: tuple[type, ...] | None) -> None:
        self._place = place
        self.manners = manners_of(taken)
        run = getattr(place, "run", None)
        if run is not None:
            # The place may end by itself.
            self.run = run

    async def handle(self, message: Any) -> Any:  # noqa: ANN401
        """Let the actor handle ``message`` where it is."""
        return await self._place.call("handle", message)

    async def stop(self) -> None:
        """Let the actor stop where it is."""
        await self._place.call("stop", None)


class MovedBatches(Moved):
    """One that takes batches."""

    async def handle_batch(self, messages: list[Any]) -> None:
        """Let the actor handle ``messages`` where it is, in one trip."""
        await self._place.call("batch", messages)


async def move(cell: Cell, place: Place) -> Moved:
    """Return what stands for the actor of ``cell``, which was built and is up."""
    await place.open()
    traits: Traits = await place.call("build", cell.spec.build)
    kind = MovedBatches if traits.takes_batches else Moved
    return kind(place, traits.taken)


class Nearby:
    """Calls an actor of this process, in whatever thread; collects what it says."""

    def __init__(self, cell: Cell, beat: Callable[[], None]) -> None:
        """``beat`` is called in the actor's thread when it says that it is alive."""
        self._cell = cell
        self._resident = Resident(cell.path)
        self._context = ThreadContext(cell, beat)
        self._here = HeldHere(cell)
        self._there = HeldThere(self._say_of_hold)

    def send(self, argument: Any) -> Any:  # noqa: ANN401
        """Return an argument as it goes to the actor; on the engine's thread."""
        return replace_holds(argument, self._cross)

    def call(
        self,
        kind: str,
        argument: Any,  # noqa: ANN401
        now_s: float,
    ) -> tuple[Desk, Any, BaseException | None]:
        """Return what one call said, its value and its error."""
        kernel, desk = self._cell.kernel, Desk(now_s)
        before, kernel.current = kernel.current, desk  # type: ignore[assignment]
        self._context.desk = desk
        try:
            return desk, self._resident.call(kind, argument, self._context), None
        except BaseException as error:  # noqa: BLE001 - raised in the engine
            return desk, None, error
        finally:
            self._context.desk = None
            kernel.current = before

    def take(self, said: tuple[Desk, Any, BaseException | None]) -> Any:  # noqa: ANN401
        """Give the cell what was said, and return the value, or raise the error."""
        desk, value, error = said
        if error is not None:
            raise error
        self._cell.outbox.extend(desk.outbox)
        self._cell.records.extend(desk.records)
        return value

    def _cross(self, hold: Hold) -> AwayHold:
        if isinstance(hold, AwayHold):
            return hold
        return self._there.meet(self._here.cross(hold))

    def _say_of_hold(self, number: int, error: Exception | None) -> None:
        self._context.effect(partial(self._here.settle, number, error))


class FarAway:
    """Writes requests to an actor in a process, and reads replies; all as bytes."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._timers: dict[int, Later] = {}
        self._holds = HeldHere(cell)

    def request(self, kind: str, argument: Any) -> bytes:  # noqa: ANN401
        """Return a call as bytes.

        Raises:
            Unpicklable: ``argument`` cannot be pickled; naming the actor.
        """
        cell = self._cell
        try:
            data = dump(_portable(argument), self._holds.cross)
        except Exception as error:
            raise unpicklable(cell.path, "a message", argument, error) from error
        return dump((kind, cell.kernel.now_s(), data))

    def take(self, reply: bytes) -> Any:  # noqa: ANN401
        """Give the cell what was said, and return the value, or raise the error.

        Raises:
            SpecError: it spoke to a place that is not there.
        """
        cell = self._cell
        value, error, said = load(reply, self._ref)
        if error is not None:
            raise error
        outbox: Outbox = []
        records: list[Any] = []
        for each in said:
            what, *parts = load(each, self._ref, self._hold)
            if what == "record":
                records.append(parts[0])
            else:
                outbox.append(self._entry(what, parts))
        cell.outbox.extend(outbox)
        cell.records.extend(records)
        return value

    def _ref(self, path: str) -> Ref[Any]:
        try:
            return self._cell.kernel.ref(path)
        except SpecError as error:
            message = f"{self._cell.path}: {error}"
            raise SpecError(message) from None

    def _hold(self, crossing: Crossing) -> Hold | None:
        return self._holds.find(crossing[0])

    def _entry(self, what: str, parts: list[Any]) -> tuple[Cell | None, Any]:
        """Return something that was said as the engine's own actors say it."""
        if what == "tell":
            path, message = parts
            return self._cell.kernel.cells[self._ref(path).path], message
        if what == "effect":
            return None, parts[0]
        if what == "after":
            number, at_s, message = parts
            return None, partial(self._arm, number, Later(self._cell, at_s, message))
        monitors = self._cell.kernel.monitors
        calls: dict[str, Callable[..., None]] = {
            "cancel": self._cancel,
            "hold": self._holds.settle,
            "monitor": partial(monitors.add, self._cell),
            "demonitor": partial(monitors.remove, self._cell),
        }
        return None, partial(calls[what], *parts)

    def _arm(self, number: int, timer: Later) -> None:
        now_s = self._cell.kernel.now_s()
        due = [each for each, old in self._timers.items() if old.at_s < now_s]
        for each in due:
            del self._timers[each]
        self._timers[number] = timer
        timer.arm()

    def _cancel(self, number: int) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.disarm()


def _portable(message: object) -> object:
    """Return ``message``; what happened elsewhere, without what was in hand there."""
    if isinstance(message, list):
        return [_portable(each) for each in message]
    if type(message) is Lifecycle and message.messages:
        return attrs.evolve(message, messages=())
    return message


def beat_of(cell: Cell) -> Callable[[], None]:
    """Return what the incarnation of ``cell`` calls to say that it is alive."""
    life = cell.life

    def beat() -> None:
        if cell.life == life and cell.watchdog is not None:
            cell.watchdog.beat()

    return beat


class InlineThread:
    """A thread of the simulated engine: the call itself, where it is made."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._nearby = Nearby(cell, beat_of(cell))

    async def open(self) -> None:
        """Nothing to make."""

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Call the actor."""
        now_s, nearby = self._cell.kernel.now_s(), self._nearby
        return nearby.take(nearby.call(kind, nearby.send(argument), now_s))


class InlineProcess:
    """A process of the simulated engine: the call itself, but all goes as bytes."""

    def __init__(self, cell: Cell) -> None:
        self._away = FarAway(cell)
        records = cell.spec.recorder is not None
        self._home = Home(
            cell.path, cell.incarnation, records=records, beat=beat_of(cell)
        )

    async def open(self) -> None:
        """Nothing to make."""

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Call the actor."""
        return self._away.take(self._home.serve(self._away.request(kind, argument)))


def inline_place(cell: Cell) -> Place:
    """Return the simulated engine's place for the actor of ``cell``."""
    if cell.spec.runs_in == "thread":
        return InlineThread(cell)
    return InlineProcess(cell)
