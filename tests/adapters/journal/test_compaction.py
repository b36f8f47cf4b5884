"""Compaction moves records to the archive; nothing is lost, and the chain stays."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast_adapters.auditor.chain import check_chain
from holdfast_adapters.auditor.reading import read_journal
from holdfast_adapters.journal import sqlite as module
from holdfast_adapters.journal.export import export
from holdfast_adapters.journal.repair import repair
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.journal.verify import verify
from holdfast_domain.errors import CommitFailed, InputError, JournalDamaged
from holdfast_domain.events import EngineStarted, Entry, OrderExpired


def entry(sequence: int) -> Entry:
    start = EngineStarted(engine=7, mode="test", pid=1, options="")
    return Entry(
        sequence=sequence,
        epoch=1,
        cursor=sequence,
        market_time_us=sequence,
        wall_time_us=sequence,
        event=start if sequence == 1 else OrderExpired(order_id="a", strategy="one"),
    )


def journal(path: Path, count: int = 100) -> SqliteJournal:
    store = SqliteJournal(path / "journal.sqlite", 7)
    store.append([entry(each) for each in range(1, count + 1)])
    return store


def live(path: Path) -> list[int]:
    with sqlite3.connect(path / "journal.sqlite") as file:
        return [row[0] for row in file.execute("SELECT sequence FROM records")]


@pytest.mark.parametrize("steps", [(40,), (40, 70), (10, 11, 99), (500,)])
def test_all_records_are_read_across_archive_and_live_file(
    tmp_path: Path, steps: tuple[int, ...]
) -> None:
    store = journal(tmp_path)
    before, hash_of_last = list(store.read()), store.hash_of(100)

    for upto in steps:
        store.compact(upto)

    last = min(steps[-1], 99)
    assert store.base == last
    assert live(tmp_path) == list(range(last + 1, 101))
    store.close()
    again = SqliteJournal(store._path, 0)
    assert list(again.read()) == before
    assert list(again.read(last - 3)) == before[last - 3 :]
    assert list(again.read(last)) == before[last:]
    assert again.hash_of(100) == hash_of_last
    again.append([entry(101)])
    again.close()
    report = verify(tmp_path / "journal.sqlite")
    assert report.damaged is None
    assert (report.first, report.records) == (1, 101)
    assert [each["sequence"] for each in export(store._path)] == list(range(1, 102))
    checks = check_chain(read_journal(store._path))
    assert [each.findings for each in checks] == [[], [], []]


def test_without_its_archive_a_journal_is_checked_from_its_anchor(
    tmp_path: Path,
) -> None:
    store = journal(tmp_path)
    store.compact(60)
    shutil.rmtree(tmp_path / "archive")

    report = verify(store._path)

    assert report.damaged is None
    assert (report.first, report.records) == (61, 100)
    assert len(list(store.read(60))) == 40
    with pytest.raises(JournalDamaged, match="segment of 'archive'"):
        list(store.read())


def test_a_record_that_was_edited_after_compaction_is_found(tmp_path: Path) -> None:
    store = journal(tmp_path)
    store.compact(60)
    store.close()
    with sqlite3.connect(store._path) as file:
        file.execute("UPDATE records SET cursor = 9 WHERE sequence = 61")

    damaged = verify(store._path).damaged

    assert damaged is not None
    assert damaged.sequence == 61


def test_an_archive_of_another_journal_is_found(tmp_path: Path) -> None:
    store = journal(tmp_path)
    store.compact(60)
    (segment,) = (tmp_path / "archive").iterdir()
    with sqlite3.connect(segment) as file:
        file.execute("DELETE FROM records WHERE sequence > 59")

    assert verify(store._path).damaged is not None


@pytest.mark.parametrize("where", ["the segment", "the deletion"])
def test_a_kill_in_the_middle_loses_no_record(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = journal(tmp_path)
    before = list(store.read())

    def killed(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if where == "the segment":
            patch.setattr(module, "write_segment", killed)
        else:
            patch.setattr(SqliteJournal, "_drop", killed)
        with pytest.raises(CommitFailed, match="No space left"):
            store.compact(50)

    assert list(store.read()) == before
    assert store.compact(70) == 70
    assert list(store.read()) == before


def test_a_repair_takes_the_archive_back(tmp_path: Path) -> None:
    store = journal(tmp_path)
    before = list(store.read())
    store.compact(60)
    store.close()

    repair(store._path, 50, datetime(2024, 1, 1, tzinfo=UTC))

    again = SqliteJournal(store._path, 0)
    assert (again.base, again.last_sequence) == (0, 50)
    assert list(again.read()) == before[:50]
    assert [each.sequence for each in read_journal(store._path)] == list(range(1, 51))
    again.compact(20)
    assert list(again.read()) == before[:50]


def test_a_repair_without_the_archive_keeps_the_anchor(tmp_path: Path) -> None:
    store = journal(tmp_path)
    before = list(store.read())
    store.compact(60)
    store.close()
    shutil.rmtree(tmp_path / "archive")

    with pytest.raises(InputError, match="from 60 to 100"):
        repair(store._path, 30, datetime(2024, 1, 1, tzinfo=UTC))
    repair(store._path, 80, datetime(2024, 1, 1, tzinfo=UTC))

    again = SqliteJournal(store._path, 0)
    assert (again.base, again.last_sequence) == (60, 80)
    assert list(again.read(60)) == before[60:80]
