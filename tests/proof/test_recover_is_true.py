"""`holdfast recover --dry-run` says what a start then does; and it only reads."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import main
from holdfast.clocks import SystemClock
from holdfast.options import read_options
from holdfast.recovering import preview
from holdfast_actors.messages import Committed, Slice
from holdfast_actors.strategy.actor import StrategyActor
from holdfast_adapters.paper import PaperVenue
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .comparing import read
from .running import (
    DATA,
    EXAMPLES,
    RESTLESS,
    records_of,
    run_on_paper,
    start_process,
    wait_for,
)

FILES = (RESTLESS, EXAMPLES / "strategies" / "sma_cross.py")
START, END = "2004-06-01", "2004-12-01"
RECORDS = 600
"""Fewer than the whole run has."""


def killed(state: Path, records: int) -> None:
    """Leave a state behind whose engine was killed at about that record."""
    arguments = [*map(str, FILES), "--data", str(DATA), "--speed", str(400 * 86_400)]
    process = start_process(state, *arguments, "--start", START, "--end", END)
    wait_for(process, lambda: records_of(state) >= records)
    process.kill()
    process.communicate()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Witness:
    """Sees what a start asks of the venue, and what it feeds its strategies again."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.gaps: list[str] = []
        self.lookups: list[str] = []
        self.fed: dict[str, list[Any]] = defaultdict(list)
        self._starting = ""
        self._watch_venue(patch)
        self._watch_strategies(patch)

    def _watch_venue(self, patch: pytest.MonkeyPatch) -> None:
        lookup, since = PaperVenue.lookup, PaperVenue.executions_since

        async def look_up(venue: PaperVenue, order_id: str, meant_us: int) -> Any:
            self.lookups.append(order_id)
            return await lookup(venue, order_id, meant_us)

        async def executions_since(venue: PaperVenue, watermark: str) -> Any:
            self.gaps.append(watermark)
            return await since(venue, watermark)

        patch.setattr(PaperVenue, "lookup", look_up)
        patch.setattr(PaperVenue, "executions_since", executions_since)

    def _watch_strategies(self, patch: pytest.MonkeyPatch) -> None:
        start, handle = StrategyActor.start, StrategyActor.handle

        def started(actor: StrategyActor) -> None:
            self._starting = actor.plan.name
            start(actor)
            self._starting = ""

        def handled(actor: StrategyActor, message: Any) -> object:
            if self._starting:
                self.fed[self._starting].append(message)
            return handle(actor, message)

        patch.setattr(StrategyActor, "start", started)
        patch.setattr(StrategyActor, "handle", handled)


def test_a_start_does_what_the_dry_run_said(
    tmp_path: Path, sample: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    killed(state, sample.randrange(50, RECORDS))
    before = digests(state)

    said = preview(StateDir.at(state), SystemClock())

    assert digests(state) == before
    last = said["last_record"]["sequence"]
    witness = Witness(monkeypatch)
    options = read_options([*map(str, FILES)], data=DATA, start=START, end=END)
    run_on_paper(options, state)
    (asked,) = said["asks"]
    assert witness.gaps[0] == asked["executions_since"]
    assert witness.lookups[: len(asked["lookups"])] == asked["lookups"]
    for each in said["refeeds"]:
        fed = witness.fed[each["strategy"]]
        steps = [message.step for message in fed if isinstance(message, Slice)]
        assert steps[:1] + steps[-1:] == (each["slices"] if steps else [])
        told = [m.entry.sequence for m in fed if isinstance(m, Committed)]
        # What came from the venue since is no part of what was there.
        assert [number for number in told if number <= last] == each["records"]
    written = [
        entry for entry in read(state / "journal.sqlite") if entry.sequence > last
    ]
    assert (type(written[0].event), written[0].epoch) == (
        ev.EngineStarted,
        said["epoch"],
    )
    assert written[0].cursor == said["goes_on_after"]["cursor"]
    doubted = [
        entry.event.order_id
        for entry in written
        if isinstance(entry.event, ev.OrderUnknown)
        and entry.event.why == "on its way when the engine ended"
    ]
    assert doubted == said["become_unknown"]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an engine left that was killed; no test changes it."""
    state = tmp_path_factory.mktemp("left") / "state"
    killed(state, RECORDS // 2)
    return state


def test_it_is_printed_for_people_and_as_json(
    left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(left)

    assert main(["recover", str(left), "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert main(["recover", str(left), "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)

    assert digests(left) == before
    assert f"last record   {said['last_record']['sequence']} " in text
    assert "ask paper     for all executions since" in text
    assert "feed again    Restless since decision" in text
    assert said["strategies"].keys() == {"Restless", "SmaCross"}
    assert said["in_use_by"] is None


def test_an_engine_may_be_running_on_it(
    left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StateDir.open(left, os.getpid()):
        assert main(["recover", str(left), "--dry-run"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    pid = os.getpid()
    assert first == f"in use        by process {pid}; this is as of its last commit"


def test_a_damaged_journal_is_named_as_a_start_does(
    left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    shutil.copyfile(left / "journal.sqlite", state / "journal.sqlite")
    shutil.copyfile(left / "journal.sqlite-wal", state / "journal.sqlite-wal")
    with closing(sqlite3.connect(state / "journal.sqlite")) as file, file:
        file.execute("UPDATE records SET body = 'torn' WHERE sequence = 20")
    before = digests(state)

    assert main(["recover", str(state), "--dry-run"]) == 1

    out, err = capsys.readouterr()
    assert digests(state) == before
    assert out == "start         refused, as the line on standard error says\n"
    assert err.startswith(
        f"holdfast: {state / 'journal.sqlite'}: expected an unbroken journal, got a "
        "damaged record 20 "
    )


def test_an_empty_directory_is_a_first_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recover", str(tmp_path), "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        "nothing       was journaled here: a start is the first one\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_dry_run_it_says_that_a_start_recovers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recover", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "holdfast: recover: expected --dry-run, got none; to recover, start the same "
        "command again: a start recovers by itself\n"
    )
