"""Families: a supervisor as one small machine that interprets its spec.

It looks at states and not at notices: one bell is rung whenever anything happens to a
child, and the family then looks at all of them. So two crashes at once, or a crash in
the middle of a restart, are the ordinary case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_runtime.cell import Cell, Child, State
from holdfast_runtime.errors import ActorError, EngineFailed
from holdfast_runtime.restarts import RestartWindow
from holdfast_runtime.spec import (
    ActorSpec,
    Beyond,
    Restart,
    Strategy,
    SupervisorSpec,
    actors_of,
    check_child,
    check_recorders,
)
from holdfast_runtime.timers import Timer

if TYPE_CHECKING:
    from holdfast_runtime.kernel import Kernel

_ALIVE = (State.STARTING, State.RUNNING, State.STOPPING)
_ENDED = (State.STOPPED, State.PARKED, State.NEW, State.DOWN)


class Family(Child):
    """One supervisor and its children."""

    def __init__(
        self, kernel: Kernel, spec: SupervisorSpec, family: Family | None
    ) -> None:
        super().__init__(kernel, spec, family)
        self.spec = spec
        self.bell = kernel.new_bell()
        self.window = RestartWindow(limit=spec.restarts, period_s=spec.period_s)
        self.restarts = 0
        self.children: list[Cell | Family] = []
        self.stop_wanted = False
        self.up = kernel.new_bell()
        """Rung when the family is up, or has ended."""

        self._retry: Timer | None = None
        for child in spec.children:
            self._add(child)

    @property
    def stop_s(self) -> float:
        """The sum of its children's, for they stop one after the other."""
        return sum(child.stop_s for child in self.children) + 1.0

    def begin(self) -> None:
        """Start all children in order, in a task of its own."""
        self.forget_retry()
        self.incarnation += 1
        self.started_s = None
        self.stop_wanted = False
        self.window = RestartWindow(
            limit=self.spec.restarts, period_s=self.spec.period_s
        )
        self.become(State.STARTING)
        for child in self.children:
            child.due_s = self.kernel.now_s()
            child.become(State.DOWN)
            if isinstance(child, Family):
                child.open()
        self.kernel.run_task(self._run())

    def open(self) -> None:
        """Take messages again, for all below that were stopped and will be started."""
        for child in self.children:
            if child.closed:
                child.become(State.NEW)
            if isinstance(child, Family):
                child.open()

    def request_stop(self) -> None:
        """Stop all children in reverse order."""
        if self.state is State.CRASHED and self.family is None:
            return
        if self.state in _ENDED or self.state is State.CRASHED:
            if self.ends_as is State.STOPPED:
                for child in reversed(self.children):
                    self._retire(child)
            self._end(self.ends_as)
            return
        self.stop_wanted = True
        self.bell.ring()

    def cut(self) -> None:
        """Cut all children, last first."""
        for child in reversed(self.children):
            if child.state not in _ENDED:
                child.cut()
        self.stop_wanted = True
        self.bell.ring()

    def add_child(self, spec: ActorSpec | SupervisorSpec) -> Cell | Family:
        """Add a child, and start it; if the family is down, when it starts again.

        Raises:
            SpecError: the child cannot be run here; naming it by its path.
        """
        check_child(self.path, spec, [child.name for child in self.children])
        check_recorders(actors_of(spec, self.path), self.kernel.cells)
        child = self._add(spec)
        if self.state in (State.STARTING, State.RUNNING):
            child.due_s = self.kernel.now_s()
            child.become(State.DOWN)
            self.bell.ring()
        elif self.closed:
            self._retire(child)
        return child

    def revive(self) -> None:
        """Start a parked family again, by hand."""
        if self.state is State.PARKED:
            self.begin()

    # --- the machine ---------------------------------------------------------

    async def _run(self) -> None:
        first = True
        while True:
            if self.stop_wanted:
                await self._stop_all(self.children, self.ends_as)
                self._end(self.ends_as)
                return
            error = self._look()
            if error is not None:
                await self._give_up(error)
                return
            if await self._stop_others():
                continue
            waiting = self._waiting(first=first)
            if self._start_next(waiting):
                continue
            if first and not self._busy():
                first = False
                self.started_s = self.kernel.now_s()
                self.become(State.RUNNING)
                self.up.ring()
                self.kernel.ring_family(self)
            dues = [child.due_s for child in waiting if child.due_s is not None]
            await self.bell.wait(min(dues, default=None))

    def _look(self) -> Exception | None:
        """Plan restarts for those that died; return the error that goes beyond."""
        for child in self.children:
            if child.state not in (State.CRASHED, State.EXITED):
                continue
            if not self._restarts(child):
                self._retire(child)
                continue
            self.window = self.window.add(self.kernel.now_s())
            self.restarts += 1
            if self.window.exceeded:
                return child.error or ActorError(f"{child.path} ended")
            self._plan(child)
        return None

    @staticmethod
    def _restarts(child: Child) -> bool:
        if child.state is State.EXITED:
            return child.restart is Restart.PERMANENT
        return child.restart is not Restart.TEMPORARY

    def _retire(self, child: Cell | Family) -> None:
        """Leave ``child`` stopped, with all below it; what waits there is buried."""
        child.due_s = None
        child.become(State.STOPPED)
        if isinstance(child, Cell):
            self.kernel.bury_waiting(child)
            return
        child.forget_retry()
        for each in reversed(child.children):
            self._retire(each)

    def _plan(self, child: Cell | Family) -> None:
        """Set when ``child``, and those who go with it, are started again."""
        now_s = self.kernel.now_s()
        backoff = self.spec.backoff
        if isinstance(child, Cell) and child.spec.backoff is not None:
            backoff = child.spec.backoff
        if child.started_s is not None and now_s - child.started_s >= backoff.healthy_s:
            child.attempt = 0
        due_s = now_s + backoff.delay_s(child.attempt, self.kernel.random)
        child.attempt += 1
        child.started_s = None
        child.become(State.DOWN)
        for each in self._affected(child):
            each.due_s = max(due_s, each.due_s or 0.0)

    def _affected(self, child: Cell | Family) -> list[Cell | Family]:
        place = self.children.index(child)
        if self.spec.strategy is Strategy.ONE_FOR_ONE:
            group = [child]
        elif self.spec.strategy is Strategy.ONE_FOR_ALL:
            group = list(self.children)
        else:
            group = self.children[place:]
        return [
            each
            for each in group
            if each is child or each.state not in (State.STOPPED, State.PARKED)
        ]

    async def _stop_others(self) -> bool:
        """Stop those that go along with a dead sibling; whether there were any."""
        others = [
            child
            for child in self.children
            if child.due_s is not None
            and child.state in (State.STARTING, State.RUNNING)
        ]
        await self._stop_all(others, State.DOWN)
        return bool(others)

    def _start_next(self, waiting: list[Cell | Family]) -> bool:
        """Start the first of ``waiting`` whose time has come; whether there was one."""
        now_s = self.kernel.now_s()
        for child in waiting:
            if child.due_s is not None and child.due_s <= now_s:
                child.due_s = None
                child.begin()
                return True
        return False

    def _waiting(self, *, first: bool) -> list[Cell | Family]:
        """Return those whose start waits for its time only, and for no sibling.

        When their family starts, all wait for those before them. Later, siblings that
        do not share their troubles wait for nobody.
        """
        alone = self.spec.strategy is Strategy.ONE_FOR_ONE
        found: list[Cell | Family] = []
        for child in self.children:
            if child.state is State.STARTING and (first or not alone):
                break
            if child.state is State.DOWN and child.due_s is not None:
                found.append(child)
                if not alone:
                    break
        return found

    async def _stop_all(
        self, children: list[Cell | Family], after: State = State.STOPPED
    ) -> None:
        """Stop ``children`` in reverse order, each with its deadline, then cut it."""
        for child in reversed(children):
            goal = after
            if child.restart is Restart.TEMPORARY:
                goal = State.STOPPED
            if child.state in _ALIVE:
                await self._stop_one(child, goal)
            if child.state in (State.CRASHED, State.EXITED):
                child.become(goal)
            if goal is State.STOPPED:
                self._retire(child)

    async def _stop_one(self, child: Cell | Family, after: State) -> None:
        child.ends_as = after
        child.request_stop()
        deadline_s = self.kernel.now_s() + child.stop_s
        while child.state in _ALIVE:
            if not await self.bell.wait(deadline_s):
                child.cut()
                deadline_s = self.kernel.now_s() + child.stop_s + 1.0

    async def _give_up(self, error: Exception) -> None:
        """Go beyond the limit, as the spec says."""
        parks = self.spec.beyond is Beyond.PARK
        for_good = parks or self.family is None
        await self._stop_all(self.children, State.STOPPED if for_good else State.DOWN)
        self.error = error
        if parks:
            self._park(error)
            return
        if self.family is None:
            failed = EngineFailed(f"{self.path} went beyond its limit: {error!r}")
            failed.__cause__ = error
            self.error = failed
        self._end(State.CRASHED)

    def _park(self, error: Exception) -> None:
        self.kernel.tell_lifecycle(self.path, "parked", self.incarnation, error)
        if self.stop_wanted and self.ends_as is State.STOPPED:
            self._end(State.STOPPED)
            return
        # Those that are only restarted with their siblings stay parked as well.
        self.due_s = None
        if self.spec.retry_parked_s is not None:
            self._retry = self.kernel.call_later(self.spec.retry_parked_s, self.revive)
        self._end(State.PARKED)

    def forget_retry(self) -> None:
        """Do not try again by timer."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _end(self, state: State) -> None:
        if state is not State.PARKED:
            self.forget_retry()
        self.become(state)
        self.kernel.ring_family(self)
        if self.family is None:
            self.up.ring()
            if state is not State.PARKED:
                self.kernel.root_ended()

    def _busy(self) -> bool:
        return any(
            child.state in (State.STARTING, State.DOWN, State.CRASHED, State.EXITED)
            for child in self.children
        )

    def _add(self, spec: ActorSpec | SupervisorSpec) -> Cell | Family:
        child: Cell | Family
        if isinstance(spec, SupervisorSpec):
            child = Family(self.kernel, spec, self)
        else:
            child = Cell(self.kernel, spec, self)
            self.kernel.cells[child.path] = child
        self.children.append(child)
        return child
