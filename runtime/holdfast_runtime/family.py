"""Families: a supervisor as one small machine that interprets its spec.

It looks at states and not at notices: one bell is rung whenever anything happens to a
child, and the family then looks at all of them. So two crashes at once, or a crash in
the middle of a restart, are the ordinary case.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from holdfast_runtime.brood import PLACE, Brood
from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import ActorError, EngineFailed
from holdfast_runtime.restarts import RestartWindow
from holdfast_runtime.spec import ActorSpec, Beyond, Restart, Strategy, SupervisorSpec

if TYPE_CHECKING:
    from holdfast_runtime.kernel import Kernel

TURNS = 64
"""Children that start or end without waiting before others get a turn."""

_ALIVE = (State.STARTING, State.RUNNING, State.STOPPING)
_ENDED = (State.STOPPED, State.PARKED, State.NEW, State.DOWN)


class Family(Brood):
    """One supervisor and its children."""

    def __init__(
        self, kernel: Kernel, spec: SupervisorSpec, family: Family | None
    ) -> None:
        super().__init__(kernel, spec, family)
        self.window = self._new_window()
        self.restarts = 0
        self._added = 0
        self._turns = 0
        self._alone = spec.strategy is Strategy.ONE_FOR_ONE
        self._rests = False
        """Whether its task waits for the bell, with nothing begun."""

        self.mends = False
        """Whether it starts children outside of its task: they need not ring."""

        self._beyond: Cell | Family | None = None
        """The child with which the limit was passed, until the task gives up."""

        self._marked: set[Cell | Family] = set()
        """Those that go along with a dead sibling, and may have to be stopped."""

        self.stop_wanted = False
        self.up = kernel.new_bell()
        """Rung when the family is up, or has ended."""

        for child in spec.children:
            self._add(child)

    def begin(self) -> None:
        """Start all children in order, in a task of its own."""
        self.forget_retry()
        self.incarnation += 1
        self.started_s = None
        self.stop_wanted = False
        self.window = self._new_window()
        self.become(State.STARTING)
        for child in self.children:
            child.due_s = self.kernel.now_s()
            child.become(State.DOWN)
            if isinstance(child, Family):
                child.open()
        self.kernel.run_task(self._run())

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

    def restart_by_hand(self, child: Cell | Family) -> list[Cell | Family]:
        """Start ``child`` anew; return it with those who go along."""
        child.by_hand = True
        self._again.append(child)
        self.bell.ring()
        return self._affected(child)

    def revive(self) -> None:
        """Start a parked family again."""
        if self.state is State.PARKED:
            self.begin()

    def mend(self) -> None:
        """Start the dead anew here and now, if nothing waits in that; else ring.

        Saves the task's turn, which is the dearer half of most restarts.
        """
        asked = self.stop_wanted or self._leaving or self._again or self._watchers
        if self._rests and self._alone and not asked:
            self.mends = True
            try:
                self._beyond = self._look()
                if self._beyond is None:
                    self._start_at_once()
            finally:
                self.mends = False
            if not (self._down or self._dead or self._beyond or self._watchers):
                return
        self.bell.ring()

    def _start_at_once(self) -> None:
        now_s = self.kernel.now_s()
        for child in self._waiting(first=False):
            if child.due_s is not None and child.due_s <= now_s:
                self._start(child)

    # --- the machine ---------------------------------------------------------

    async def _run(self) -> None:
        first = True
        while True:
            self.bell.hush()
            if self.stop_wanted:
                await self._stop_all(self.children, self.ends_as)
                self._end(self.ends_as)
                return
            # Mostly one of these has something to do, so each is asked first.
            if self._leaving or self._again:
                await self._obey()
            culprit = self._beyond or (self._look() if self._dead else None)
            if culprit is not None:
                self._beyond = None
                await self._give_up(culprit)
                return
            if self._marked and await self._stop_others():
                continue
            if self._down and await self._start_due(first=first):
                continue
            if first and not (self._down or self._starting or self._dead):
                first = False
                self.started_s = self.kernel.now_s()
                self.become(State.RUNNING)
                self.up.ring()
                self.kernel.ring_family(self)
            if self._watchers:
                self._tell_watchers()
            self._rests = not first
            try:
                await self.bell.wait(self._next_due_s(first=first))
            finally:
                self._rests = False

    async def _obey(self) -> None:
        """Do what was asked for by hand."""
        leaving, self._leaving = self._leaving, []
        for child in leaving:
            await self._stop_all([child])
            self._drop(child)
        again, self._again = self._again, []
        for child in again:
            if child.state not in (State.STOPPING, State.CRASHED, State.EXITED):
                self._plan_now(child)

    def _look(self) -> Cell | Family | None:
        """Plan restarts for those that died; return the one that goes beyond."""
        dead, self._dead = sorted(self._dead, key=PLACE), []
        for child in dead:
            if child.state not in (State.CRASHED, State.EXITED):
                continue
            if child.by_hand:
                self._plan_now(child)
                continue
            if not self._restarts(child):
                self._retire(child)
                continue
            self.restarts += 1
            if self.window.add(self.kernel.now_s()):
                return child
            self._plan(child)
        return None

    @staticmethod
    def _restarts(child: Cell | Family) -> bool:
        if child.state is State.EXITED:
            return child.restart is Restart.PERMANENT
        return child.restart is not Restart.TEMPORARY

    def _new_window(self) -> RestartWindow:
        spec = self.spec
        return RestartWindow(limit=spec.restarts, period_s=spec.period_s)

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
        if self._alone:
            child.due_s = max(due_s, child.due_s or 0.0)
            return
        for each in self._affected(child):
            each.due_s = max(due_s, each.due_s or 0.0)
            self._marked.add(each)

    def _plan_now(self, child: Cell | Family) -> None:
        """Let ``child`` start anew at once, with those who go along."""
        child.attempt = 0
        if child.state not in _ALIVE:
            child.become(State.DOWN)
            if isinstance(child, Family):
                child.open()
        for each in self._affected(child):
            each.due_s = self.kernel.now_s()
            self._marked.add(each)

    def _affected(self, child: Cell | Family) -> list[Cell | Family]:
        if self._alone:
            return [child]
        first = 0
        if self.spec.strategy is Strategy.REST_FOR_ONE:
            first = self.children.index(child)
        return [
            each
            for each in self.children[first:]
            if each is child or each.state not in (State.STOPPED, State.PARKED)
        ]

    async def _stop_others(self) -> bool:
        """Stop those that go along with a dead sibling; whether there were any."""
        marked, self._marked = self._marked, set()
        others = [
            child
            for child in sorted(marked, key=PLACE)
            if child.due_s is not None
            and child.state in (State.STARTING, State.RUNNING)
        ]
        await self._stop_all(others, State.DOWN)
        return bool(others)

    async def _start_due(self, *, first: bool) -> bool:
        """Start those of the waiting whose time has come; whether there were any."""
        now_s = self.kernel.now_s()
        started = False
        for child in self._waiting(first=first):
            if child.due_s is not None and child.due_s <= now_s:
                self._start(child)
                started = True
                await self._count_turn()
                if first or not self._alone:
                    break
        return started

    @staticmethod
    def _start(child: Cell | Family) -> None:
        child.due_s = None
        child.by_hand = False
        child.begin()

    def _next_due_s(self, *, first: bool) -> float | None:
        """Return when the next of the waiting is to be started; None for never."""
        if not self._down:
            return None
        waiting = self._waiting(first=first)
        dues = [child.due_s for child in waiting if child.due_s is not None]
        return min(dues, default=None)

    async def _count_turn(self) -> None:
        """Let others run after some children that started or ended at once."""
        self._turns += 1
        if not self._turns % TURNS:
            await self.kernel.breathe()

    def _waiting(self, *, first: bool) -> Iterator[Cell | Family]:
        """Yield those whose start waits for its time only, and for no sibling.

        When their family starts, all wait for those before them. Later, siblings that
        do not share their troubles wait for nobody.
        """
        if self._alone and not first:
            yield from [child for child in self._down if child.due_s is not None]
            return
        before = min((child.place for child in self._starting), default=inf)
        for child in self._down:
            if child.place > before:
                return
            if child.due_s is not None:
                yield child
                if not self._alone:
                    return

    async def _stop_all(
        self, children: list[Cell | Family], after: State = State.STOPPED
    ) -> None:
        """Stop ``children`` in reverse order, each with its deadline, then cut it."""
        for child in reversed(children):
            goal = after
            if child.restart is Restart.TEMPORARY and not child.by_hand:
                goal = State.STOPPED
            if child.state in _ALIVE:
                await self._stop_one(child, goal)
                await self._count_turn()
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

    async def _give_up(self, child: Cell | Family) -> None:
        """Go beyond the limit, as the spec says, after the end of ``child``."""
        error = child.error if child.state is State.CRASHED else None
        if error is None:
            error = ActorError(f"{child.path} ended")
        self._culprit = child.culprit
        parks = self.spec.beyond is Beyond.PARK
        for_good = parks or self.family is None
        await self._stop_all(self.children, State.STOPPED if for_good else State.DOWN)
        self.error = error
        if parks:
            self._park(error)
            return
        if self.family is None:
            failed = EngineFailed(
                f"{self.path} went beyond its limit of {self.spec.restarts} restarts "
                f"in {self.spec.period_s} s with {self.culprit}: {error!r}"
            )
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

    def _end(self, state: State) -> None:
        if state is not State.PARKED:
            self.forget_retry()
        self.become(state)
        self._forget_requests()
        self.kernel.ring_family(self)
        if self.family is None:
            self.up.ring()
            if state is not State.PARKED:
                self.kernel.root_ended()

    def _add(self, spec: ActorSpec | SupervisorSpec) -> Cell | Family:
        child: Cell | Family
        if isinstance(spec, SupervisorSpec):
            child = Family(self.kernel, spec, self)
        else:
            child = Cell(self.kernel, spec, self)
            self.kernel.cells[child.path] = child
            if spec.recorder is not None:
                self.kernel.cells[spec.recorder].is_recorder = True
        child.place = self._added = self._added + 1
        self.children.append(child)
        return child
