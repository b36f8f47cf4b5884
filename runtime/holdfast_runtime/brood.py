"""Broods: the children of a family, whoever decides when they live."""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter
from typing import TYPE_CHECKING

from holdfast_runtime.cell import UNSETTLED, Cell, Child, State
from holdfast_runtime.checks import check_child
from holdfast_runtime.spec import ActorSpec, SupervisorSpec
from holdfast_runtime.timers import Timer

if TYPE_CHECKING:
    from holdfast_runtime.bells import Bell
    from holdfast_runtime.family import Family
    from holdfast_runtime.kernel import Kernel


PLACE = attrgetter("place")


class Brood(Child):
    """Who is there, who comes, who goes, and who waits for any of it."""

    def __init__(
        self, kernel: Kernel, spec: SupervisorSpec, family: Family | None
    ) -> None:
        super().__init__(kernel, spec, family)
        self.spec = spec
        self.bell = kernel.new_bell()
        self.children: list[Cell | Family] = []
        self._down: list[Cell | Family] = []
        """Those that are `DOWN`, in the order of start."""

        self._starting: set[Cell | Family] = set()
        self._dead: list[Cell | Family] = []
        """Those that crashed or ended by themselves, until they are looked at."""

        self._leaving: list[Cell | Family] = []
        """Children that are to be removed, by hand."""

        self._again: list[Cell | Family] = []
        """Children that are to be started anew, by hand."""

        self._watchers: list[Bell] = []
        self._culprit = self.path

        self._retry: Timer | None = None

    @property
    def stop_s(self) -> float:
        """The sum of its children's, for they stop one after the other."""
        return sum(child.stop_s for child in self.children) + 1.0

    @property
    def culprit(self) -> str:
        """The path of the actor whose crash was one too many."""
        return self._culprit

    def open(self) -> None:
        """Take messages again, for all below that were stopped and will be started."""
        for child in self.children:
            if child.closed:
                child.become(State.NEW)
            if not isinstance(child, Cell):
                child.open()

    def moved(self, child: Cell | Family, before: State) -> None:
        """Note that ``child`` is no longer in the state ``before``.

        A family of ten thousand must not look at all of them whenever one crashes.
        """
        if before is State.DOWN:
            del self._down[bisect_left(self._down, child.place, key=PLACE)]
        elif before is State.STARTING:
            self._starting.discard(child)
        if child.state is State.DOWN:
            insort(self._down, child, key=PLACE)
        elif child.state is State.STARTING:
            self._starting.add(child)
        elif child.state in (State.CRASHED, State.EXITED):
            self._dead.append(child)

    def add_child(self, spec: ActorSpec | SupervisorSpec) -> Cell | Family:
        """Add a child, and start it; if the family is down, when it starts again.

        Raises:
            SpecError: the child cannot be run here; naming it by its path.
        """
        names = [child.name for child in self.children]
        running = {path: cell.spec for path, cell in self.kernel.cells.items()}
        check_child(self.path, spec, names, running)
        child = self._add(spec)
        if self.state in (State.STARTING, State.RUNNING):
            child.due_s = self.kernel.now_s()
            child.become(State.DOWN)
            self.bell.ring()
        elif self.closed:
            self._retire(child)
        return child

    def remove(self, child: Cell | Family) -> None:
        """Stop ``child`` in order, and take it out of the tree."""
        if self.state not in (State.STARTING, State.RUNNING):
            self._drop(child)
        elif child not in self._leaving:
            self._leaving.append(child)
            self.bell.ring()

    async def settled(self, child: Cell | Family) -> None:
        """Wait until ``child`` is up, has ended for good, or is no longer here."""
        while child in self.children and (
            child.state in UNSETTLED or child.by_hand or child in self._leaving
        ):
            bell = self.kernel.new_bell()
            self._watchers.append(bell)
            await bell.wait()

    def _retire(self, child: Cell | Family) -> None:
        """Leave ``child`` stopped, with all below it; what waits there is buried."""
        child.due_s = None
        if isinstance(child, Cell):
            self.kernel.retire(child)
            return
        child.become(State.STOPPED)
        child.forget_retry()
        for each in reversed(child.children):
            self._retire(each)

    def forget_retry(self) -> None:
        """Do not try again by timer."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _forget_requests(self) -> None:
        """Of what was asked for by hand, only removals outlive the family's end."""
        leaving, self._leaving, self._again = self._leaving, [], []
        for child in self.children:
            child.by_hand = False
        for child in leaving:
            self._drop(child)
        self._tell_watchers()

    def _drop(self, child: Cell | Family) -> None:
        if child in self.children:
            self._retire(child)
            self.children.remove(child)
            self.kernel.forget(child.path)
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        watchers, self._watchers = self._watchers, []
        for bell in watchers:
            bell.ring()

    def _add(self, spec: ActorSpec | SupervisorSpec) -> Cell | Family:
        raise NotImplementedError
