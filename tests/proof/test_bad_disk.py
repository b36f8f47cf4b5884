"""A disk that takes no more stops new orders, aloud; a restart loses nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import trio

from holdfast import running as module
from holdfast.backtest import simulate
from holdfast.cli.failing import FAILED, explained
from holdfast.options import RunOptions, read_options
from holdfast.paper import EngineFailed, RunEnd, run_paper
from holdfast.testing.outcome import domain_records
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.errors import CommitFailed

from .comparing import complaints, outcome, read, unlike
from .running import DATA, RESTLESS, SHORT

ERRORS = {
    "a full disk": errno.ENOSPC,
    "a read-only disk": errno.EROFS,
    "a lost permission": errno.EACCES,
}
GOOD_APPENDS = 41
BEFORE_A_FILL = 40
"""The append that fails then has the record of a fill, which the venue has."""


class BadDisk(SqliteJournal):
    """A journal on a disk that refuses each write after some."""

    error = errno.ENOSPC
    tears = False
    appends = 0
    good = GOOD_APPENDS

    def append(self, batch: Sequence[ev.Entry]) -> None:
        """Append, until the disk is bad."""
        type(self).appends += 1
        if type(self).appends <= self.good:
            super().append(batch)
            return
        if self.tears:
            wal = self._path.with_name("journal.sqlite-wal")
            with wal.open("ab") as file:
                file.write(b"half of a page" * 100)
        raise CommitFailed(f"{self._path}: {os.strerror(self.error)}")


def options() -> RunOptions:
    return read_options(
        str(RESTLESS),
        data=DATA,
        commission="0.001",
        start="2004-06-01",
        end="2004-09-15",
    )


def run(state: Path, said: list[str]) -> RunEnd:
    with StateDir.open(state, os.getpid()) as directory:
        run: RunEnd = trio.run(
            partial(
                run_paper, options(), directory, None, backoff=SHORT, say=said.append
            )
        )
        return run


@pytest.mark.parametrize("what", [*ERRORS, "a torn write"])
def test_it_stops_says_so_and_goes_on_without_loss_after_a_restart(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BadDisk, "appends", 0)
    monkeypatch.setattr(BadDisk, "error", ERRORS.get(what, errno.EIO))
    monkeypatch.setattr(BadDisk, "tears", what == "a torn write")
    said: list[str] = []

    with monkeypatch.context() as patch:
        patch.setattr(module, "SqliteJournal", BadDisk)
        with pytest.raises(EngineFailed) as raised:
            run(tmp_path, said)

    line, status = explained(raised.value)
    assert status == FAILED
    assert os.strerror(BadDisk.error) in line
    assert [each for each in said if "crash-" in each]
    sent = [e for e in read(tmp_path / "journal.sqlite") if _is_intent(e)]
    assert sent
    assert complaints(tmp_path) == []

    assert run(tmp_path, said).finished

    entries, expected = read(tmp_path / "journal.sqlite"), simulate(options()).entries
    instruments = options().instruments
    assert unlike(outcome(expected, instruments), outcome(entries, instruments)) == []
    assert len(domain_records(entries)) >= len(domain_records(expected))
    assert complaints(tmp_path) == []


def test_a_fill_that_the_disk_did_not_take_is_booked_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BadDisk, "appends", 0)
    monkeypatch.setattr(BadDisk, "good", BEFORE_A_FILL)

    with monkeypatch.context() as patch:
        patch.setattr(module, "SqliteJournal", BadDisk)
        with pytest.raises(EngineFailed):
            run(tmp_path, [])

    assert [each for each in complaints(tmp_path) if each.startswith("fills lost")]
    assert run(tmp_path, []).finished
    assert complaints(tmp_path) == []


def _is_intent(entry: ev.Entry) -> bool:
    return isinstance(entry.event, ev.OrderIntended)


def test_a_snapshot_that_cannot_be_written_is_said_and_stops_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "snapshots").write_text("a file where a directory should be")
    said: list[str] = []

    assert run(tmp_path, said).finished

    # Said at each try: on a slow machine there is more than one.
    assert said
    assert all("no snapshot was made: " in line for line in said)
    assert all("snapshots" in line for line in said)
