"""A tape in SQLite: one row for each step, each with a checksum over it and the last.

A file of its own, for what is on it is much more than what is in the journal, and the
journal's commits must not wait for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from holdfast_domain.errors import CommitFailed, DomainError, InputError
from holdfast_domain.growing import Fetched, Seen
from holdfast_domain.marketdata import Bar

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS steps (
    step INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS source (identity TEXT NOT NULL, begun_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS let_go (before INTEGER NOT NULL, checksum INTEGER NOT NULL);
"""
"""``let_go`` has the step before which trades and quotes are gone, and the checksum
that the last of those had while it was whole: that of the next step goes on from it."""

_READ = (
    "SELECT step, CAST(body AS BLOB), checksum,"
    " (SELECT checksum FROM steps WHERE step = :first - 1),"
    " (SELECT before FROM let_go), (SELECT checksum FROM let_go)"
    " FROM steps WHERE step >= :first ORDER BY step LIMIT :count"
)
"""All in one statement, for somebody may let go of some meanwhile."""

_LAST = "SELECT step, checksum FROM steps ORDER BY step DESC LIMIT 1"
_CHECKSUM = "SELECT checksum FROM steps WHERE step = ?"
_ALL: Final = -1
"""As SQLite says that there is no limit."""

BLOCK: Final = 256
"""Steps that are read at once by whoever wants one."""

AT_ONCE: Final = 256
"""Steps whose trades and quotes are let go in one transaction; the feed waits."""


class _Skimmed(msgspec.Struct, omit_defaults=True, gc=False):
    """A step without its trades and quotes, which are passed over unread."""

    time_us: int
    bars: tuple[Bar, ...] = ()
    fetched: Fetched = ""


_decode: Final = msgspec.json.Decoder(Seen).decode
_skim: Final = msgspec.json.Decoder(_Skimmed).decode


class TapeDamaged(DomainError):
    """A step of the tape is torn, edited or missing."""


class TapeCut(DomainError):
    """Trades and quotes are asked for that were let go."""


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
            self._db.executescript("DELETE FROM steps; DELETE FROM let_go;")
            self._next = self._checksum = 0

    @property
    def let_go_before(self) -> int:
        """The step before which trades and quotes are gone."""
        return whole_step(self._db)

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

    def read(self, first: int = 0, whole_from: int = 0) -> Iterator[Seen]:
        """Yield the durable steps from the number ``first`` on, in order.

        Those before ``whole_from`` come without their trades and quotes, in a fraction
        of the time.

        Raises:
            TapeDamaged: one of them is not as it was written, or not there.
        """
        yield from read_steps(self._db, self.path, first, _ALL, whole_from)

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
        self._first = self._cut = 0
        self._block: list[Seen] = []

    def __call__(self, step: int) -> Seen:
        """Return a durable step.

        Raises:
            TapeCut: its trades and quotes are not kept any more.
            TapeDamaged: it is not as it was written, or not there.
        """
        if not 0 <= step - self._first < len(self._block):
            if self._db is None:
                address = f"{self._path.absolute().as_uri()}?mode=ro"
                self._db = sqlite3.connect(address, uri=True)
            self._first = step - step % BLOCK
            self._block = list(read_steps(self._db, self._path, self._first, BLOCK))
            self._cut = whole_step(self._db)
        if step < self._cut:
            message = f"{self._path}: trades and quotes of step {step} are not kept"
            raise TapeCut(message)
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


def let_go(path: Path, before: int) -> int:
    """Let go of the trades and quotes of steps ``before`` that; blocks.

    Bars and times stay, so that every step keeps its number. What is gone and the mark
    that says so are one transaction: a death in between loses nothing. Others may write
    and let go meanwhile. Returns from which step on all is there.

    Raises:
        TapeDamaged: a step is not as it was written; it stays as it is.
        CommitFailed: the disk did not take it; what was let go before is gone.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        try:
            db.execute("PRAGMA synchronous=FULL")
            last = db.execute(_LAST).fetchone()
            # Who appends goes on from the last one, as it was written.
            before = min(before, 0 if last is None else last[0])
            while (first := _some(db, path, before)) < before:
                pass
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            message = f"{path}: {error}"
            raise CommitFailed(message) from error
        return first


def _some(db: sqlite3.Connection, path: Path, before: int) -> int:
    """Let some go; return from which step on all is there."""
    db.execute("BEGIN IMMEDIATE")
    try:
        first = whole_step(db)
        count = min(AT_ONCE, before - first)
        if count > 0:
            _cut(db, path, first, count)
            first += count
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return first


def _cut(db: sqlite3.Connection, path: Path, first: int, count: int) -> None:
    steps = list(read_steps(db, path, first, count, whole_from=first + count))
    anchor = db.execute(_CHECKSUM, (first + count - 1,)).fetchone()
    before = db.execute(_CHECKSUM, (first - 1,)).fetchone()
    checksum = 0 if before is None else before[0]
    rows = []
    for number, step in enumerate(steps, start=first):
        body = msgspec.json.encode(step)
        checksum = _summed(number, body, checksum)
        rows.append((body, checksum, number))
    db.executemany("UPDATE steps SET body = ?, checksum = ? WHERE step = ?", rows)
    db.execute("DELETE FROM let_go")
    db.execute("INSERT INTO let_go VALUES (?, ?)", (first + count, anchor[0]))


def whole_step(db: sqlite3.Connection) -> int:
    """Return from which step on trades and quotes are there."""
    found = db.execute("SELECT before FROM let_go").fetchone()
    return 0 if found is None else int(found[0])


def read_steps(
    db: sqlite3.Connection, path: Path, first: int, count: int, whole_from: int = 0
) -> Iterator[Seen]:
    """Yield ``count`` steps from ``first`` on; see `SqliteTape.read`.

    Raises:
        TapeDamaged: one of them is not as it was written, or not there.
    """
    checksum: int | None = None
    rows = db.execute(_READ, {"first": first, "count": count})
    for expected, row in enumerate(rows, start=first):
        step, body, found, before, whole, anchor = row
        if step == whole:
            checksum = anchor
        elif checksum is None:
            checksum = before or 0
        checksum = _summed(step, body, checksum)
        if step != expected or found != checksum:
            message = f"{path}: step {expected} is not as it was written"
            raise TapeDamaged(message)
        if step >= whole_from:
            yield _decode(body)
        else:
            kept = _skim(body)
            yield Seen(time_us=kept.time_us, bars=kept.bars, fetched=kept.fetched)


def _summed(step: int, body: bytes, before: int) -> int:
    return crc32(body, crc32(step.to_bytes(8, "little"), before))
