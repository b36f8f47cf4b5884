"""One scenario on every engine: simulated, simulated with shuffled mail, and live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast_runtime import (
    LiveEngine,
    Ref,
    SimulatedEngine,
    SupervisorSpec,
    open_engine,
)
from holdfast_runtime.cell import Cell, State
from holdfast_runtime.kernel import Kernel

KINDS = ("simulated", "shuffled", "live")
on_each_engine = pytest.mark.parametrize("kind", KINDS)


@attrs.define
class World:
    """An engine that is up, and how its scenario waits."""

    engine: Kernel

    async def settle(self) -> None:
        """Wait until nothing more happens at this moment."""
        if isinstance(self.engine, LiveEngine):
            await wait_all_tasks_blocked()
            return
        due_s: float | None = 0.0
        while due_s is not None and due_s <= self.engine.now_s():
            await self.engine.new_bell().wait(self.engine.now_s())
            due_s = self.engine.timers.first_s()

    async def sleep(self, delay_s: float) -> None:
        """Wait on the engine's clock, and then until nothing more happens."""
        if isinstance(self.engine, LiveEngine):
            await trio.sleep(delay_s)
        else:
            await self.engine.new_bell().wait(self.engine.now_s() + delay_s)
        await self.settle()

    def ref(self, path: str) -> Ref[object]:
        return self.engine.ref(path)

    def cell(self, path: str) -> Cell:
        return self.engine.cells[path]

    def state(self, path: str) -> str:
        return self.cell(path).state.value

    async def told(self, path: str, *messages: object) -> None:
        """Tell messages, and wait until nothing more happens."""
        for message in messages:
            self.engine.post(self.cell(path), message, None)
        await self.settle()


Scenario = Callable[[World], Awaitable[None]]


def play(
    kind: str,
    spec: SupervisorSpec,
    scenario: Scenario,
    *,
    seed: int = 0,
    lock_step: bool = False,
    prepare: Callable[[Kernel], None] = lambda _: None,
) -> Kernel:
    """Run ``scenario`` beside the tree; stop it; see that nothing is left behind.

    Raises what the scenario or the engine raises.
    """
    if kind == "live":
        engine: Kernel = _play_live(spec, scenario, seed, lock_step, prepare)
    else:
        engine = _play_simulated(
            spec, scenario, seed, lock_step, prepare, shuffle=kind == "shuffled"
        )
    assert (engine.pending, engine.unsettled) == (0, 0)
    assert all(cell.actor is None for cell in engine.cells.values())
    return engine


def _play_live(
    spec: SupervisorSpec,
    scenario: Scenario,
    seed: int,
    lock_step: bool,
    prepare: Callable[[Kernel], None],
) -> Kernel:
    async def main() -> Kernel:
        opened = open_engine(spec, seed=seed, lock_step=lock_step, prepare=prepare)
        async with opened as engine:
            await scenario(World(engine))
        return engine

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def _play_simulated(
    spec: SupervisorSpec,
    scenario: Scenario,
    seed: int,
    lock_step: bool,
    prepare: Callable[[Kernel], None],
    *,
    shuffle: bool,
) -> Kernel:
    engine = SimulatedEngine(spec, seed=seed, lock_step=lock_step, shuffle=shuffle)
    prepare(engine)
    engine.start()

    async def scene() -> None:
        await scenario(World(engine))

    engine.call(scene())
    engine.stop()
    if engine.root.state is State.CRASHED:
        assert engine.root.error is not None
        raise engine.root.error
    return engine
