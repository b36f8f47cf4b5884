"""The journal as JSON that a person can read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast_adapters.files import written_whole
from holdfast_adapters.journal.archive import start_of, verified
from holdfast_adapters.journal.records import Row, open_reader, read_meta
from holdfast_domain.errors import InputError, JournalDamaged

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def export(
    path: Path, after: int = 0, kind: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the records above ``after`` (of one ``kind``), in order; times are UTC.

    Each is ``{"sequence", "epoch", "cursor", "market_time", "wall_time", "kind",
    "body"}``, the body an object. An engine may be running on the journal. Kinds that
    this version does not know are exported too.

    Raises:
        InputError: if there is no file, or none that we may read.
        JournalDamaged: at the first record that is not as it was written.
        JournalTooNew: if a newer version wrote it.
    """
    with contextlib.closing(open_reader(path)) as reader:
        read_meta(reader, path)
        wanted = None if kind is None else kind.encode()
        for row in verified(reader, path, max(after, start_of(reader, path))):
            if wanted is None or row[5] == wanted:
                yield _readable(path, row)


def write_json(
    path: Path, target: Path, after: int = 0, kind: str | None = None
) -> int:
    """Write what `export` yields to ``target`` and return how many records those are.

    ``target`` becomes a JSON array, one record in a line, whole or not at all, and is
    durable on return.

    Raises:
        InputError: if ``target`` cannot be written, or as `export`.
        JournalDamaged, JournalTooNew: as `export`; ``target`` is what it was.
    """
    count = 0
    try:
        with written_whole(target) as file:
            file.write("[")
            for record in export(path, after, kind):
                file.write(",\n" if count else "\n")
                file.write(json.dumps(record, ensure_ascii=False))
                count += 1
            file.write("\n]\n")
    except OSError as error:
        raise InputError(
            str(target),
            "a file that can be written",
            str(error),
            "choose another place",
        ) from error
    return count


def _readable(path: Path, row: Row) -> dict[str, Any]:
    try:
        return {
            "sequence": row[0],
            "epoch": row[1],
            "cursor": row[2],
            "market_time": _moment(row[3]),
            "wall_time": _moment(row[4]),
            "kind": row[5].decode(),
            "body": json.loads(row[6]),
        }
    except (ValueError, OverflowError) as error:
        raise JournalDamaged(str(path), row[0], str(error)) from error


def _moment(time_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat()
