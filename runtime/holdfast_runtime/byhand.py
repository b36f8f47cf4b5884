"""Children by hand: added, removed and started anew while the tree runs."""

from __future__ import annotations

from holdfast_runtime.cell import UNSETTLED, Cell, State
from holdfast_runtime.errors import ActorError, SpecError
from holdfast_runtime.family import Family
from holdfast_runtime.spec import ActorSpec, SupervisorSpec, is_at_or_below


class ByHand:
    """What a user may change of a tree that runs; both engines have it.

    On a simulated engine: ``engine.call(engine.add_child(…))``. An actor may call these
    for anybody but itself and those above it: they would wait for each other.
    """

    root: Family
    cells: dict[str, Cell]

    async def add_child(self, family: str, spec: ActorSpec | SupervisorSpec) -> None:
        """Add a child to the family at path ``family``; return when it is up.

        It is the last one to start and the first one to stop. If its start crashes, it
        is restarted like any other. In a family that is parked, or that has not started
        yet, it starts with the family, and this returns at once.

        Raises:
            SpecError: the child cannot be run there, or there is no such family.
            ActorError: it did not come up, and will not be started again.
        """
        there = self._family(family)
        child = there.add_child(spec)
        await there.settled(child)
        if there.state is State.RUNNING and child.state is not State.RUNNING:
            message = (
                f"{child.path}: expected to start, was {child.state.value} after "
                f"{child.error!r}"
            )
            raise ActorError(message)

    async def remove_child(self, path: str) -> None:
        """Stop the child at ``path`` in order, and take it out of the tree.

        Returns when it has gone: within its ``stop_s``, or soon after that. What waited
        for it becomes dead letters; references to it raise `MailboxClosed` from then
        on, even if a child of that name is added again.

        Raises:
            SpecError: there is no such child, or somebody records there.
        """
        family, child = self._child(path)
        for other, cell in self.cells.items():
            recorder = cell.spec.recorder or ""
            if is_at_or_below(recorder, path) and not is_at_or_below(other, path):
                message = f"{path}: expected nobody to record there, {other} does"
                raise SpecError(message)
        family.remove(child)
        await family.settled(child)

    async def restart_child(self, path: str) -> None:
        """Stop the child at ``path`` in order, and start it anew.

        Those who share its troubles go along; returns when all of them are up. It waits
        for no backoff and counts as no restart. One that was stopped or parked starts
        again. What waits for those that run is kept.

        Raises:
            SpecError: there is no such child.
            ActorError: its family is parked or stopped, or it did not come up.
        """
        family, child = self._child(path)
        if family.state not in UNSETTLED | {State.RUNNING}:
            message = (
                f"{path}: expected its family to run, was {family.state.value}; "
                f"restart {family.path} first"
            )
            raise ActorError(message)
        for each in family.restart_by_hand(child):
            await family.settled(each)
        if child.state is not State.RUNNING:
            message = f"{path}: expected to start, was {child.state.value}"
            raise ActorError(message)

    def forget(self, path: str) -> None:
        """Forget all places at ``path`` and below."""
        for each in [each for each in self.cells if is_at_or_below(each, path)]:
            del self.cells[each]

    def _family(self, path: str) -> Family:
        if path == self.root.path:
            return self.root
        _, child = self._child(path)
        if not isinstance(child, Family):
            message = f"{path}: expected a family, was an actor"
            raise SpecError(message)
        return child

    def _child(self, path: str) -> tuple[Family, Cell | Family]:
        above, _, name = path.rpartition("/")
        if above:
            family = self._family(above)
            for child in family.children:
                if child.name == name:
                    return family, child
        message = f"{path}: expected the path of a child in the tree"
        raise SpecError(message)
