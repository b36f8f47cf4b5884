"""The journal in an SQLite file: WAL, synchronous, chained by hash."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import attrs

from holdfast_adapters.journal.archive import verified, write_segment
from holdfast_adapters.journal.codec import encode
from holdfast_adapters.journal.memory import check_follows
from holdfast_adapters.journal.records import (
    ROW,
    Base,
    Meta,
    base_rows,
    create,
    damage,
    entry_of,
    is_damage,
    link,
    open_reader,
    read_meta,
    unreadable,
    wal_of,
)
from holdfast_domain.errors import CommitFailed, InputError, JournalDamaged
from holdfast_domain.events import Entry

_INSERTS = [
    (count, f"INSERT INTO records VALUES {', '.join([ROW] * count)}")
    for count in (64, 8, 1)
]
"""Statements that insert so many rows at once; SQLite keeps them compiled."""

_HASH = "SELECT hash FROM records WHERE sequence = ?"
_LAST = "SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1"


class SqliteJournal:
    """A `JournalStore` in one file; one thread appends while others read.

    One process at a time may append (`StateDir` sees to it); any number may read. What
    `append` has returned for survives ``kill -9`` and, as far as the disk keeps its
    word about fsync, a power cut.
    """

    def __init__(
        self,
        path: Path,
        engine: int,
        *,
        read_only: bool = False,
        pages_max: int | None = None,
    ) -> None:
        """Open the journal at ``path``, or make it for the identity ``engine``.

        ``engine`` counts only when the file is made; `engine` tells whose it is.
        ``read_only`` never writes and never makes a file; it is for looking while an
        engine runs. ``pages_max`` bounds the file's size, in pages of 4096 bytes.

        Raises:
            InputError: if the file cannot be made, opened or written.
            JournalDamaged: if it is no journal, or its last record is bad. Only
                reading everything, as a start does, finds all damage.
            JournalTooNew: if a newer version wrote it.
        """
        self._path = path
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        if not read_only and not path.exists():
            _make(path, Meta(engine=engine))
        with contextlib.closing(open_reader(path)) as reader:
            self._meta = read_meta(reader, path)
            self._last, self._hash = _tail(reader, path, self._meta.base)
        if not read_only:
            self._writer = _open_writer(path, pages_max)

    @property
    def engine(self) -> int:
        """The identity for which the file was made."""
        return self._meta.engine

    @property
    def epoch_floor(self) -> int:
        """The next start's epoch must be above this; 0 unless it was repaired."""
        return self._meta.epoch_floor

    @property
    def last_sequence(self) -> int:
        """The sequence of the last durable record; 0 when there is none.

        A read-only journal says what it was when it was opened.
        """
        return self._last

    def append(self, batch: Sequence[Entry]) -> None:
        """Make ``batch`` durable, all or nothing; blocks, and returns when it is.

        Raises:
            CommitFailed: nothing of the batch is durable; it may be tried again.
            JournalError: if the sequences do not follow, or an event cannot be
                encoded; nothing of the batch is durable.
        """
        if not batch:
            return
        with self._lock:
            check_follows(batch, self._last)
            rows, last_hash = _chained(batch, self._hash)
            self._commit(rows)
            self._last, self._hash = batch[-1].sequence, last_hash

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Yield the durable records with a sequence above ``after``, in order.

        Every record is checked before it is yielded. The connection is its own, so
        this neither blocks `append` nor is blocked by it.

        Raises:
            JournalDamaged: a record does not match its hash or its neighbours.
            JournalTooNew: a record is of a kind that this version does not know.
        """
        with contextlib.closing(open_reader(self._path)) as reader:
            for row in verified(reader, self._path, after):
                yield entry_of(self._path, row)

    @property
    def base(self) -> int:
        """The last record that compaction has moved to the archive; 0 at first."""
        return self._meta.base.sequence

    def hash_of(self, sequence: int) -> str:
        """Return the hash of a record, hex; empty if it is not there.

        It is not checked against what the record says.
        """
        base = self._meta.base
        if sequence == base.sequence:
            return base.hash.hex()
        with contextlib.closing(open_reader(self._path)) as reader:
            try:
                found = reader.execute(_HASH, (sequence,)).fetchone()
            except sqlite3.Error as error:
                raise unreadable(self._path, error) from error
        return "" if found is None else bytes(found[0]).hex()

    def compact(self, upto: int) -> int:
        """Move the records up to ``upto`` to the archive; return how many those are.

        The newest record always stays. Blocks; `append` waits only for the deletion.
        A kill at any moment leaves each record in the live file or in the archive.

        Raises:
            CommitFailed: nothing was moved.
            JournalDamaged: a record is not as it was written; nothing was moved.
        """
        upto = min(upto, self._last - 1)
        if upto <= self.base:
            return 0
        try:
            with contextlib.closing(open_reader(self._path)) as reader:
                base = write_segment(self._path, reader, self._meta, upto)
            with self._lock:
                self._drop(base)
        except (sqlite3.Error, OSError) as error:
            message = f"{self._path}: expected to compact, got {error}; nothing changed"
            raise CommitFailed(message) from error
        moved = base.sequence - self.base
        self._meta = attrs.evolve(self._meta, base=base)
        return moved

    def _drop(self, base: Base) -> None:
        writer = self._writer
        if writer is None:
            message = "the journal is closed or read-only"
            raise OSError(message)
        try:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM records WHERE sequence <= ?", (base.sequence,))
            writer.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", base_rows(base)
            )
            writer.execute("COMMIT")
        finally:
            if writer.in_transaction:
                writer.execute("ROLLBACK")

    def close(self) -> None:
        """Give the file back; idempotent."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _commit(self, rows: list[tuple[object, ...]]) -> None:
        writer = self._writer
        if writer is None:
            raise self._failed(len(rows), "a journal that is closed or read-only")
        try:
            writer.execute("BEGIN IMMEDIATE")
            _insert(writer, rows)
            writer.execute("COMMIT")
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise self._failed(len(rows), str(error)) from error
        finally:
            if writer.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    writer.execute("ROLLBACK")

    def _failed(self, count: int, why: str) -> CommitFailed:
        return CommitFailed(
            f"{self._path}: expected to commit records {self._last + 1} to "
            f"{self._last + count}, got {why}; nothing of them is durable"
        )


def _insert(writer: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    """Insert ``rows``, many with each statement.

    Each statement lets other threads run, and then waits for them: one for each row
    would wait more than it writes.
    """
    at = 0
    for count, statement in _INSERTS:
        while len(rows) - at >= count:
            some = chain.from_iterable(rows[at : at + count])
            writer.execute(statement, list(some))
            at += count


def _chained(
    batch: Sequence[Entry], previous: bytes
) -> tuple[list[tuple[object, ...]], bytes]:
    rows: list[tuple[object, ...]] = []
    for entry in batch:
        kind, body = encode(entry.event)
        head = (
            entry.sequence,
            entry.epoch,
            entry.cursor,
            entry.market_time_us,
            entry.wall_time_us,
        )
        previous = link(previous, head, kind, body.encode())
        rows.append((*head, kind, body, previous))
    return rows, previous


def _make(path: Path, meta: Meta) -> None:
    wal = wal_of(path)
    if wal.exists() and wal.stat().st_size:
        # SQLite would take it for a part of whatever file comes to stand here.
        raise JournalDamaged(str(path), 1, f"only its {wal.name} is there")
    try:
        create(path, meta)
    except (sqlite3.Error, OSError) as error:
        raise InputError(
            str(path),
            "a directory in which a journal can be made",
            str(error),
            "check permissions and free space",
        ) from error


def _tail(reader: sqlite3.Connection, path: Path, base: Base) -> tuple[int, bytes]:
    try:
        found = reader.execute(_LAST).fetchone()
    except sqlite3.Error as error:
        if not is_damage(error):
            raise unreadable(path, error) from error
        raise damage(reader, path, str(error)) from error
    if found is None:
        return base.sequence, base.hash
    sequence, last_hash = found
    if sequence < 1 or not isinstance(last_hash, bytes):
        raise damage(reader, path, "the last record has no hash")
    return sequence, last_hash


def _open_writer(path: Path, pages_max: int | None) -> sqlite3.Connection:
    with contextlib.ExitStack() as undo:
        try:
            writer = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False
            )
            undo.callback(writer.close)
            writer.execute("PRAGMA journal_mode=WAL")
            writer.execute("PRAGMA synchronous=FULL")
            if pages_max is not None:
                writer.execute(f"PRAGMA max_page_count={pages_max:d}")
            # Takes the write lock, so that a file we may not write is refused now.
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise unreadable(path, error) from error
        undo.pop_all()
    return writer
