"""A death of any actor, between messages or inside one, changes nothing that counts.

On the live engine: real tasks, real files, real threads. The moment of each death is
sampled; every actor of the tree dies once in a run, and the run must end as the
undisturbed one did.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from holdfast.options import RunOptions, read_options
from holdfast_actors.tree import (
    FEED,
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    SCHEDULER,
    Parts,
    session_path,
    strategy_path,
)
from holdfast_domain import events as ev
from holdfast_runtime import Killed, LiveEngine
from holdfast_runtime.testing import Faults

from .comparing import complaints, outcome, read, unlike
from .running import DATA, EXAMPLES, RESTLESS, run_on_paper

PATHS = (
    JOURNAL,
    ORDERS,
    LEDGER,
    GUARD,
    session_path("paper"),
    FEED,
    strategy_path("Restless"),
    strategy_path("SmaCross"),
    SCHEDULER,
    "engine/trading/console",
)
TURNS = 30
"""Turns of trio's loop in which a step's messages are somewhere on their way."""

CALLS = {SCHEDULER: 20, LEDGER: 60, strategy_path("SmaCross"): 40}
"""Messages that an actor is sure to get; `CALLS_OTHERWISE` for the others."""

CALLS_OTHERWISE = 100


Blow = Callable[[LiveEngine, Parts], None]


@attrs.frozen
class Reference:
    """The run in which nobody died."""

    options: RunOptions
    outcome: dict[str, Any]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    files = (RESTLESS, EXAMPLES / "strategies" / "sma_cross.py")
    options = read_options(
        [str(file) for file in files],
        data=DATA,
        capital=20_000,
        commission="0.001",
        start="2004-06-01",
        end="2004-12-01",
        params={"long": "20", "short": "5"},
    )
    state = tmp_path_factory.mktemp("undisturbed")
    run_on_paper(options, state)
    entries = read(state / "journal.sqlite")
    return Reference(options, outcome(entries, options.instruments))


def kill_between(path: str, sample: random.Random) -> Blow:
    """Return a blow that kills the actor at a sampled place of the run."""
    part, turns = sample.uniform(0.02, 0.95), sample.randrange(TURNS)

    def blow(engine: LiveEngine, parts: Parts) -> None:
        async def wait_and_kill() -> None:
            until_us = parts.data.times_us[int(part * len(parts.data))]
            while parts.clock.now_us < until_us:
                await trio.lowlevel.checkpoint()
            for _ in range(turns):
                await trio.lowlevel.checkpoint()
            engine.kill(engine.cells[path], Killed("by the proof"))

        engine.nursery.start_soon(wait_and_kill)

    return blow


def crash_inside(path: str, sample: random.Random) -> Blow:
    """Return a blow that fails inside a sampled message, before or after its work."""
    nth = sample.randrange(1, CALLS.get(path, CALLS_OTHERWISE))
    faults = Faults()
    faults.crash_on(path, nth=nth, after=sample.random() < 0.5)
    return lambda engine, _parts: faults.attach(engine)


def check(undisturbed: Reference, state: Path, path: str, blow: Blow) -> None:
    """Run with the blow: the actor came back, and nothing that counts is different."""
    run_on_paper(undisturbed.options, state, observe=blow)
    entries = read(state / "journal.sqlite")
    events = [entry.event for entry in entries]
    assert path in [e.path for e in events if isinstance(e, ev.ActorRestarted)]
    ended = outcome(entries, undisturbed.options.instruments)
    assert unlike(undisturbed.outcome, ended) == []
    assert complaints(state) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_kill_between_messages_changes_nothing(
    path: str,
    undisturbed: Reference,
    sample: random.Random,
    tmp_path: Path,
) -> None:
    check(undisturbed, tmp_path, path, kill_between(path, sample))


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_crash_inside_a_message_changes_nothing(
    path: str,
    undisturbed: Reference,
    sample: random.Random,
    tmp_path: Path,
) -> None:
    check(undisturbed, tmp_path, path, crash_inside(path, sample))


@pytest.mark.soak
@pytest.mark.parametrize("number", range(25))
@pytest.mark.parametrize("path", PATHS)
def test_no_kill_of_many_changes_anything(
    path: str,
    number: int,
    undisturbed: Reference,
    sample: random.Random,
    tmp_path: Path,
) -> None:
    blow = kill_between if number % 2 or path == PATHS[-1] else crash_inside
    check(undisturbed, tmp_path, path, blow(path, sample))
