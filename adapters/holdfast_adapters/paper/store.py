"""The paper venue's own SQLite file: one table of events, appended in order."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from holdfast_adapters.paper.codec import decode, encode
from holdfast_adapters.paper.records import Row
from holdfast_domain.errors import (
    CommitFailed,
    Fenced,
    InputError,
    JournalTooNew,
    OutcomeUnknown,
)

SCHEMA_VERSION = 1

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, cursor INTEGER "
    "NOT NULL, kind TEXT NOT NULL, order_id TEXT NOT NULL, body TEXT NOT NULL)",
    f"INSERT OR IGNORE INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}')",
)


_FENCE = "SELECT value FROM meta WHERE key = 'fence'"


class EventStore:
    """One connection to the file; used by one thread at a time, and it blocks.

    The file keeps the highest epoch of an engine that traded here: the fence.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            InputError: it cannot be opened, or is no record of a paper venue.
            JournalTooNew: it was written by a newer version.
        """
        self.path = path
        self._epoch = 0
        try:
            self._file = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def load(self) -> list[Row]:
        """Return all rows in order.

        Raises:
            InputError: a row cannot be read.
        """
        question = "SELECT number, cursor, kind, order_id, body FROM events ORDER BY 1"
        rows: list[Row] = []
        try:
            for number, cursor, kind, order_id, body in self._file.execute(question):
                if number != len(rows) + 1:
                    raise self._unusable(f"row {len(rows) + 1} is missing")
                rows.append((cursor, decode(kind, order_id, body)))
        except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
            raise self._unusable(f"row {len(rows) + 1}: {error!r}") from error
        return rows

    def admit(self, epoch: int) -> None:
        """Append for the engine of ``epoch`` from now on, and for no older one.

        Raises:
            Fenced: a newer engine was here.
            InputError: the file cannot be written.
        """
        run = self._file.execute
        try:
            run("BEGIN IMMEDIATE")
            try:
                self._check_fence(epoch)
                run("INSERT OR REPLACE INTO meta VALUES ('fence', ?)", (str(epoch),))
                run("COMMIT")
            finally:
                if self._file.in_transaction:
                    run("ROLLBACK")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        self._epoch = epoch

    def append(self, first: int, rows: Sequence[Row]) -> None:
        """Make ``rows`` durable, all or nothing, as the numbers from ``first`` on.

        Raises:
            CommitFailed: nothing of it is durable, for certain. So it is also if
                ``first`` does not follow the last number.
            Fenced: the same, for a newer engine was admitted.
            OutcomeUnknown: the file does not even say what it holds.
        """
        values = [
            (number, cursor, *encode(record))
            for number, (cursor, record) in enumerate(rows, first)
        ]
        try:
            self._commit(first, values)
        except Fenced:
            self._file.execute("ROLLBACK")
            raise
        except sqlite3.Error as error:
            self._settle(first, error)

    def close(self) -> None:
        """Give the file back; idempotent."""
        self._file.close()

    def _prepare(self) -> None:
        run = self._file.execute
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        for statement in _SCHEMA:
            run(statement)
        (found,) = run("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        if int(found) > SCHEMA_VERSION:
            message = (
                f"{self.path}: expected schema version {SCHEMA_VERSION} or older, got "
                f"{found}; use the version of holdfast that wrote it"
            )
            raise JournalTooNew(message)

    def _commit(self, first: int, values: Sequence[tuple[object, ...]]) -> None:
        run = self._file.execute
        run("BEGIN IMMEDIATE")
        self._check_fence(self._epoch)
        if self._last() != first - 1:
            message = f"expected to append number {self._last() + 1}, got {first}"
            raise sqlite3.IntegrityError(message)
        self._file.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", values)
        run("COMMIT")

    def _check_fence(self, epoch: int) -> None:
        found = self._file.execute(_FENCE).fetchone()
        if found is not None and int(found[0]) > epoch:
            raise fenced_off(epoch, int(found[0]))

    def _last(self) -> int:
        question = "SELECT ifnull(max(number), 0) FROM events"
        return int(self._file.execute(question).fetchone()[0])

    def _settle(self, first: int, error: sqlite3.Error) -> None:
        """Roll back, and ask the file whether that is what happened."""
        try:
            with contextlib.suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            is_absent = self._file.in_transaction is False and self._last() < first
        except sqlite3.Error as second:
            message = f"{self.path}: {error}, then {second}"
            raise OutcomeUnknown(message) from second
        if is_absent or isinstance(error, sqlite3.IntegrityError):
            message = f"{self.path}: {error}"
            raise CommitFailed(message) from error
        message = f"{self.path}: {error}"
        raise OutcomeUnknown(message) from error

    def _unusable(self, why: object) -> InputError:
        todo = "use another state directory, or put the file back from a copy"
        expected = "the record of a paper venue"
        return InputError(str(self.path), expected, str(why), todo)


def fenced_off(epoch: int, by: int) -> Fenced:
    """Return the error of the engine of ``epoch``, which a newer one has replaced."""
    return Fenced(f"the engine of epoch {by} has taken over from {epoch}", by)


def fence_of(path: Path) -> int:
    """Return the highest epoch that traded at the venue whose file is at ``path``.

    0 where there is no such file, or none that can be read: `EventStore` says why.
    """
    if not path.exists():
        return 0
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as file:
            found = file.execute(_FENCE).fetchone()
    except sqlite3.Error:
        return 0
    return 0 if found is None else int(found[0])
