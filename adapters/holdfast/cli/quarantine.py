"""Records in quarantine: which there are, and the release of one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.errors import InputError
from holdfast_domain.events import Entry, Quarantined, QuarantineReleased
from holdfast_domain.ports import JournalStore, WallClock

Held = dict[tuple[str, str], Quarantined]
"""By subject and origin."""


def held(path: Path) -> list[str]:
    """Return a line for each record of the journal ``path`` in quarantine.

    Raises:
        InputError, JournalError: the journal cannot be read.
    """
    store = SqliteJournal(path, 0, read_only=True)
    with contextlib.closing(store):
        found, _ = _held(store)
    return [
        f"{each.origin}  {each.subject}  not read by {each.reader}: {each.error}"
        for each in found.values()
    ]


def released(path: Path, origin: str, by: str, clock: WallClock) -> int:
    """Write the release of ``origin``, and return for how many subjects that is.

    The caller holds the state directory's lock.

    Raises:
        InputError: there is no such record in quarantine.
        JournalError: the journal cannot be read or written.
    """
    if not path.exists():
        raise InputError(str(path), "a journal file", "no such file", "check DIR")
    store = SqliteJournal(path, 0)
    with contextlib.closing(store):
        found, last = _held(store)
        subjects = [subject for subject, each in found if each == origin]
        if last is None or not subjects:
            known = ", ".join(each for _, each in found) or "none is in quarantine"
            raise InputError(
                "--release",
                "the origin of a record in quarantine",
                repr(origin),
                f"choose of: {known}",
            )
        store.append(_releases(last, subjects, origin, by, clock.now_us()))
    return len(subjects)


def _releases(
    last: Entry, subjects: list[str], origin: str, by: str, wall_us: int
) -> list[Entry]:
    return [
        Entry(
            sequence=last.sequence + number,
            epoch=last.epoch,
            cursor=last.cursor,
            market_time_us=last.market_time_us,
            wall_time_us=wall_us,
            event=QuarantineReleased(subject=subject, origin=origin, by=by),
        )
        for number, subject in enumerate(subjects, start=1)
    ]


def _held(store: JournalStore) -> tuple[Held, Entry | None]:
    """Return what is in quarantine, and the last entry."""
    found: Held = {}
    last: Entry | None = None
    for last in store.read():
        event = last.event
        if isinstance(event, Quarantined):
            found[event.subject, event.origin] = event
        elif isinstance(event, QuarantineReleased):
            found.pop((event.subject, event.origin), None)
    return found, last
