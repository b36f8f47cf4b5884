"""What compaction has moved out of the live file, and reading across both.

Each segment ``archive/records-FIRST.sqlite`` is a journal file of its own that begins
where the one before it ends; its base is the anchor of its chain.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from holdfast_adapters.files import sync_directory
from holdfast_adapters.journal.records import (
    Base,
    Meta,
    Row,
    base_of,
    create,
    open_reader,
    verified_here,
)
from holdfast_domain.errors import JournalDamaged


def segments(path: Path) -> list[Path]:
    """Return the archived segments of the journal ``path``, oldest first."""
    return sorted((path.parent / "archive").glob("records-*.sqlite"))


def write_segment(
    path: Path, reader: sqlite3.Connection, meta: Meta, upto: int
) -> Base:
    """Write the records after the base, up to ``upto``, as a segment; durable.

    Returns the new base. A segment that was written before, and whose records were
    not dropped from the live file, is replaced.

    Raises:
        JournalDamaged: a record is not as it was written.
        sqlite3.Error, OSError: it cannot be written; nothing has changed.
    """
    base = meta.base
    target = path.parent / "archive" / f"records-{base.sequence + 1:012d}.sqlite"
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700)
        sync_directory(path.parent)
    last = base

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal last
        for row in verified_here(reader, path, base.sequence):
            if row[0] > upto:
                return
            last = Base(row[0], row[7])
            yield (*row[:5], row[5].decode(), row[6].decode(), row[7])

    create(target, meta, rows(), mode="DELETE")
    return last


def verified(connection: sqlite3.Connection, path: Path, after: int) -> Iterator[Row]:
    """Yield all rows above ``after`` in order, archived ones first, each checked.

    Raises:
        JournalDamaged: names the first record that is not as it was written, or that
            was archived and whose segment is not there.
    """
    base = base_of(connection)
    if after < base.sequence:
        yield from _archived(path, after, base)
        after = base.sequence
    yield from verified_here(connection, path, after)


def start_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return after which record reading can begin: 0 if the archive is there."""
    base = base_of(connection)
    first = next(iter(segments(path)), None)
    if not base.sequence or first is not None:
        return 0
    return base.sequence


def _archived(path: Path, after: int, base: Base) -> Iterator[Row]:
    last, previous = after, None
    for segment in segments(path):
        with contextlib.closing(open_reader(segment)) as reader:
            if base_of(reader).sequence > last:
                break
            for row in verified_here(reader, segment, last):
                if row[0] > base.sequence:
                    break
                last, previous = row[0], row[7]
                yield row
    if last != base.sequence:
        why = "it was compacted, and its segment of 'archive' is not there"
        raise JournalDamaged(str(path), last + 1, why)
    if previous != base.hash:
        why = "the archive does not fit the journal that follows it"
        raise JournalDamaged(str(path), last, why)
