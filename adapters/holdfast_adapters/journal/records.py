"""The journal's file: its tables, the chain of hashes, and reading that trusts nothing.

The first hash follows 32 zero bytes; each one covers the hash before it, so a record
cannot be edited, removed or moved without breaking the chain at that place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import attrs

from holdfast_adapters.files import put_in_place
from holdfast_adapters.journal.codec import decode
from holdfast_domain.errors import (
    InputError,
    JournalDamaged,
    JournalError,
    JournalTooNew,
)
from holdfast_domain.events import Entry

SCHEMA_VERSION = 1

BEFORE_FIRST = bytes(32)
"""What stands for the hash before the first record."""

Row: TypeAlias = tuple[int, int, int, int, int, bytes, bytes, bytes]
"""A record as it is read: sequence, epoch, cursor, market and wall time, kind, body,
hash; the texts as bytes, so that what is not UTF-8 can be read and named.
"""

ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
INSERT = f"INSERT INTO records VALUES {ROW}"

_CHUNK = 1_024
_SELECT = f"SELECT * FROM records WHERE sequence > ? ORDER BY sequence LIMIT {_CHUNK}"
_SCHEMA = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE records(sequence INTEGER PRIMARY KEY, epoch INTEGER, cursor INTEGER,"
    " market_time_us INTEGER, wall_time_us INTEGER, kind TEXT, body TEXT, hash BLOB)",
)
_DAMAGE = frozenset({
    sqlite3.SQLITE_ERROR,  # a table or column is not there
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip
_CANNOT_READ = frozenset({
    # The other I/O errors (no room for the WAL's index, no lock) say nothing of the
    # records; taking them for damage would advise to drop good ones.
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
})  # fmt: skip


@attrs.frozen
class Base:
    """The last record that compaction has moved to the archive: the chain's anchor."""

    sequence: int = 0
    hash: bytes = BEFORE_FIRST


@attrs.frozen(kw_only=True)
class Meta:
    """What the file says of itself."""

    engine: int
    """The identity of the engine whose journal this is."""

    epoch_floor: int = 0
    """The next start's epoch must be above this; 0 unless the file was repaired.

    Starts among the records that a repair dropped have used the epochs up to here, and
    an order id made of an epoch anew could be one that a venue has already seen.
    """

    base: Base = attrs.field(factory=Base)


def link(
    previous: bytes, head: tuple[int, int, int, int, int], kind: str, body: bytes
) -> bytes:
    """Return the hash of a record that follows the one with the hash ``previous``."""
    sequence, epoch, cursor, market_time_us, wall_time_us = head
    text = f"{sequence}|{epoch}|{cursor}|{market_time_us}|{wall_time_us}|{kind}|"
    return sha256(previous + text.encode() + body).digest()


def create(
    path: Path,
    meta: Meta,
    rows: Iterable[tuple[object, ...]] = (),
    *,
    mode: str = "WAL",
) -> None:
    """Make the file ``path`` with ``rows`` (texts as `str`), whole or not at all.

    ``mode`` is SQLite's journal mode.

    Raises:
        sqlite3.Error, OSError: if it cannot be made; ``path`` is what it was.
    """
    made = path.with_name(f"{path.name}.new")
    _remove(made)
    try:
        _fill(made, meta, rows, mode)
        put_in_place(made, path)
    except BaseException:
        _remove(made)
        raise


def wal_of(path: Path) -> Path:
    """Return where SQLite keeps the newest pages of ``path``."""
    return path.with_name(f"{path.name}-wal")


def shm_of(path: Path) -> Path:
    """Return where SQLite keeps the index of `wal_of`."""
    return path.with_name(f"{path.name}-shm")


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads, from any thread, and copes with damage.

    Raises:
        InputError: if there is no file, or none that we may read.
    """
    if not path.is_file():
        came = "something else" if path.exists() else "no such file"
        raise InputError(str(path), "a journal file", came, "check the directory")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    if not wal_of(path).exists() and not _is_writable(path.parent):
        # Nobody writes it now, and SQLite could not make its index files here.
        uri += "&immutable=1"
    try:
        connection = sqlite3.connect(
            uri,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = bytes
        # Without it SQLite refuses a truncated file as a whole; nothing is written.
        connection.execute("PRAGMA writable_schema=ON")
    except sqlite3.Error as error:
        raise unreadable(path, error) from error
    return connection


def unreadable(path: Path, error: BaseException) -> InputError:
    """Return the error for a file that the system does not let us use."""
    return InputError(
        str(path),
        "a journal that can be opened",
        str(error),
        "check permissions and free space, and that nothing else has it open",
    )


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether ``error`` speaks of what is in the file, not of access to it."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code in _CANNOT_READ or code & 0xFF in _DAMAGE


def verified_here(
    connection: sqlite3.Connection, path: Path, after: int
) -> Iterator[Row]:
    """Yield the rows above ``after`` in order, each checked against its neighbours.

    Those of this one file alone: ``after`` is not below its base. Holds no
    transaction between chunks, so that a slow consumer does not keep SQLite from
    recycling space; records committed meanwhile are yielded too.

    Raises:
        JournalDamaged: names the first record that is not as it was written.
    """
    previous, last = _hash_at(connection, path, after), after
    while True:
        rows, error = _chunk(connection, path, last)
        for row in rows:
            last += 1
            if row[0] != last:
                why = f"it is missing; the next one is {row[0]}"
                raise JournalDamaged(str(path), last, why)
            if not _follows(previous, row):
                why = "its hash does not fit what it says and the record before it"
                raise JournalDamaged(str(path), last, why)
            previous = row[7]
            yield row
        if error is not None:
            raise JournalDamaged(str(path), last + 1, str(error)) from error
        if len(rows) < _CHUNK:
            return


def entry_of(path: Path, row: Row) -> Entry:
    """Return the entry that ``row`` of ``path`` holds.

    Raises:
        JournalDamaged: if its body cannot be decoded.
        JournalTooNew: if this version does not know its kind.
    """
    try:
        event = decode(row[5].decode(), row[6])
    except JournalTooNew as error:
        message = f"{path}: record {row[0]}: {error}"
        raise JournalTooNew(message) from error
    except JournalError as error:
        raise JournalDamaged(str(path), row[0], str(error)) from error
    return Entry(
        sequence=row[0],
        epoch=row[1],
        cursor=row[2],
        market_time_us=row[3],
        wall_time_us=row[4],
        event=event,
    )


def read_meta(connection: sqlite3.Connection, path: Path) -> Meta:
    """Return what the file says of itself.

    Raises:
        JournalTooNew: a newer version wrote it.
        JournalDamaged: it says nothing that makes sense; names the first bad record,
            or the one after the last if all are good.
    """
    try:
        found = dict(connection.execute("SELECT key, value FROM meta"))
        version = int(found[b"schema_version"])
        if version <= SCHEMA_VERSION:
            floor = int(found.get(b"epoch_floor", 0))
            engine = int(found[b"engine"])
            return Meta(engine=engine, epoch_floor=floor, base=_base_in(found))
    except sqlite3.Error as error:
        if not is_damage(error):
            raise unreadable(path, error) from error
        raise damage(connection, path, str(error)) from error
    except (KeyError, ValueError, TypeError) as error:
        raise damage(connection, path, f"its table meta is wrong: {error}") from error
    message = (
        f"{path}: expected version {SCHEMA_VERSION}, got {version}; "
        "use the version of holdfast that wrote it, or a newer one"
    )
    raise JournalTooNew(message)


def base_of(connection: sqlite3.Connection) -> Base:
    """Return where the records of a file begin; as if anew where it does not say."""
    try:
        return _base_in(dict(connection.execute("SELECT key, value FROM meta")))
    except (sqlite3.Error, ValueError, TypeError):
        return Base()


def _base_in(found: dict[bytes, bytes]) -> Base:
    sequence = int(found.get(b"base_sequence", 0))
    if not sequence:
        return Base()
    return Base(sequence, bytes.fromhex(found[b"base_hash"].decode()))


def damage(connection: sqlite3.Connection, path: Path, why: str) -> JournalDamaged:
    """Return the damage that names the first bad record, for the reason ``why``.

    If all records are good, it names the one that would come next.
    """
    last = 0
    try:
        last = base_of(connection).sequence
        for row in verified_here(connection, path, last):
            last = row[0]
    except JournalDamaged as found:
        return found
    return JournalDamaged(str(path), last + 1, why)


def _remove(path: Path) -> None:
    for file in (path, wal_of(path), shm_of(path)):
        file.unlink(missing_ok=True)


def base_rows(base: Base) -> list[tuple[str, str]]:
    """Return what the table meta says of ``base``."""
    if not base.sequence:
        return []
    return [("base_sequence", str(base.sequence)), ("base_hash", base.hash.hex())]


def _fill(
    made: Path, meta: Meta, rows: Iterable[tuple[object, ...]], mode: str
) -> None:
    values = {"schema_version": SCHEMA_VERSION, "engine": meta.engine}
    if meta.epoch_floor:
        values["epoch_floor"] = meta.epoch_floor
    with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as new:
        new.execute(f"PRAGMA journal_mode={mode}")
        new.execute("BEGIN")
        for statement in _SCHEMA:
            new.execute(statement)
        texts = [(key, str(value)) for key, value in values.items()]
        texts += base_rows(meta.base)
        new.executemany("INSERT INTO meta VALUES (?, ?)", texts)
        new.executemany(INSERT, rows)
        new.execute("COMMIT")


def _is_writable(directory: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(directory, os.W_OK, effective_ids=effective)


def _hash_at(connection: sqlite3.Connection, path: Path, sequence: int) -> bytes:
    base = base_of(connection)
    if sequence == base.sequence:
        return base.hash
    query = (
        "SELECT sequence, hash FROM records WHERE sequence >= ?"
        " ORDER BY sequence LIMIT 1"
    )
    try:
        found = connection.execute(query, (sequence,)).fetchone()
    except sqlite3.Error as error:
        if not is_damage(error):
            raise unreadable(path, error) from error
        raise damage(connection, path, str(error)) from error
    if found is None:
        return BEFORE_FIRST  # nothing above it either
    if found[0] != sequence or not isinstance(found[1], bytes):
        raise JournalDamaged(str(path), sequence, "it is missing or has no hash")
    return found[1]


def _chunk(
    connection: sqlite3.Connection, path: Path, after: int
) -> tuple[list[Row], sqlite3.Error | None]:
    rows: list[Row] = []
    try:
        # `extend` keeps what came before the row that cannot be read.
        rows.extend(connection.execute(_SELECT, (after,)))
    except sqlite3.Error as error:
        if not is_damage(error):
            raise unreadable(path, error) from error
        return rows, error
    return rows, None


def _follows(previous: bytes, row: Row) -> bool:
    try:
        return link(previous, row[:5], row[5].decode(), row[6]) == row[7]
    except (TypeError, AttributeError, ValueError):
        return False  # a column does not even have its type
