"""One engine trades an account: a second one is refused, and a zombie sends nothing.

Real processes on real files: a venue, an engine that is stopped where it stands, and
the one that takes over with a copy of its journal. And a zombie in virtual time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, watch, write_opening
from holdfast.options import read_options
from holdfast.testing import Faults
from holdfast_adapters.auditor import audit
from holdfast_adapters.auditor.reading import read_venue
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.ids import ClientOrderId
from holdfast_runtime.testing import FaultyEngine
from holdfast_runtime.threads import InlineHost

from .comparing import read
from .running import DATA, DEADLINE_S, RESTLESS, records_of, wait_for

MARKET = ["--data", str(DATA), "--start", "2004-06-01", "--end", "2004-12-01"]
SLOWLY = ["--speed", str(200 * 86_400)]


@attrs.define
class Desk:
    """A folder with a venue that runs in a process of its own, and engines."""

    folder: Path
    processes: list[subprocess.Popen[str]] = attrs.field(factory=list)

    @property
    def record(self) -> Path:
        return self.folder / "venue" / "venue-paper.sqlite"

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", *words],
            cwd=self.folder,
            env=os.environ | {"HOLDFAST_DATA_DIR": str(self.folder / "user")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def venue(self) -> None:
        process = self.start(
            *("venue", "paper", *MARKET, "--state", "venue", "--socket", "v.sock")
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "the venue listens at v.sock\n"

    def engine(self, state: str, *more: str) -> subprocess.Popen[str]:
        where = ("--state", state, "--venue-socket", "v.sock", "--json")
        return self.start("paper", str(RESTLESS), *MARKET, *where, *more)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def test_a_zombie_is_fenced_off_and_sends_nothing(desk: Desk) -> None:
    desk.venue()
    zombie = desk.engine("a", *SLOWLY)
    wait_for(zombie, lambda: records_of(desk.folder / "a") >= 150)
    zombie.send_signal(signal.SIGSTOP)
    os.waitpid(zombie.pid, os.WUNTRACED)

    # A second engine is refused, and told by whom and how to go on.
    refused = desk.engine("b")
    _, err = refused.communicate(timeout=DEADLINE_S)
    assert refused.returncode == 2
    assert err == (
        "holdfast: v.sock.lock: expected an account that no other engine trades, got "
        f"one traded by process {zombie.pid}; stop that engine; or start with "
        "--take-over, which fences it off\n"
    )

    # One that takes over goes on where the journal's copy ends.
    shutil.rmtree(desk.folder / "b")
    shutil.copytree(
        desk.folder / "a", desk.folder / "b", ignore=shutil.ignore_patterns("*.sock")
    )
    heir = desk.engine("b", "--take-over")
    out, err = heir.communicate(timeout=DEADLINE_S)
    assert (heir.returncode, err) == (0, "")
    assert json.loads(out)["fills"] > 0
    after = read_venue(desk.record)
    assert not any(
        check.findings
        for check in audit(
            desk.folder / "b" / "journal.sqlite", {"paper": desk.record}
        ).checks
    )
    assert {
        ClientOrderId.parse(row.order_id).epoch for row in after if row.order_id
    } == {1, 2}

    zombie.send_signal(signal.SIGCONT)
    _, err = zombie.communicate(timeout=DEADLINE_S)

    assert zombie.returncode == 1
    assert "holdfast: fenced off: " in err
    assert read_venue(desk.record) == after
    halts = [
        entry.event
        for entry in read(StateDir(desk.folder / "a").journal)
        if isinstance(entry.event, ev.Halted)
    ]
    assert [halt.by for halt in halts] == ["fence"]


def test_an_engine_that_was_killed_is_in_nobodys_way(desk: Desk) -> None:
    desk.venue()
    first = desk.engine("a", *SLOWLY)
    wait_for(first, lambda: records_of(desk.folder / "a") >= 50)
    first.kill()
    first.communicate()

    again = desk.engine("a")
    _, err = again.communicate(timeout=DEADLINE_S)

    assert (again.returncode, err) == (0, "")
    epochs = {entry.epoch for entry in read(desk.folder / "a" / "journal.sqlite")}
    assert epochs == {1, 2}
    assert (desk.folder / "v.sock.lock").read_text().split()[1] == "2"


def test_a_zombie_in_virtual_time_sends_nothing_either() -> None:
    store = MemoryJournal()

    def fence() -> str:
        return "another engine has the account" if store.last_sequence >= 150 else ""

    options = read_options(
        [str(RESTLESS)], data=DATA, start="2004-06-01", end="2004-12-01"
    )
    done: list[bool] = []
    world = World(
        store=store,
        journal_host=InlineHost(),
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=7,
        finished=lambda: done.append(True),
        mode="backtest",
        slices_max=1,
        fence=fence,
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    engine = FaultyEngine(build_tree(parts), faults=Faults())
    watch(engine, parts, lambda _cell, _error: None)
    engine.root.begin()
    while not done and engine.step():
        pass

    records = list(store.read())
    ((at, halt),) = [
        (each.sequence, each.event)
        for each in records
        if isinstance(each.event, ev.Halted)
    ]
    assert halt.reason == "fenced off: another engine has the account"
    later = records[at:]
    # What was on its way when the gate closed did not leave, and is given up.
    accepted = [each for each in later if isinstance(each.event, ev.OrderAccepted)]
    assert accepted == []
    assert any(isinstance(each.event, ev.OrderNotPlaced) for each in later)
    assert parts.gate.halted
