"""`kill -9` of a paper run, again and again: it ends as if nothing had happened.

A real process on real files, killed at sampled moments: at any record, while it
starts, and while it replays. What must be equal in the end is the ledger, every order,
every fill and every decision; and the auditor must be content.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from holdfast.options import RunOptions, read_options

from .comparing import complaints, outcome, read
from .running import (
    DATA,
    DEADLINE_S,
    EXAMPLES,
    RESTLESS,
    records_of,
    start_process,
    wait_for,
)

FILES = (
    RESTLESS,
    EXAMPLES / "strategies" / "sma_cross.py",
    EXAMPLES / "strategies" / "rebalance.py",
)
START, END = "2004-06-01", "2005-03-01"
START_UP_S = 0.8
"""About as long as a process takes until its engine is up."""

KILLS_MAX = 4


@attrs.frozen
class Reference:
    """The uninterrupted run."""

    options: RunOptions
    outcome: dict[str, Any]
    printed: dict[str, Any]
    records: int


def arguments(speed: str = "max") -> list[str]:
    return [
        *(str(file) for file in FILES),
        *("--data", str(DATA), "--start", START, "--end", END),
        *("--commission", "0.001", "--speed", speed),
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    state = tmp_path_factory.mktemp("reference") / "state"
    printed = finish(start_process(state, *arguments()))
    options = read_options(
        [str(file) for file in FILES],
        data=DATA,
        commission="0.001",
        start=START,
        end=END,
    )
    entries = read(state / "journal.sqlite")
    return Reference(
        options, outcome(entries, options.instruments), printed, len(entries)
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what the process prints at the end of the data, without its pace."""
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (0, "")
    printed: dict[str, Any] = json.loads(out)
    for each in (printed, *printed["strategies"].values()):
        each.pop("bars_per_s")
    return printed


Moment = Callable[[subprocess.Popen[str], Path], None]
"""Returns when it is time to kill the process."""


def at_any_record(reference: Reference, sample: random.Random) -> Moment:
    """Return a moment anywhere in the run; at once if it has passed."""
    wanted = sample.randrange(1, reference.records)
    return lambda process, state: wait_for(process, lambda: records_of(state) >= wanted)


def in_start_up(_: Reference, sample: random.Random) -> Moment:
    """Return a moment between nothing and a running engine."""
    after_s = sample.uniform(0.0, START_UP_S)
    return lambda process, _: wait_for(process, lambda: False, limit_s=after_s)


def in_replay(_: Reference, sample: random.Random) -> Moment:
    """Return a moment at one of the first records that a start adds."""
    more = sample.randrange(1, 12)

    def moment(process: subprocess.Popen[str], state: Path) -> None:
        before = records_of(state)
        wait_for(process, lambda: records_of(state) >= before + more)

    return moment


def die_and_go_on(state: Path, moments: list[Moment]) -> dict[str, Any]:
    """Kill a process at each of the moments; return what the last one prints."""
    for moment in moments:
        process = start_process(state, *arguments())
        moment(process, state)
        process.kill()
        process.communicate()
    return finish(start_process(state, *arguments()))


def check(reference: Reference, sample: random.Random, state: Path) -> None:
    kinds = [at_any_record, at_any_record, in_start_up, in_replay]
    count = sample.randint(1, KILLS_MAX)
    moments = [sample.choice(kinds)(reference, sample) for _ in range(count)]

    printed = die_and_go_on(state, [at_any_record(reference, sample), *moments])

    assert reference.printed == printed
    entries = read(state / "journal.sqlite")
    assert reference.outcome == outcome(entries, reference.options.instruments)
    assert complaints(state) == []


@pytest.mark.parametrize("number", range(5))
def test_a_run_that_is_killed_ends_like_one_that_is_not(
    number: int, reference: Reference, sample: random.Random, tmp_path: Path
) -> None:
    del number
    check(reference, sample, tmp_path / "state")


@pytest.mark.soak
@pytest.mark.parametrize("number", range(100))
def test_a_hundred_runs_that_are_killed_end_like_one_that_is_not(
    number: int, reference: Reference, sample: random.Random, tmp_path: Path
) -> None:
    del number
    check(reference, sample, tmp_path / "state")


def test_a_finished_state_says_its_result_again(
    reference: Reference, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    first = finish(start_process(state, *arguments()))
    records = records_of(state)

    again = finish(start_process(state, *arguments()))

    assert reference.printed == first == again
    assert records == records_of(state)


def test_the_speed_may_differ_after_a_kill(
    reference: Reference, sample: random.Random, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    process = start_process(state, *arguments(speed=str(400 * 86_400)))
    at_any_record(reference, sample)(process, state)
    process.kill()
    process.communicate()

    assert reference.printed == finish(start_process(state, *arguments()))
