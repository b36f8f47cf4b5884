"""The whole matrix of supervision against an oracle, on each engine.

Restart kind, how it ended, strategy, the limit that is met, who parks, and nesting to
three levels. Each case goes on until every limit was below, at and above its count, and
is compared after each step. A run samples the cases; `make soak` takes all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

import attrs
import pytest

from holdfast_runtime import (
    ActorError,
    Backoff,
    Beyond,
    Restart,
    Stop,
    Strategy,
    SupervisorSpec,
)
from holdfast_runtime.cell import Cell
from holdfast_runtime.family import Family

from .otp import Group, Leaf, Oracle, parent_of
from .puppets import CRASH, AsyncPuppet, Broken, Do, Puppet, hang, puppet
from .worlds import KINDS, World, play

OVERLAP = "crash during a sibling's restart"
ENDS = (
    "crash",
    "normal end",
    "stop request",
    "hang at stop",
    "hang at a sibling's crash",
    "failure at start",
    OVERLAP,
)
STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")
RESTARTS = ("permanent", "transient", "temporary")
AT_ONCE = Backoff(first_s=0.0, limit_s=0.0, jitter=0.0)
SAMPLED = 40


@attrs.frozen
class Case:
    """One cell of the matrix."""

    end: str
    restart: str
    sibling: str
    """Restart kind of the last of the three siblings."""

    strategy: str
    outer: str
    """Strategy of the families above."""

    depth: int
    parks: int
    """Which level parks, the innermost being 1; 0 for none."""

    is_async: bool

    @property
    def limit(self) -> int:
        return 2 if self.depth == 1 else 1

    @property
    def steps(self) -> int:
        """As many as it takes to go beyond the limit of the outermost family."""
        return int((self.limit + 1) ** self.depth) + 1


def cases(end: str) -> list[Case]:
    return [*_cases(end)]


def _cases(end: str) -> Iterator[Case]:
    waits = end.startswith("hang")
    for restart, sibling, strategy, depth in itertools.product(
        RESTARTS, RESTARTS, STRATEGIES, (1, 2, 3)
    ):
        for outer in STRATEGIES if depth > 1 else STRATEGIES[:1]:
            for parks in range(depth + 1):
                for is_async in (True,) if waits else (True, False):
                    yield Case(
                        end, restart, sibling, strategy, outer, depth, parks, is_async
                    )


# --- the same tree twice ----------------------------------------------------------


def expected_tree(case: Case) -> Group:
    children: list[Leaf | Group] = [
        Leaf("first"),
        Leaf("victim", case.restart),
        Leaf("last", case.sibling),
    ]
    for level in range(1, case.depth + 1):
        strategy = case.strategy if level == 1 else case.outer
        parks = level == case.parks
        family = Group(f"f{level}", strategy, case.limit, parks, children)
        children = [Leaf(f"before{level}"), family, Leaf(f"after{level}")]
    return Group("top", "one_for_one", 1_000, parks=False, children=children)


@attrs.define
class Script:
    """What the actors' next starts are like."""

    bad: set[str] = attrs.field(factory=set)
    slow: set[str] = attrs.field(factory=set)


def real_tree(case: Case, notes: list[str], script: Script) -> SupervisorSpec:
    def start(actor: Puppet) -> None:
        if actor.name in script.bad:
            script.bad.discard(actor.name)
            raise Broken

    class Plain(Puppet):
        def start(self) -> None:
            start(self)

    class Waiting(AsyncPuppet):
        async def start(self) -> None:
            start(self)
            if self.name in script.slow:
                script.slow.discard(self.name)
                await self.ctx.sleep(1.0)

    def spec(child: Leaf | Group) -> Any:
        if isinstance(child, Leaf):
            waits = child.name == "first" or (child.name == "victim" and case.is_async)
            return puppet(
                notes,
                child.name,
                make=Waiting if waits else Plain,
                restart=Restart(child.kind),
                stop_s=1.0,
            )
        return SupervisorSpec(
            name=child.name,
            strategy=Strategy(child.strategy),
            restarts=child.limit,
            period_s=1e6,
            beyond=Beyond.PARK if child.parks else Beyond.ESCALATE,
            backoff=AT_ONCE,
            children=tuple(spec(each) for each in child.children),
        )

    tree: SupervisorSpec = spec(expected_tree(case))
    return tree


# --- one step of it ---------------------------------------------------------------


@attrs.define
class Play:
    """The real tree and the oracle, side by side."""

    case: Case
    world: World
    notes: list[str]
    script: Script
    oracle: Oracle

    async def step(self) -> None:
        """Let it happen to both, and compare them."""
        self.notes.clear()
        self.oracle.log.clear()
        await self.happen()
        await self.world.sleep(5.0)
        self.expect()
        assert shape(self.world.engine.root) == expected_shape(self.oracle.root)
        if self.case.end != OVERLAP:
            # What the dead had in hand comes at its own time in that one.
            said = [note for note in self.notes if not note.endswith("hangs")]
            assert said == self.oracle.log

    async def happen(self) -> None:
        path = self.path("victim")
        match self.case.end:
            case "normal end":
                await self.world.told(path, Stop())
            case "stop request":
                await self.by_hand(path)
            case "hang at stop":
                await self.world.told(path, Do(hang))
                await self.by_hand(path)
            case "hang at a sibling's crash":
                await self.world.told(path, Do(hang))
                await self.world.told(self.path("first"), CRASH)
            case "failure at start":
                self.script.bad.add("victim")
                await self.world.told(path, CRASH)
            case "crash during a sibling's restart":
                self.script.slow.add("first")
                await self.world.told(self.path("first"), CRASH)
                await self.world.sleep(0.5)
                await self.world.told(path, CRASH)
            case _:
                await self.world.told(path, CRASH)

    def expect(self) -> None:
        """Let the same happen to the oracle."""
        oracle, first, victim = self.oracle, self.leaf("first"), self.leaf("victim")
        match self.case.end:
            case "normal end":
                oracle.ends(victim)
            case "stop request":
                oracle.is_restarted(victim)
            case "hang at stop":
                oracle.hanging.update({"victim"} if victim.up else ())
                oracle.is_restarted(victim)
            case "hang at a sibling's crash":
                oracle.hanging.update({"victim"} if victim.up else ())
                oracle.crashes(first)
            case "failure at start":
                oracle.bad_starts.add("victim")
                oracle.crashes(victim)
                oracle.bad_starts.clear()
                self.script.bad.clear()
            case "crash during a sibling's restart":
                if self.is_early:
                    oracle.bad_starts.add("victim")
                oracle.crashes(first)
                if not self.is_early:
                    oracle.crashes(victim)
                oracle.bad_starts.clear()
                self.script.slow.clear()
            case _:
                oracle.crashes(victim)

    @property
    def is_early(self) -> bool:
        """Whether the victim crashed as it came up, before its sibling was started.

        A temporary sibling that is up goes with it for good. One that has not run yet
        is no restart: it is started.
        """
        born = [note for note in self.notes if note in ("victim: born", "last: born")]
        early = ["victim: born", "victim: born", "last: born"]
        return any(born[at : at + 3] == early for at in range(len(born)))

    async def by_hand(self, path: str) -> None:
        if parent_of(self.leaf("victim")).up:
            await self.world.engine.restart_child(path)
            return
        with pytest.raises(ActorError, match="expected its family to run"):
            await self.world.engine.restart_child(path)

    def leaf(self, name: str) -> Leaf:
        (found,) = [each for each in leaves(self.oracle.root) if each.name == name]
        return found

    def path(self, name: str) -> str:
        (found,) = [p for p in self.world.engine.cells if p.endswith(f"/{name}")]
        return found


def leaves(group: Group) -> Iterator[Leaf]:
    for child in group.children:
        if isinstance(child, Group):
            yield from leaves(child)
        else:
            yield child


Shape = dict[str, str | tuple[str, int]]


def shape(child: Cell | Family) -> Shape:
    """Return where all stand: of families also how many restarts they counted."""
    if isinstance(child, Cell):
        return {child.name: child.state.value}
    found: Shape = {child.name: (child.state.value, child.restarts)}
    for each in child.children:
        found |= shape(each)
    return found


def expected_shape(child: Leaf | Group) -> Shape:
    state = "running" if child.up else "stopped"
    if isinstance(child, Leaf):
        return {child.name: state}
    state = "parked" if child.parked else state
    found: Shape = {child.name: (state, child.counted_ever)}
    for each in child.children:
        found |= expected_shape(each)
    return found


# --- the matrix -------------------------------------------------------------------


def check(kind: str, case: Case) -> None:
    notes: list[str] = []
    script = Script()

    async def scenario(world: World) -> None:
        both = Play(case, world, notes, script, Oracle(expected_tree(case)))
        assert notes == both.oracle.log
        for _ in range(case.steps):
            await both.step()

    try:
        play(kind, real_tree(case, notes, script), scenario)
    except Exception as error:
        error.add_note(f"{kind}: {case}")
        raise


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ENDS)
def test_a_sample_of_the_matrix(kind: str, end: str, sample: Random) -> None:
    for case in sample.sample(cases(end), SAMPLED):
        check(kind, case)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ENDS)
def test_the_whole_matrix(kind: str, end: str) -> None:
    for case in cases(end):
        check(kind, case)
