"""Both stores: what was appended is there, in order, whatever went wrong meanwhile."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.errors import (
    CommitFailed,
    InputError,
    JournalDamaged,
    JournalError,
    JournalTooNew,
)
from holdfast_domain.events import Entry, OrderAccepted
from holdfast_domain.ports import JournalStore


def entries(first: int, last: int, text: str = "") -> list[Entry]:
    return [
        Entry(
            sequence=sequence,
            epoch=1,
            cursor=sequence << 16,
            market_time_us=1_000_000 * sequence,
            wall_time_us=1_700_000_000_000_000 + sequence,
            event=OrderAccepted(order_id="o", strategy="s", venue_order_id=text),
        )
        for sequence in range(first, last + 1)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[JournalStore]:
    made: JournalStore = (
        MemoryJournal(engine=7)
        if request.param == "memory"
        else SqliteJournal(path, engine=7)
    )
    yield made
    made.close()


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """An open directory, and permissions that count even if the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o777)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield directory
        finally:
            if root:
                os.seteuid(0)
            directory.chmod(0o777)


def test_a_new_journal_is_empty(store: JournalStore) -> None:
    assert store.last_sequence == 0
    assert list(store.read()) == []


def test_what_was_appended_is_read_in_order_and_from_any_place(
    store: JournalStore,
) -> None:
    store.append(entries(1, 3))
    store.append([])
    store.append(entries(4, 5))
    assert store.last_sequence == 5
    assert list(store.read()) == entries(1, 5)
    assert list(store.read(after=3)) == entries(4, 5)
    assert list(store.read(after=5)) == []
    assert list(store.read(after=50)) == []


def test_a_batch_of_any_size_is_kept_whole_and_in_order(store: JournalStore) -> None:
    last = 0
    for count in (1, 7, 8, 9, 63, 64, 65, 2 * 64 + 2 * 8 + 3):
        store.append(entries(last + 1, last + count))
        last += count
    assert list(store.read()) == entries(1, last)


@pytest.mark.parametrize(("first", "last"), [(1, 2), (4, 4), (5, 6)])
def test_sequences_that_do_not_follow_are_our_bug(
    store: JournalStore, first: int, last: int
) -> None:
    store.append(entries(1, 2))
    with pytest.raises(JournalError, match="expected sequence 3") as caught:
        store.append(entries(first, last))
    assert not isinstance(caught.value, CommitFailed)
    with pytest.raises(JournalError, match="expected sequence 4"):
        store.append(entries(3, 3) * 2)
    assert store.last_sequence == 2
    assert list(store.read()) == entries(1, 2)


def test_a_memory_journal_survives_its_closing() -> None:
    journal = MemoryJournal()
    journal.append(entries(1, 2))
    journal.close()
    journal.close()
    journal.append(entries(3, 3))
    assert list(journal.read()) == entries(1, 3)


def test_a_file_journal_goes_on_where_it_stopped(path: Path) -> None:
    for first in (1, 3, 5):
        journal = SqliteJournal(path, engine=first)
        assert journal.engine == 1
        assert journal.last_sequence == first - 1
        journal.append(entries(first, first + 1))
        journal.close()
        journal.close()
    assert list(SqliteJournal(path, engine=9, read_only=True).read()) == entries(1, 6)


def test_the_chain_is_what_the_format_says(path: Path) -> None:
    journal = SqliteJournal(path, engine=7)
    journal.append(entries(1, 2, "é"))
    journal.close()
    previous = bytes(32)
    with sqlite3.connect(path) as raw:
        rows = list(raw.execute("SELECT * FROM records ORDER BY sequence"))
        assert dict(raw.execute("SELECT * FROM meta")) == {
            "schema_version": "1",
            "engine": "7",
        }
    raw.close()
    for *head, kind, body, found in rows:
        text = "|".join(str(number) for number in head) + f"|{kind}|{body}"
        previous = sha256(previous + text.encode()).digest()
        assert found == previous
    assert body == '{"order_id":"o","strategy":"s","venue_order_id":"é"}'


def test_the_file_is_as_durable_as_sqlite_can_make_it(path: Path) -> None:
    journal = SqliteJournal(path, engine=7)
    assert journal._writer is not None
    assert journal._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    journal.close()


def test_a_full_disk_fails_the_batch_and_nothing_else(path: Path) -> None:
    journal = SqliteJournal(path, engine=7, pages_max=20)
    journal.append(entries(1, 3))
    with pytest.raises(CommitFailed, match="full"):
        journal.append(entries(4, 3_000, "x" * 100))
    assert journal.last_sequence == 3
    assert list(journal.read()) == entries(1, 3)
    assert journal._writer is not None
    journal._writer.execute("PRAGMA max_page_count=100000")
    journal.append(entries(4, 3_000, "y"))
    journal.close()
    again = SqliteJournal(path, engine=7, read_only=True)
    assert list(again.read(after=3)) == entries(4, 3_000, "y")


def test_a_write_that_the_system_cuts_off_fails_the_batch_and_nothing_else(
    path: Path,
) -> None:
    journal = SqliteJournal(path, engine=7)
    journal.append(entries(1, 3))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, limits[1]))
    try:
        with pytest.raises(CommitFailed):
            journal.append(entries(4, 3_000, "x" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.last_sequence == 3
    journal.append(entries(4, 5))
    assert list(journal.read()) == entries(1, 5)
    journal.close()
    assert SqliteJournal(path, engine=7, read_only=True).last_sequence == 5


def test_a_number_that_sqlite_cannot_hold_fails_the_batch(path: Path) -> None:
    journal = SqliteJournal(path, engine=7)
    batch = [*entries(1, 2), replace(entries(3, 3)[0], cursor=2**63)]
    with pytest.raises(CommitFailed):
        journal.append(batch)
    assert journal.last_sequence == 0
    assert list(journal.read()) == []
    journal.append(entries(1, 2))
    assert list(journal.read()) == entries(1, 2)
    journal.close()


def test_a_second_writer_loses_and_says_so(path: Path) -> None:
    one, two = SqliteJournal(path, engine=7), SqliteJournal(path, engine=7)
    one.append(entries(1, 2))
    with pytest.raises(CommitFailed, match="UNIQUE"):
        two.append(entries(1, 1))
    assert list(two.read()) == entries(1, 2)
    one.close()
    two.close()


def test_a_closed_or_read_only_journal_takes_nothing(path: Path) -> None:
    journal = SqliteJournal(path, engine=7)
    looking = SqliteJournal(path, engine=7, read_only=True)
    with pytest.raises(CommitFailed, match="read-only"):
        looking.append(entries(1, 1))
    journal.close()
    with pytest.raises(CommitFailed, match="closed"):
        journal.append(entries(1, 1))


def test_reading_while_another_thread_appends_gives_a_prefix(path: Path) -> None:
    journal = SqliteJournal(path, engine=7)
    done = threading.Event()

    def append() -> None:
        for first in range(1, 3_000, 10):
            journal.append(entries(first, first + 9))
        done.set()

    writer = threading.Thread(target=append)
    writer.start()
    longest = 0
    while not done.is_set():
        seen = [entry.sequence for entry in journal.read()]
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) >= longest
        longest = len(seen)
    writer.join()
    assert journal.last_sequence == 3_000
    journal.close()


def test_a_killed_writer_leaves_whole_batches_and_all_it_was_told_of(
    path: Path,
) -> None:
    script = """
import sys
from pathlib import Path
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import Entry, OrderAccepted
journal = SqliteJournal(Path(sys.argv[1]), engine=7)
event = OrderAccepted(order_id="o", strategy="s", venue_order_id="")
last = journal.last_sequence
while True:
    journal.append([
        Entry(sequence=n, epoch=1, cursor=0, market_time_us=0, wall_time_us=0,
              event=event)
        for n in range(last + 1, last + 8)
    ])
    last += 7
    print(last, flush=True)
"""
    told = 0
    for batches in (1, 3, 40):
        command = [sys.executable, "-c", script, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(batches):
                told = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
        journal = SqliteJournal(path, engine=7)
        assert journal.last_sequence >= told
        assert journal.last_sequence % 7 == 0
        assert sum(1 for _ in journal.read()) == journal.last_sequence
        journal.close()


def test_a_kill_while_the_file_was_made_leaves_no_trace(path: Path) -> None:
    path.with_name("journal.sqlite.new").write_bytes(b"half a file")
    path.with_name("journal.sqlite.new-wal").write_bytes(b"and more")
    journal = SqliteJournal(path, engine=7)
    journal.append(entries(1, 1))
    journal.close()
    assert [file.name for file in path.parent.iterdir()] == ["journal.sqlite"]


def test_a_journal_that_lost_its_main_file_is_not_made_anew(path: Path) -> None:
    journal = SqliteJournal(path, engine=7)
    journal.append(entries(1, 1))
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(JournalDamaged, match=r"only its journal\.sqlite-wal"):
        SqliteJournal(path, engine=7)
    path.with_name("elsewhere").rename(path)
    journal.close()


def test_a_newer_schema_is_refused_in_one_line(path: Path) -> None:
    SqliteJournal(path, engine=7).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    raw.close()
    for read_only in (False, True):
        with pytest.raises(JournalTooNew, match="expected version 1, got 2") as caught:
            SqliteJournal(path, engine=7, read_only=read_only)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_read_only_journal_is_never_made(path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        SqliteJournal(path, engine=7, read_only=True)
    assert not path.exists()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_directory_is_no_journal(path: Path, read_only: bool) -> None:
    path.mkdir()
    with pytest.raises(InputError, match="something else"):
        SqliteJournal(path, engine=7, read_only=read_only)


def test_a_directory_we_may_not_write_gives_one_line(as_nobody: Path) -> None:
    closed = as_nobody / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(InputError, match="directory in which a journal can be made"):
        SqliteJournal(closed / "journal.sqlite", engine=7)


def test_a_journal_we_may_not_write_can_still_be_read(as_nobody: Path) -> None:
    closed = as_nobody / "closed"
    closed.mkdir(mode=0o700)
    path = closed / "journal.sqlite"
    journal = SqliteJournal(path, engine=7)
    journal.append(entries(1, 3))
    journal.close()
    path.chmod(0o400)
    closed.chmod(0o500)
    with pytest.raises(InputError, match="readonly"):
        SqliteJournal(path, engine=7)
    journal = SqliteJournal(path, engine=7, read_only=True)
    assert list(journal.read()) == entries(1, 3)
