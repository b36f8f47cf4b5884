"""Two siblings trade through a scripted day of faults, each part in its own process.

A venue on the desk plays the script of the examples while an engine trades there. Each
fault must strike something, and what the engine booked, and what the venue kept, must
then agree. A commit tries a part of the day, a soak all of it over a recorded market.
"""

from __future__ import annotations

import random
from pathlib import Path

import attrs
import pytest
from tests.sampling import SEED, some_of

from holdfast_adapters.simulators.script import ScriptedFault

from .days import (
    DAYS,
    EXAMPLE_DAYS,
    SAMPLE,
    audit,
    doubts,
    engine_of,
    play,
    recording,
    trades_on,
    venue_of,
    write,
)
from .running import wait_for

GAP_S = 6.0
"""Between two faults of a part of the day: a stream that broke may be heard again."""

ALL = {**DAYS, **EXAMPLE_DAYS}
DAY = random.Random(SEED).choice(list(DAYS))
"""The one that a commit tries a part of."""

DOUBTS = {
    "binance": [
        ScriptedFault(at_s=3, kind="lost_request", of="submit"),
        ScriptedFault(at_s=3, kind="error_500", of="order", until_s=40),
    ],
    "ib": [ScriptedFault(at_s=3, kind="lost_request", of="submit")],
}
"""What leaves an order in doubt for a while: IB proves an absence in half a minute."""


def blocks(faults: list[ScriptedFault]) -> list[list[ScriptedFault]]:
    """Those that are on at the same time, together."""
    found: list[list[ScriptedFault]] = []
    end_s = -1.0
    for each in faults:
        if each.at_s >= end_s:
            found.append([])
        found[-1].append(each)
        end_s = max(end_s, each.until_s or each.at_s)
    return found


def part(faults: list[ScriptedFault]) -> list[ScriptedFault]:
    """A part of the day, with shorter pauses; what takes a minute is out."""
    quick = [each for each in blocks(faults) if each[0].kind != "half_open"]
    made: list[ScriptedFault] = []
    at_s = 4.0
    for block in sorted(some_of(quick), key=lambda each: each[0].at_s):
        by_s = at_s - block[0].at_s
        for each in block:
            until_s = None if each.until_s is None else each.until_s + by_s
            made.append(attrs.evolve(each, at_s=each.at_s + by_s, until_s=until_s))
        at_s = GAP_S + max(each.until_s or each.at_s for each in made)
    return made


@pytest.mark.parametrize("name", [DAY])
def test_two_siblings_trade_through_a_part_of_the_day(
    name: str, tmp_path: Path
) -> None:
    day = DAYS[name]
    play(day, tmp_path, part(day.faults), SAMPLE)


@pytest.mark.soak
@pytest.mark.parametrize("name", ALL)
def test_two_siblings_trade_through_the_day_of_the_examples(
    name: str, tmp_path: Path
) -> None:
    day = ALL[name]
    play(day, tmp_path, day.faults, recording(tmp_path / "recording"))


@pytest.mark.parametrize(
    "name", ["binance", pytest.param("ib", marks=pytest.mark.soak)]
)
def test_a_doubt_that_a_run_ends_with_is_resolved_by_the_next(
    name: str, tmp_path: Path
) -> None:
    day, state = DAYS[name], tmp_path / "state"
    script = write(DOUBTS[name], tmp_path / "script.yaml")
    with venue_of(day, tmp_path, script, SAMPLE) as venue:
        with engine_of(day, tmp_path, venue.address) as engine:
            wait_for(engine, lambda: doubts(state) > 0, every_s=0.1)
        assert doubts(state) == 1
        with engine_of(day, tmp_path, venue.address) as engine:
            has_gone_on = trades_on(day, engine, state)
    audit(day, tmp_path)
    assert has_gone_on
