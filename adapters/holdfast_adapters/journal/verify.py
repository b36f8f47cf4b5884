"""Checking a journal from its first record to its last."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import attrs

from holdfast_adapters.journal.archive import start_of, verified
from holdfast_adapters.journal.records import (
    BEFORE_FIRST,
    base_of,
    entry_of,
    open_reader,
    read_meta,
)
from holdfast_domain.errors import JournalDamaged


@attrs.frozen(kw_only=True)
class VerifyReport:
    """What was found; ``records``, ``last_hash`` and ``kinds`` count the good ones."""

    records: int
    """The last good record's sequence."""

    first: int
    """Where the check began: 1, or after what was compacted if the archive is gone."""

    last_hash: str
    """Hex; whoever keeps it elsewhere can tell later that nothing was cut off."""

    damaged: JournalDamaged | None
    """The first bad record; nothing after it was looked at."""

    kinds: dict[str, int]
    """How many good records of each kind, by name."""


def verify(path: Path) -> VerifyReport:
    """Read all of the journal at ``path``; an engine may be running on it.

    The chain tells of every record that was changed, moved or taken out. It cannot
    tell that the newest records were cut off cleanly: compare ``last_hash`` for that.

    Raises:
        InputError: if there is no file, or none that we may read.
        JournalTooNew: if a newer version wrote it.
    """
    kinds: Counter[str] = Counter()
    records, last_hash, damaged = 0, BEFORE_FIRST, None
    with contextlib.closing(open_reader(path)) as connection:
        start = start_of(connection, path)
        if start:
            records, last_hash = start, base_of(connection).hash
        try:
            read_meta(connection, path)
        except JournalDamaged as found:
            damaged = found
        try:
            for row in verified(connection, path, start):
                entry = entry_of(path, row)
                kinds[type(entry.event).__name__] += 1
                records, last_hash = entry.sequence, row[7]
        except JournalDamaged as found:
            damaged = found
    return VerifyReport(
        records=records,
        first=start + 1,
        last_hash=last_hash.hex(),
        damaged=damaged,
        kinds=dict(sorted(kinds.items())),
    )
