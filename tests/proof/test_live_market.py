"""A live market on paper: the tape makes a restart a replay, and a run repeatable."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import polars as pl
import pytest
import trio
from msgspec.structs import replace

from holdfast.backtest import simulate
from holdfast.testing.outcome import domain_records
from holdfast_actors.places import FEEDS
from holdfast_adapters.tape import SqliteTape
from holdfast_domain import events as ev
from holdfast_domain.cursor import step_of
from holdfast_domain.errors import CommitFailed
from holdfast_domain.growing import GrowingData, Seen
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData

from .comparing import complaints, outcome, read
from .live_market import (
    KILLS,
    MINUTE_US,
    PAST,
    SYMBOLS,
    TAPPER,
    market_of,
    options_of,
    run,
    steps,
)
from .running import REPOSITORY, RESTLESS

BOTH = (RESTLESS, TAPPER)


def recorded(told: list[Seen]) -> MarketData:
    """The bars of a tape, as data of a backtest."""
    columns = {}
    for symbol in SYMBOLS:
        bars = [b for step in told for b in step.bars if b.instrument == symbol]
        frame = pl.DataFrame(
            {
                "timestamp": [bar.ended_at for bar in bars],
                **{name: [getattr(bar, name) for bar in bars] for name in FIELDS},
            },
            schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
        )
        columns[symbol] = BarColumns(symbol, frame)
    marks = [step.fetched for step in told]
    late = [at for at, mark in enumerate(marks) if mark == "late"]
    return MarketData(columns, begins=marks.count("before"), late=late)


def tape_of(state: Path) -> list[Seen]:
    tape = SqliteTape(state / "tape.sqlite", "live")
    try:
        return list(tape.read())
    finally:
        tape.close()


def gone(state: Path) -> int:
    """Before which step quotes were let go."""
    with closing(SqliteTape(state / "tape.sqlite", "live")) as tape:
        return tape.let_go_before


def without(told: list[Seen], before: int) -> list[Seen]:
    """What a tape has of ``told``, of which the quotes before a step were let go."""
    return [
        replace(step, quotes=()) if at < before else step
        for at, step in enumerate(told)
    ]


@pytest.mark.parametrize("past", [0, PAST])
def test_a_live_run_leaves_the_journal_of_a_backtest_of_its_tape(
    past: int, tmp_path: Path
) -> None:
    told = steps(tells=False, past=past)
    trio.run(run, tmp_path, told, (RESTLESS,))

    assert tape_of(tmp_path) == told
    options = options_of(GrowingData(SYMBOLS, MINUTE_US), (RESTLESS,))
    backtest = simulate(attrs.evolve(options, data=recorded(told)))
    # A live run has no end.
    expected = [
        row for row in domain_records(backtest.entries) if "RunFin" not in row[2]
    ]
    entries = read(tmp_path / "journal.sqlite")
    assert domain_records(entries) == expected
    kinds = Counter(type(entry.event) for entry in entries)
    assert kinds[ev.OrderFilled] > 5
    # Who is not called on history, or on what came too late, decides nothing there.
    slices, triggers = (
        {
            step_of(entry.cursor)
            for entry in entries
            if type(entry.event) is ev.DecisionMade
            and entry.event.phase.startswith(phase)
        }
        for phase in ("slice", "trigger")
    )
    late = {at for at, step in enumerate(told) if step.fetched == "late"}
    assert min(slices | triggers) >= past
    assert not slices & late
    assert bool(triggers & late) is bool(past)
    assert complaints(tmp_path) == []


SOAK = [pytest.param(each, marks=pytest.mark.soak) for each in ("silent", "trimmed")]


@pytest.mark.parametrize("mode", ["tells", *SOAK])
def test_a_run_that_is_killed_ends_as_one_that_is_not(
    mode: str, tmp_path: Path, sample: Any
) -> None:
    told = market_of(mode)
    trio.run(run, tmp_path / "whole", told, BOTH)

    words = [str(tmp_path / "killed"), str(sample.randint(0, 1 << 30))]
    command = [sys.executable, "-m", "tests.proof.live_market", *words]
    command.append(mode)
    ended = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, f"{words}: {ended.stderr}"
    assert ended.stdout == f"{KILLS}\n"
    assert tape_of(tmp_path / "killed") == without(told, gone(tmp_path / "killed"))
    assert bool(gone(tmp_path / "killed")) is (mode == "trimmed")
    whole, killed = (
        read(tmp_path / name / "journal.sqlite") for name in ("whole", "killed")
    )
    instruments = {name: Instrument(symbol=name) for name in SYMBOLS}
    assert outcome(killed, instruments) == outcome(whole, instruments), words
    assert complaints(tmp_path / "killed") == []
    phases = Counter(e.event.phase for e in whole if type(e.event) is ev.DecisionMade)
    assert bool(phases["tick"]) is (mode == "tells")
    assert bool(phases["quote"]) is (mode != "silent")


def test_a_feed_that_dies_goes_on_and_its_neighbours_do_not_notice(
    tmp_path: Path,
) -> None:
    told = steps(tells=False, past=PAST)

    class Failing(SqliteTape):
        """Fails twice, before its commit and after it."""

        calls = 0

        def append(self, steps: Any) -> None:
            Failing.calls += 1
            if Failing.calls == 20:
                super().append(steps)
            if Failing.calls in (8, 20):
                message = "no space left"
                raise CommitFailed(message)
            super().append(steps)

    trio.run(run, tmp_path / "whole", told, (RESTLESS,))
    trio.run(run, tmp_path / "failing", told, (RESTLESS,), Failing)

    assert tape_of(tmp_path / "failing") == told
    whole, failing = (
        read(tmp_path / name / "journal.sqlite") for name in ("whole", "failing")
    )
    assert domain_records(failing) == domain_records(whole)
    restarted = [e.event.path for e in failing if type(e.event) is ev.ActorRestarted]
    assert set(restarted) == {f"{FEEDS}/here"}


def test_what_is_let_go_of_a_tape_is_needed_by_no_start(tmp_path: Path) -> None:
    """Engines are stopped on the way; each lets go of what no snapshot needs."""
    told = steps(tells=True, past=PAST, ticks=False)
    trio.run(run, tmp_path / "whole", told, BOTH)

    cut = []
    for part in (0.4, 0.7, 0.9, 1.0):
        until = round(len(told) * part)
        trio.run(
            partial(run, keep_us=0, waits_for_cut=part < 1),
            tmp_path / "cut", told[:until], BOTH,
        )  # fmt: skip
        cut.append(gone(tmp_path / "cut"))
    assert cut[0] > PAST
    assert cut == sorted(cut)
    assert tape_of(tmp_path / "cut") == without(told, cut[-1])
    whole, trimmed = (
        read(tmp_path / name / "journal.sqlite") for name in ("whole", "cut")
    )
    instruments = {name: Instrument(symbol=name) for name in SYMBOLS}
    assert outcome(trimmed, instruments) == outcome(whole, instruments)
    assert complaints(tmp_path / "cut") == []
    phases = Counter(e.event.phase for e in whole if type(e.event) is ev.DecisionMade)
    assert phases["quote"] > 3
