"""A tape in SQLite: one row for each step, each with a checksum over it and the last.

A file of its own, for what is on it is much more than what is in the journal, and the
journal's commits must not wait for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from holdfast_domain.errors import CommitFailed, DomainError, InputError
from holdfast_domain.growing import Seen

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS steps (
    step INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS source (identity TEXT NOT NULL, begun_us INTEGER NOT NULL);
"""
_READ = (
    "SELECT step, CAST(body AS BLOB), checksum FROM steps"
    " WHERE step >= ? ORDER BY step LIMIT ?"
)
_LAST = "SELECT step, checksum FROM steps ORDER BY step DESC LIMIT 1"
_BEFORE = "SELECT checksum FROM steps WHERE step = ?"
_ALL: Final = -1
"""As SQLite says that there is no limit."""

BLOCK: Final = 256
"""Steps that are read at once by whoever wants one."""

_decoder = msgspec.json.Decoder(Seen)


class TapeDamaged(DomainError):
    """A step of the tape is torn, edited or missing."""


class SqliteTape:
    """One live feed's tape. Used from one thread at a time, whichever it is."""

    def __init__(self, path: Path, identity: str, begun_us: int = 0) -> None:
        """Open or make the tape of the source with that ``identity``.

        One that is new was begun at ``begun_us``.

        Raises:
            InputError: it is of another source.
            TapeDamaged: it cannot be read.
        """
        self.path = path
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
            last = self._db.execute(_LAST).fetchone()
            known = self._db.execute("SELECT identity, begun_us FROM source").fetchone()
            if known is None:
                known = identity, begun_us
                self._db.execute("INSERT INTO source VALUES (?, ?)", known)
        except sqlite3.DatabaseError as error:
            message = f"{path}: {error}"
            raise TapeDamaged(message) from error
        self.begun_us: int = known[1]
        """When it was first opened, in µs UTC."""

        if known[0] != identity:
            came, todo = str(known[0]), "or give another state directory"
            raise InputError(str(path), f"a tape of {identity}", came, todo)
        self._next: int = 0 if last is None else last[0] + 1
        self._checksum: int = 0 if last is None else last[1]

    def __len__(self) -> int:
        """Return how many steps are durable."""
        return self._next

    def begin_anew(self) -> None:
        """Forget a history after which nothing was heard: it may be asked for anew.

        For who has acted upon nothing of it.
        """
        if len(self) and all(step.fetched == "before" for step in self.read()):
            self._db.execute("DELETE FROM steps")
            self._next = self._checksum = 0

    def append(self, steps: Sequence[Seen]) -> None:
        """Make ``steps`` durable, all or nothing; blocks.

        Raises:
            CommitFailed: nothing of them is durable.
        """
        rows, checksum = [], self._checksum
        for number, step in enumerate(steps, start=self._next):
            body = msgspec.json.encode(step)
            checksum = _summed(number, body, checksum)
            rows.append((number, body, checksum))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO steps VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            message = f"{self.path}: {error}"
            raise CommitFailed(message) from error
        self._next, self._checksum = self._next + len(rows), checksum

    def read(self, first: int = 0) -> Iterator[Seen]:
        """Yield the durable steps from the number ``first`` on, in order.

        Raises:
            TapeDamaged: one of them is not as it was written, or not there.
        """
        yield from _read(self._db, self.path, first, _ALL)

    def close(self) -> None:
        """Give the file back; idempotent."""
        self._db.close()


class TapeReader:
    """Reads single steps of a tape on which another connection writes; blocks.

    It reads a block of them at once, for whoever wants one wants its neighbours.
    """

    def __init__(self, path: Path) -> None:
        """Read the tape at ``path``, which is opened when it is first asked for."""
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._first = 0
        self._block: list[Seen] = []

    def __call__(self, step: int) -> Seen:
        """Return a durable step.

        Raises:
            TapeDamaged: it is not as it was written, or not there.
        """
        if not 0 <= step - self._first < len(self._block):
            if self._db is None:
                address = f"{self._path.absolute().as_uri()}?mode=ro"
                self._db = sqlite3.connect(address, uri=True)
            self._first = step - step % BLOCK
            self._block = list(_read(self._db, self._path, self._first, BLOCK))
        try:
            return self._block[step - self._first]
        except IndexError:
            message = f"{self._path}: step {step} is not there"
            raise TapeDamaged(message) from None

    def close(self) -> None:
        """Give the file back; idempotent."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _read(db: sqlite3.Connection, path: Path, first: int, count: int) -> Iterator[Seen]:
    before = db.execute(_BEFORE, (first - 1,)).fetchone()
    checksum = 0 if before is None else before[0]
    rows = db.execute(_READ, (first, count))
    for expected, (step, body, found) in enumerate(rows, start=first):
        checksum = _summed(step, body, checksum)
        if step != expected or found != checksum:
            message = f"{path}: step {expected} is not as it was written"
            raise TapeDamaged(message)
        yield _decoder.decode(body)


def _summed(step: int, body: bytes, before: int) -> int:
    return crc32(body, crc32(step.to_bytes(8, "little"), before))
