"""Of a venue that is known to be away nobody is called."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from tests.actors.scripted import ScriptedVenue

from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, watch, write_opening
from holdfast.simulation.markets import options_of
from holdfast.simulation.power import FailingJournal
from holdfast_actors.degradation import Maintenance
from holdfast_domain.errors import NotSent
from holdfast_domain.windows import DailyWindow
from holdfast_runtime import Lifecycle
from holdfast_runtime.testing import Faults, FaultyEngine

NIGHT = DailyWindow(begin=time(23, 45), end=time(0, 45), zone="UTC")
MINUTE_US = 60_000_000


class Away(ScriptedVenue):
    """A venue to which nobody gets through."""

    async def connect(self) -> None:
        raise NotSent("nobody listens")


def said_at(minute: int) -> set[str]:
    """Return what a person was called for, so many minutes after midnight."""
    options = options_of(0, 1, "next_open", partial=False, venues=1)
    known = Maintenance(window=NIGHT, refuses=False, now_us=lambda: minute * MINUTE_US)
    store = FailingJournal(7)
    store.begin([])
    world = World(
        store=store, journal_host=None, venue_path=None, venue_host=None,
        wall=FixedClock(), engine=7, finished=lambda: None, mode="backtest",
        maintenance={"paper": known},
    )  # fmt: skip
    parts = make_parts(options, world)
    venue: Any = Away()
    parts.venues = {"paper": lambda: venue}
    write_opening(options, parts, world)
    engine = FaultyEngine(build_tree(parts), faults=Faults(), seed=1)
    calls: set[str] = set()

    def hear(event: Lifecycle) -> None:
        if event.what == "attention":
            calls.add(event.error)

    engine.on_lifecycle.append(hear)
    watch(engine, parts, lambda _cell, _error: None)
    engine.root.begin()
    for _ in range(200):
        engine.step()
    return calls


@pytest.mark.parametrize(
    ("minute", "calls"),
    [(10, set()), (50, {"nobody listens; trying again until it does"})],
)
def test_who_is_known_to_be_away_calls_nobody(minute: int, calls: set[str]) -> None:
    assert said_at(minute) == calls
