"""What stands in a moved actor's place, and takes its mail to where it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from holdfast_runtime.errors import ActorError, SpecError
from holdfast_runtime.moving.contexts import Desk, Later, ThreadContext
from holdfast_runtime.moving.home import Home
from holdfast_runtime.moving.pickling import dump, load
from holdfast_runtime.moving.resident import Resident
from holdfast_runtime.refs import Ref

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell, Outbox


class Place(Protocol):
    """Where the actor is, and how its calls get there."""

    async def open(self) -> None:
        """Make the place; it ends with the incarnation."""

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Return what ``build``, ``handle`` or ``stop`` returns there.

        What it said is in its cell then. Raises what it raises there.
        """


class Moved:
    """To the engine, an asynchronous actor; each of its calls is one trip."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def handle(self, message: Any) -> Any:  # noqa: ANN401
        """Let the actor handle ``message`` where it is."""
        return await self._place.call("handle", message)

    async def stop(self) -> None:
        """Let the actor stop where it is."""
        await self._place.call("stop", None)


class MovedOut(Moved):
    """One whose place may end by itself."""

    def __init__(self, place: Place, run: Any) -> None:  # noqa: ANN401
        super().__init__(place)
        self.run = run


async def move(cell: Cell, place: Place) -> Moved:
    """Return what stands for the actor of ``cell``, which was built and is up."""
    await place.open()
    await place.call("build", cell.spec.build)
    run = getattr(place, "run", None)
    return Moved(place) if run is None else MovedOut(place, run)


class Nearby:
    """Calls an actor of this process, in whatever thread; collects what it says."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._resident = Resident(cell.path)
        self._context = ThreadContext(cell)

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
            return desk, self._call(kind, argument), None
        except BaseException as error:  # noqa: BLE001 - raised in the engine
            return desk, None, error
        finally:
            self._context.desk = None
            kernel.current = before

    def _call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        if kind == "build":
            return self._resident.build(argument, self._context)
        if kind == "handle":
            return self._resident.handle(argument)
        return self._resident.stop()

    def take(self, said: tuple[Desk, Any, BaseException | None]) -> Any:  # noqa: ANN401
        """Give the cell what was said, and return the value, or raise the error."""
        desk, value, error = said
        if error is not None:
            raise error
        self._cell.outbox.extend(desk.outbox)
        self._cell.records.extend(desk.records)
        return value


class FarAway:
    """Writes requests to an actor in a process, and reads replies; all as bytes."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._timers: dict[int, Later] = {}

    def request(self, kind: str, argument: Any) -> bytes:  # noqa: ANN401
        """Return a call as bytes.

        Raises:
            ActorError: ``argument`` cannot be pickled; naming the actor.
        """
        cell = self._cell
        try:
            data = dump(argument)
        except Exception as error:
            message = (
                f"{cell.path}: expected a message that can be pickled, for the actor "
                f"runs in a process, was {argument!r}: {error}"
            )
            raise ActorError(message) from error
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
            what, *parts = load(each, self._ref)
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

    def _entry(self, what: str, parts: list[Any]) -> tuple[Cell | None, Any]:
        """Return something that was said as the engine's own actors say it."""
        if what == "tell":
            path, message = parts
            return self._cell.kernel.cells[self._ref(path).path], message
        if what == "effect":
            return None, parts[0]
        if what == "cancel":
            return None, lambda: self._cancel(parts[0])
        number, at_s, message = parts
        timer = Later(self._cell, at_s, message)
        return None, lambda: self._arm(number, timer)

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


class InlineThread:
    """A thread of the simulated engine: the call itself, where it is made."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._nearby = Nearby(cell)

    async def open(self) -> None:
        """Nothing to make."""

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Call the actor."""
        now_s = self._cell.kernel.now_s()
        return self._nearby.take(self._nearby.call(kind, argument, now_s))


class InlineProcess:
    """A process of the simulated engine: the call itself, but all goes as bytes."""

    def __init__(self, cell: Cell) -> None:
        self._away = FarAway(cell)
        records = cell.spec.recorder is not None
        self._home = Home(cell.path, cell.incarnation, records=records)

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
