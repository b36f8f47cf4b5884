"""Going on from the last good record of a damaged journal, without losing the rest."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs

from holdfast_adapters.files import sync_directory, sync_file
from holdfast_adapters.journal.archive import start_of, verified
from holdfast_adapters.journal.records import (
    Base,
    Meta,
    base_of,
    create,
    entry_of,
    open_reader,
    read_meta,
    shm_of,
    wal_of,
)
from holdfast_adapters.journal.verify import verify
from holdfast_domain.errors import InputError, JournalDamaged
from holdfast_domain.events import (
    DecisionMade,
    EngineStarted,
    OrderIntended,
    OrderRefused,
)

_EPOCHS_SKIPPED = 1_000
"""More starts than an unreadable end of a journal can plausibly hold."""

_EPOCH_MAX = 2**31
"""Above it, an epoch among damaged records is not believed."""


def repair(path: Path, to: int, now: datetime) -> Path:
    """Cut the journal at ``path`` after record ``to`` and return where the copy is.

    The copy (``journal.sqlite.damaged-TIME``, with its ``-wal`` if there is one) is
    the file as it was. The new file replaces the old one in a single step, with the
    same engine identity and with `Meta.epoch_floor` above every epoch that the dropped
    records may have used. If not even the identity can be read, or only the ``-wal``
    is left, ``to`` can only be 0: then all is set aside and the next start makes a new
    journal, with a new identity.

    No engine may be running on it: the caller holds the state directory's lock.

    Raises:
        InputError: if ``to`` is below 0 or above the last good record, if there is no
            file, or if it cannot be written; the journal is what it was.
        JournalTooNew: if a newer version wrote it.
    """
    lost = not path.exists() and wal_of(path).exists()
    if not lost or to != 0:
        _check(path, to)
    try:
        copy = _set_copy_aside(path, now)
        if lost:
            wal_of(path).unlink()
        else:
            _swap(path, copy, to)
    except (sqlite3.Error, OSError) as error:
        raise InputError(
            str(path),
            "a directory with room for a copy",
            str(error),
            "check permissions and free space",
        ) from error
    return copy


def last_whole(path: Path, to: int) -> int:
    """Return the last record up to ``to`` after which no decision is cut in two.

    A decision and its orders were one commit; a journal that held the one without the
    others would have its strategy remember orders that nobody knows.
    """
    opened, missing = 0, set[str]()
    with contextlib.closing(open_reader(path)) as reader:
        for row in verified(reader, path, start_of(reader, path)):
            if row[0] > to:
                break
            event = entry_of(path, row).event
            if isinstance(event, DecisionMade):
                opened, missing = row[0], set(event.orders)
            elif isinstance(event, OrderIntended | OrderRefused):
                missing.discard(event.order_id)
    return opened - 1 if missing else to


def _check(path: Path, to: int) -> None:
    report = verify(path)
    readable, lowest = report.records, report.first - 1
    if not lowest <= to <= readable:
        raise InputError(
            str(path),
            f"a record from {lowest} to {readable} to go on from",
            str(to),
            f"{readable} is the last one that can be read",
        )


def _set_copy_aside(path: Path, now: datetime) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = path.with_name(f"{path.name}.damaged-{stamp}")
    pairs = [(path, copy), (wal_of(path), wal_of(copy))]
    for source, target in pairs:
        if source.exists():
            shutil.copy2(source, target)
            sync_file(target)
    sync_directory(path.parent)
    return copy


def _swap(path: Path, copy: Path, to: int) -> None:
    # The copy is read, so that nothing touches the original before its successor is
    # whole. SQLite finds the copy's WAL by its name.
    with contextlib.closing(open_reader(copy)) as reader:
        meta = _meta_for(reader, copy)
        if meta is not None:
            if start_of(reader, copy):
                meta = attrs.evolve(meta, base=base_of(reader))
            else:
                # The archive is read into the new file, which begins at record 1.
                meta = attrs.evolve(meta, base=Base())
            _empty_wal(path)
            create(path, meta, _rows(reader, copy, to))
            if not meta.base.sequence:
                _set_archive_aside(path, copy)
        elif to == 0:
            path.unlink()
        else:
            raise InputError(
                str(path),
                "the engine's identity in meta or in the first record",
                "neither",
                "only '--to 0' can go on without it",
            )
    for leftover in (wal_of(path), shm_of(path), shm_of(copy)):
        leftover.unlink(missing_ok=True)
    if _size(wal_of(copy)) == 0:  # made by reading
        wal_of(copy).unlink(missing_ok=True)
    sync_directory(path.parent)


def _set_archive_aside(path: Path, copy: Path) -> None:
    archive = path.parent / "archive"
    if archive.exists():
        archive.rename(copy.with_name(f"archive{copy.name.removeprefix(path.name)}"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _empty_wal(path: Path) -> None:
    # A WAL that outlived the swap would be taken for a part of the new file. Where a
    # damaged file does not let us, it is deleted after the swap; a kill between the
    # two then shows as damage at the next start, and the copy is still there.
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(path)) as connection,
    ):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _rows(
    reader: sqlite3.Connection, path: Path, to: int
) -> Iterator[tuple[object, ...]]:
    if to == 0:
        return
    for row in verified(reader, path, start_of(reader, path)):
        yield (*row[:5], row[5].decode(), row[6].decode(), row[7])
        if row[0] == to:
            return


def _meta_for(reader: sqlite3.Connection, path: Path) -> Meta | None:
    floor = _highest_epoch(reader) + _EPOCHS_SKIPPED
    try:
        meta = read_meta(reader, path)
    except JournalDamaged:
        engine = _engine_of_first(reader, path)
        return None if engine is None else Meta(engine=engine, epoch_floor=floor)
    return Meta(engine=meta.engine, epoch_floor=max(floor, meta.epoch_floor))


def _engine_of_first(reader: sqlite3.Connection, path: Path) -> int | None:
    with contextlib.suppress(JournalDamaged):
        for row in verified(reader, path, 0):
            event = entry_of(path, row).event
            return event.engine if isinstance(event, EngineStarted) else None
    return None


def _highest_epoch(reader: sqlite3.Connection) -> int:
    """Return the highest epoch that can be read at all, good record or bad."""
    highest = 0
    with contextlib.suppress(sqlite3.Error):
        for (epoch,) in reader.execute("SELECT epoch FROM records"):
            if isinstance(epoch, int) and highest < epoch < _EPOCH_MAX:
                highest = epoch
    return highest
