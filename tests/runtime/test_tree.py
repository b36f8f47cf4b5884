"""The picture of the tree, and the parts that need no engine."""

from __future__ import annotations

import json
from random import Random

import pytest

from holdfast_runtime import Backoff, Beyond, Full, Lane, LaneSpec, SupervisorSpec
from holdfast_runtime.restarts import RestartWindow
from holdfast_runtime.timers import Timers
from holdfast_runtime.tree import snapshot

from .puppets import CRASH, AsyncPuppet, Bulk, Do, Puppet, Say, puppet
from .worlds import World, on_each_engine, play


async def nap(actor: Puppet) -> None:
    await actor.ctx.sleep(5.0)


@on_each_engine
def test_a_snapshot_shows_states_counts_and_errors(kind: str) -> None:
    lanes = {Lane.DATA: LaneSpec(capacity=1, full=Full.DROP_OLDEST)}
    parked = SupervisorSpec(
        name="f", restarts=0, beyond=Beyond.PARK, children=(puppet([], "b"),)
    )
    spec = SupervisorSpec(
        name="top",
        backoff=Backoff(jitter=0.0),
        children=(puppet([], "a", make=AsyncPuppet, lanes=lanes), parked),
    )

    async def scenario(world: World) -> None:
        await world.told("top/a", CRASH)
        await world.sleep(1.0)
        await world.told("top/a", Say("hello"), Say("hello"))
        await world.told("top/a", Do(nap), Say("waits"), Bulk("1"), Bulk("2"))
        await world.told("top/f/b", CRASH)
        root = snapshot(world.engine)
        assert [node.path for node in root.walk()] == [
            "top",
            "top/a",
            "top/f",
            "top/f/b",
        ]
        top, a, f, b = root.walk()
        assert (top.state, f.state, b.state) == ("running", "parked", "stopped")
        assert (a.state, a.incarnation, a.restarts) == ("running", 2, 1)
        assert (a.handled, a.waiting, a.dropped) == (2, 2, 1)
        assert a.error == f.error == b.error == "Broken: "
        assert json.loads(json.dumps(root.to_json()))["children"][0]["name"] == "a"
        await world.sleep(5.0)

    play(kind, spec, scenario)


def nothing() -> None:
    pass


# --- timers -----------------------------------------------------------------------


def test_timers_come_in_order_and_equal_ones_as_they_were_added() -> None:
    timers, called = Timers(), list[str]()
    for at_s, name in ((2.0, "c"), (1.0, "a"), (1.0, "b"), (3.0, "d")):
        timers.add(at_s, lambda name=name: called.append(name))  # type: ignore[misc]
    while timers.first_s() is not None:
        timers.pop()()
    assert called == [*"abcd"]


def test_cancelled_timers_cost_no_memory() -> None:
    timers = Timers()
    last = timers.add(1e9, nothing)
    for number in range(10_000):
        timers.add(float(number), nothing).cancel()
    assert len(timers) == 1
    assert len(timers._heap) < 200
    assert timers.first_s() == last.at_s
    last.cancel()
    last.cancel()
    assert timers.first_s() is None
    assert len(timers) == 0


def test_a_timer_that_was_called_can_be_cancelled_to_no_effect() -> None:
    timers = Timers()
    timer = timers.add(1.0, nothing)
    assert timers.first_s() == 1.0
    timers.pop()
    timer.cancel()
    assert len(timers) == 0


# --- restarts ---------------------------------------------------------------------


def test_a_window_forgets_what_is_older_than_its_period() -> None:
    window = RestartWindow(limit=2, period_s=10.0)
    counted = {at_s: window.add(at_s) for at_s in (0.0, 5.0, 10.0, 14.0, 20.0, 21.0)}
    assert [at_s for at_s, beyond in counted.items() if beyond] == [14.0, 21.0]


def test_a_window_without_a_limit_is_never_exceeded() -> None:
    window = RestartWindow(limit=None, period_s=10.0)
    assert not any(window.add(1.0) for _ in range(1_000))


@pytest.mark.parametrize("attempt", [0, 1, 5, 10_000])
def test_a_backoff_stays_within_its_limits(attempt: int) -> None:
    backoff = Backoff(first_s=1.0, limit_s=16.0, jitter=0.5)
    delay_s = backoff.delay_s(attempt, Random(3))
    plain_s = min(16.0, 2.0 ** min(attempt, 5))
    assert plain_s <= delay_s <= 1.5 * plain_s
