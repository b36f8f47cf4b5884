"""A damaged journal: named to the record, refused, and repaired without losing it."""

from __future__ import annotations

import json
import re
import resource
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast_adapters.journal.export import export, write_json
from holdfast_adapters.journal.records import link
from holdfast_adapters.journal.repair import repair
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.journal.verify import verify
from holdfast_domain.errors import InputError, JournalDamaged, JournalTooNew
from holdfast_domain.events import EngineStarted, Entry, OrderAccepted

NOW = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)
MANY = 10_000


def entries(first: int, last: int) -> list[Entry]:
    return [
        Entry(
            sequence=sequence,
            epoch=1 if sequence < 8 else 3,
            cursor=sequence << 16,
            market_time_us=1_000_000 * sequence,
            wall_time_us=1_700_000_000_000_000 + sequence,
            event=EngineStarted(engine=7, mode="paper", pid=42, options="{}")
            if sequence == 1
            else OrderAccepted(
                order_id=f"o-{sequence}", strategy="s", venue_order_id=""
            ),
        )
        for sequence in range(first, last + 1)
    ]


def written(path: Path, count: int) -> Path:
    journal = SqliteJournal(path, engine=7)
    journal.append(entries(1, count))
    journal.close()
    return path


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    return written(tmp_path / "journal.sqlite", 10)


def edit(path: Path, statement: str) -> None:
    raw = sqlite3.connect(path)
    raw.execute(statement)
    raw.commit()
    raw.close()


def names(directory: Path) -> set[str]:
    """Return what is there, without the empty files that reading leaves."""
    return {
        file.name
        for file in directory.iterdir()
        if not file.name.endswith(("-wal", "-shm"))
    }


def truncated(path: Path) -> int:
    """Cut the file in its middle and return how many records are whole."""
    written(path, MANY)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)
    return verify(path).records


def test_a_sound_journal_is_counted(ten: Path) -> None:
    report = verify(ten)
    assert report.damaged is None
    assert report.records == 10
    assert report.kinds == {"EngineStarted": 1, "OrderAccepted": 9}
    raw = sqlite3.connect(ten)
    last = raw.execute("SELECT hash FROM records WHERE sequence = 10").fetchone()[0]
    assert report.last_hash == last.hex()
    raw.close()


def test_an_empty_journal_is_sound(tmp_path: Path) -> None:
    report = verify(written(tmp_path / "journal.sqlite", 0))
    assert (report.records, report.damaged, report.kinds) == (0, None, {})


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ("UPDATE records SET body = replace(body, 'o-5', 'o-4') WHERE sequence = 5", 5),
        ("UPDATE records SET cursor = cursor + 1 WHERE sequence = 5", 5),
        ("UPDATE records SET cursor = cursor + 0.5 WHERE sequence = 5", 5),
        ("UPDATE records SET kind = 'OrderExpired' WHERE sequence = 5", 5),
        ("UPDATE records SET body = NULL WHERE sequence = 5", 5),
        ("UPDATE records SET body = CAST(x'ff00fe' AS TEXT) WHERE sequence = 5", 5),
        ("UPDATE records SET hash = NULL WHERE sequence = 10", 10),
        ("UPDATE records SET hash = zeroblob(32) WHERE sequence = 5", 5),
        ("DELETE FROM records WHERE sequence = 5", 5),
        ("DELETE FROM records WHERE sequence = 1", 1),
        ("UPDATE records SET sequence = 12 WHERE sequence = 10", 10),
        ("UPDATE records SET sequence = -1 WHERE sequence = 1", 1),
        ("DELETE FROM meta WHERE key = 'engine'", 11),
        ("DROP TABLE meta", 11),
        ("DROP TABLE records", 1),
    ],
)
def test_every_edit_is_found_and_the_record_named(
    ten: Path, change: str, bad: int
) -> None:
    edit(ten, change)
    report = verify(ten)
    assert report.damaged is not None
    assert report.damaged.sequence == bad
    assert report.records == bad - 1
    assert re.search(rf"record {bad} .*repair DIR --to {bad - 1}", str(report.damaged))
    assert "\n" not in str(report.damaged)
    with pytest.raises(JournalDamaged) as caught:
        list(SqliteJournal(ten, engine=7).read())
    assert caught.value.sequence == bad


def test_a_gap_is_called_a_gap(ten: Path) -> None:
    edit(ten, "DELETE FROM records WHERE sequence IN (5, 6)")
    damaged = verify(ten).damaged
    assert damaged is not None
    assert damaged.why == "it is missing; the next one is 7"


def test_reading_gives_what_is_good_before_it_refuses(ten: Path) -> None:
    edit(ten, "UPDATE records SET body = '{}' WHERE sequence = 5")
    seen = []
    with pytest.raises(JournalDamaged):
        for entry in SqliteJournal(ten, engine=7, read_only=True).read(after=1):
            seen.append(entry)  # noqa: PERF402
    assert seen == entries(2, 4)


def test_reading_from_a_record_checks_it_against_the_next(ten: Path) -> None:
    edit(ten, "UPDATE records SET hash = zeroblob(32) WHERE sequence = 5")
    journal = SqliteJournal(ten, engine=7, read_only=True)
    with pytest.raises(JournalDamaged) as caught:
        list(journal.read(after=5))
    assert caught.value.sequence == 6
    assert list(journal.read(after=6)) == entries(7, 10)


def test_reading_from_a_record_that_is_gone_is_refused(ten: Path) -> None:
    edit(ten, "DELETE FROM records WHERE sequence = 5")
    with pytest.raises(JournalDamaged) as caught:
        list(SqliteJournal(ten, engine=7, read_only=True).read(after=5))
    assert caught.value.sequence == 5


def test_a_kind_of_a_newer_version_is_no_damage(ten: Path) -> None:
    raw = sqlite3.connect(ten)
    before = raw.execute("SELECT hash FROM records WHERE sequence = 10").fetchone()[0]
    made = link(before, (11, 1, 0, 0, 0), "OrderTeleported", b"{}")
    row = (11, 1, 0, 0, 0, "OrderTeleported", "{}", made)
    raw.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    raw.commit()
    raw.close()
    for look in (
        lambda: verify(ten),
        lambda: list(SqliteJournal(ten, engine=7).read()),
        lambda: repair(ten, 11, NOW),
    ):
        with pytest.raises(JournalTooNew, match=r"record 11: .*'OrderTeleported'"):
            look()
    assert [record["kind"] for record in export(ten, after=10)] == ["OrderTeleported"]


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\x00\xff" * 9_999, b"SQLite format 3\x00" + b"\x07" * 9_000],
    ids=["empty", "short", "rubbish", "header only"],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_journal_is_refused_and_kept(
    tmp_path: Path, content: bytes, read_only: bool
) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalDamaged) as caught:
        SqliteJournal(path, engine=7, read_only=read_only)
    assert caught.value.sequence == 1
    assert verify(path).records == 0
    assert path.read_bytes() == content


def test_a_truncated_file_is_read_up_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    good = truncated(path)
    assert MANY // 4 < good < MANY
    damaged = verify(path).damaged
    assert damaged is not None
    assert damaged.sequence == good + 1
    with pytest.raises(JournalDamaged) as caught:
        SqliteJournal(path, engine=7)
    assert caught.value.sequence == good + 1


def test_pages_of_rubbish_inside_are_found(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.sqlite", MANY)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 8192)
    report = verify(path)
    assert report.damaged is not None
    assert report.damaged.sequence == report.records + 1
    assert MANY // 4 < report.records < MANY
    copy = repair(path, report.records, NOW)
    assert verify(path).records == report.records
    assert copy.stat().st_size >= path.stat().st_size


def test_a_repair_keeps_the_good_records_and_a_copy_of_all(ten: Path) -> None:
    edit(ten, "UPDATE records SET body = '{}' WHERE sequence = 5")
    before = ten.read_bytes()
    copy = repair(ten, 4, NOW)
    assert copy.name == "journal.sqlite.damaged-20240301T123000000000Z"
    assert copy.read_bytes() == before
    assert {file.name for file in ten.parent.iterdir()} == {ten.name, copy.name}
    journal = SqliteJournal(ten, engine=99)
    assert journal.engine == 7
    assert list(journal.read()) == entries(1, 4)
    journal.append(entries(5, 6))
    assert verify(ten).records == 6
    journal.close()


def test_a_repair_keeps_new_starts_off_the_epochs_that_it_dropped(ten: Path) -> None:
    assert SqliteJournal(ten, engine=7, read_only=True).epoch_floor == 0
    edit(ten, "UPDATE records SET body = '{}' WHERE sequence = 5")
    repair(ten, 4, NOW)
    floor = SqliteJournal(ten, engine=7, read_only=True).epoch_floor
    assert floor > 3
    repair(ten, 2, NOW.replace(minute=31))
    assert SqliteJournal(ten, engine=7, read_only=True).epoch_floor >= floor


def test_a_repair_takes_what_was_only_in_the_wal(ten: Path) -> None:
    journal = SqliteJournal(ten, engine=7)
    journal.append(entries(11, 20))
    wal = ten.with_name(f"{ten.name}-wal")
    files = {file: file.read_bytes() for file in (ten, wal)}
    journal.close()
    for file, content in files.items():  # as a kill would have left them
        file.write_bytes(content)
    copy = repair(ten, 15, NOW)
    assert copy.with_name(f"{copy.name}-wal").read_bytes() == files[wal]
    assert copy.read_bytes() == files[ten]
    assert list(SqliteJournal(ten, engine=7).read()) == entries(1, 15)
    assert verify(copy).records == 20


def test_a_truncated_file_is_repaired_to_its_last_good_record(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    good = truncated(path)
    assert good > MANY // 4
    repair(path, good, NOW)
    journal = SqliteJournal(path, engine=99)
    assert journal.engine == 7
    assert journal.last_sequence == good
    journal.append(entries(good + 1, good + 1))
    assert list(journal.read()) == entries(1, good + 1)
    journal.close()


@pytest.mark.parametrize("to", [-1, 5, 10, 11])
def test_a_repair_beyond_what_is_good_is_refused(ten: Path, to: int) -> None:
    edit(ten, "UPDATE records SET body = '{}' WHERE sequence = 5")
    before = ten.read_bytes()
    with pytest.raises(InputError, match=f"from 0 to 4 .*got {to}; 4 is the last"):
        repair(ten, to, NOW)
    assert ten.read_bytes() == before
    assert names(ten.parent) == {ten.name}


@pytest.mark.parametrize("change", ["DROP TABLE meta", "DELETE FROM meta"])
def test_a_lost_identity_is_found_in_the_first_record(ten: Path, change: str) -> None:
    edit(ten, change)
    repair(ten, 10, NOW)
    journal = SqliteJournal(ten, engine=99)
    assert journal.engine == 7
    assert list(journal.read()) == entries(1, 10)
    journal.close()


def test_a_file_of_rubbish_is_set_aside_for_a_new_identity(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"rubbish" * 1_000)
    copy = repair(path, 0, NOW)
    assert copy.read_bytes() == b"rubbish" * 1_000
    assert not path.exists()
    journal = SqliteJournal(path, engine=99)
    assert (journal.engine, journal.last_sequence) == (99, 0)
    journal.close()


def test_a_wal_without_its_file_is_set_aside_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    wal = tmp_path / "journal.sqlite-wal"
    wal.write_bytes(b"what is left")
    with pytest.raises(InputError, match="no such file"):
        repair(path, 3, NOW)
    copy = repair(path, 0, NOW)
    assert copy.with_name(f"{copy.name}-wal").read_bytes() == b"what is left"
    assert not wal.exists()
    SqliteJournal(path, engine=9).close()


@pytest.mark.parametrize("room", [1_000, 33_000])
def test_a_full_disk_is_no_damage_and_a_repair_without_room_changes_nothing(
    tmp_path: Path, room: int
) -> None:
    ten = written(tmp_path / "journal.sqlite", 400)
    edit(ten, "UPDATE records SET body = '{}' WHERE sequence = 5")
    before = ten.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(InputError, match="free space"):
            repair(ten, 4, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ten.read_bytes() == before
    assert verify(ten).records == 4


@pytest.mark.parametrize("tool", [verify, lambda path: list(export(path))])
def test_a_journal_that_is_not_there_is_said(
    tmp_path: Path, tool: Callable[[Path], object]
) -> None:
    with pytest.raises(InputError, match="expected a journal file, got no such file"):
        tool(tmp_path / "journal.sqlite")
    with pytest.raises(InputError, match="no such file"):
        repair(tmp_path / "journal.sqlite", 0, NOW)


def test_an_export_is_what_a_person_can_read(ten: Path) -> None:
    assert next(export(ten)) == {
        "sequence": 1,
        "epoch": 1,
        "cursor": 65536,
        "market_time": "1970-01-01T00:00:01+00:00",
        "wall_time": "2023-11-14T22:13:20.000001+00:00",
        "kind": "EngineStarted",
        "body": {"engine": 7, "mode": "paper", "pid": 42, "options": "{}"},
    }
    assert [record["sequence"] for record in export(ten, after=7)] == [8, 9, 10]
    assert [record["sequence"] for record in export(ten, kind="EngineStarted")] == [1]


def test_an_exported_file_is_one_json_array(ten: Path, tmp_path: Path) -> None:
    target = tmp_path / "journal.json"
    assert write_json(ten, target) == 10
    assert json.loads(target.read_text()) == list(export(ten))
    assert write_json(ten, target, after=10) == 0
    assert json.loads(target.read_text()) == []


def test_a_failed_export_leaves_the_old_file(ten: Path, tmp_path: Path) -> None:
    target = tmp_path / "journal.json"
    target.write_text("old")
    edit(ten, "UPDATE records SET body = '{}' WHERE sequence = 5")
    with pytest.raises(JournalDamaged):
        write_json(ten, target)
    assert target.read_text() == "old"
    assert names(tmp_path) == {ten.name, target.name}
    with pytest.raises(InputError, match="No such file"):
        write_json(ten, tmp_path / "nowhere" / "journal.json")
