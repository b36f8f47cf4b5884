"""Runs with snapshots and compaction trade as runs without, killed or not."""

from __future__ import annotations

import os
import random
import signal
from functools import partial
from pathlib import Path

import trio

from holdfast.backtest import simulate
from holdfast.options import RunOptions, read_options
from holdfast.paper import RunEnd, run_paper
from holdfast.testing.outcome import domain_records
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_adapters.journal.snapshots import SnapshotFiles
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .comparing import complaints, outcome, read, unlike
from .running import (
    DATA,
    DEADLINE_S,
    EXAMPLES,
    RESTLESS,
    records_of,
    start_process,
    wait_for,
)

FILES = (RESTLESS, EXAMPLES / "strategies" / "sma_cross.py")
START, END = "2004-06-01", "2005-03-01"
OFTEN = SnapshotPlan(every_s=0.01, poll_s=0.01, compact_after=20)
KILLS = 6


def options() -> RunOptions:
    return read_options(
        [str(file) for file in FILES],
        data=DATA,
        commission="0.001",
        start=START,
        end=END,
    )


def test_snapshots_and_compaction_change_no_domain_record(tmp_path: Path) -> None:
    expected = simulate(options()).entries

    with StateDir.open(tmp_path, os.getpid()) as directory:
        run: RunEnd = trio.run(
            partial(run_paper, options(), directory, None, snapshots=OFTEN)
        )

    assert run.finished
    assert run.parked == {}
    entries = read(tmp_path / "journal.sqlite")
    assert domain_records(entries) == domain_records(expected)
    assert [e for e in entries if isinstance(e.event, ev.StrategySaved)]
    assert len(SnapshotFiles(tmp_path / "snapshots").paths) == 5
    assert SqliteJournal(tmp_path / "journal.sqlite", 0, read_only=True).base > 0
    assert complaints(tmp_path) == []


def test_killed_again_and_again_it_starts_from_snapshots_and_loses_nothing(
    tmp_path: Path,
) -> None:
    expected = simulate(options()).entries
    state, sample = tmp_path / "state", random.Random(4)
    arguments = [
        *(str(file) for file in FILES),
        *("--data", str(DATA), "--start", START, "--end", END),
        *("--commission", "0.001", "--snapshot-every", "0.02", "--compact-after", "20"),
    ]
    left_behind = 0

    for _ in range(KILLS):
        process = start_process(state, *arguments)
        more = sample.randrange(5, len(expected) // KILLS)
        wanted = records_of(state) + more if state.exists() else more
        wait_for(process, lambda w=wanted: records_of(state) >= w)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left_behind += bool(SnapshotFiles(state / "snapshots").paths)
    _, err = (process := start_process(state, *arguments)).communicate(
        timeout=DEADLINE_S
    )

    assert (process.returncode, err) == (0, "")
    assert left_behind >= KILLS // 2
    entries = read(state / "journal.sqlite")
    instruments = options().instruments
    assert unlike(outcome(expected, instruments), outcome(entries, instruments)) == []
    assert complaints(state) == []
