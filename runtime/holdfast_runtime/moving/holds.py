"""Holds, where the recorder that settles them is in a thread or a process.

Each has a number. There, an `AwayHold` collects what the recorder says of it, and here
it is done when the recorder's handler has returned, in the order of all that it said.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeAlias

from holdfast_runtime.errors import ActorError
from holdfast_runtime.holds import Hold
from holdfast_runtime.messages import Records

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell

Crossing: TypeAlias = "tuple[int, Hashable, bool]"
"""A hold on its way: its number, whose it is, and whether it has failed."""

Say: TypeAlias = Callable[[int, "Exception | None"], None]


class HeldHere:
    """The holds that a moved recorder was told of and has not settled."""

    def __init__(self, cell: Cell) -> None:
        self._path = cell.path
        self._numbers: dict[Hold, int] = {}
        self._holds: dict[int, Hold] = {}
        self._last = 0
        cell.at_end.append(self._fail_all)

    def cross(self, hold: Hold) -> Crossing:
        """Return ``hold`` as it goes to the recorder; the same number each time."""
        number = self._numbers.get(hold)
        if number is None:
            number = self._last = self._last + 1
            self._numbers[hold], self._holds[number] = number, hold
        return number, (hold.cell.path, hold.life), hold.failed

    def find(self, number: int) -> Hold | None:
        """Return the hold of ``number``, unless it is settled."""
        return self._holds.get(number)

    def settle(self, number: int, error: Exception | None) -> None:
        """Confirm a hold, or fail it with ``error``; void if it is settled."""
        hold = self._holds.pop(number, None)
        if hold is None:
            return
        del self._numbers[hold]
        if error is None:
            hold.confirm()
        else:
            hold.fail(error)

    def _fail_all(self) -> None:
        """Fail what the recorder has not settled; whoever recorded is built anew."""
        for number in list(self._holds):
            self.settle(number, ActorError(f"{self._path} ended before it was durable"))


class HeldThere:
    """The same holds, where the recorder is."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._open: dict[int, AwayHold] = {}

    def meet(self, crossing: Crossing) -> AwayHold:
        """Return what stands for a hold here; one that is known stays the same."""
        number, owner, failed = crossing
        found = self._open.get(number)
        if found is None:
            found = self._open[number] = AwayHold(self, number, owner)
        found.failed = found.failed or failed
        return found

    def settle(self, hold: AwayHold, error: Exception | None) -> None:
        """Collect what the recorder says of ``hold``."""
        if self._open.pop(hold.number, None) is None:
            return
        self._say(hold.number, error)
        hold.done = True
        if error is not None:
            # What the same incarnation recorded later rests on this: lost as well.
            hold.failed = True
            for later in [*self._open.values()]:
                if later.owner == hold.owner and later.number > hold.number:
                    del self._open[later.number]
                    later.failed = later.done = True


class AwayHold(Hold):
    """Stands for a hold in another thread or process."""

    __slots__ = ("_held", "number", "owner")

    def __init__(self, held: HeldThere, number: int, owner: Hashable) -> None:
        self._held = held
        self.number = number
        self.owner = owner
        self.done = self.failed = False

    def confirm(self) -> None:
        """Say that the records are durable; it leaves with the rest."""
        self._held.settle(self, None)

    def fail(self, error: Exception) -> None:
        """Say that nothing of the records is durable; it leaves with the rest."""
        self._held.settle(self, error)

    def __repr__(self) -> str:
        return f"AwayHold({self.number})"


def replace_holds(argument: object, cross: Callable[[Hold], AwayHold]) -> object:
    """Return a message, or a batch, with what stands there for its holds."""
    if isinstance(argument, list):
        return [replace_holds(each, cross) for each in argument]
    if type(argument) is Records:
        return Records(argument.entries, cross(argument.hold))
    return argument
