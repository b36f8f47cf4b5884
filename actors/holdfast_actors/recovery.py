"""Recovery: what owners are rebuilt from, read once for all of them.

The newest good snapshot and the records after it; older snapshots if it is not good;
at last the whole journal. All three give the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from holdfast_actors.folding import (
    RUN,
    RunSoFar,
    past_of,
    schedules_of,
    section_of,
)
from holdfast_actors.replaying import History
from holdfast_domain.events import Entry, Quarantined, QuarantineReleased
from holdfast_domain.ports import JournalStore
from holdfast_domain.snapshots import EventCodec, Snapshot


@attrs.define
class _Read:
    """What was read: a snapshot, or none, and the records after it."""

    snapshot: Snapshot | None
    entries: list[Entry]

    @property
    def after(self) -> int:
        return 0 if self.snapshot is None else self.snapshot.sequence

    def section(self, name: str) -> Any:  # noqa: ANN401 - as its owner saved it
        return None if self.snapshot is None else self.snapshot.sections.get(name)


class Recovery:
    """Reads the journal for whoever is built; from a snapshot on, if there is one.

    At the start it reads once for all; after `release` each who is built again reads
    anew, from the newest snapshot of that time.
    """

    def __init__(
        self,
        store: JournalStore,
        codec: EventCodec,
        newest_first: Callable[[], Iterable[Snapshot]] = tuple,
    ) -> None:
        """Take what ``newest_first`` gives; reads nothing yet."""
        self._store = store
        self._codec = codec
        self._newest_first = newest_first
        self._read: _Read | None = None
        self._keeps = True

    def used(self) -> Snapshot | None:
        """Return the newest snapshot that is good; None if all must be replayed.

        Raises:
            JournalError: the journal is damaged, or of a newer version.
        """
        return self._since().snapshot

    def release(self) -> None:
        """Forget what was read at the start, to save memory."""
        self._read, self._keeps = None, False

    def run_so_far(self) -> RunSoFar:
        """Return what a start must know of the starts before it."""
        read = self._since()
        saved = read.section(RUN)
        run = RunSoFar() if saved is None else RunSoFar(**saved)
        for entry in read.entries:
            run.apply(entry.event)
        return run

    def history(self, section: str) -> History:
        """Return what the owner of ``section`` is rebuilt from."""
        read = self._since()
        return History(read.entries, read.after, read.section(section))

    def scheduler(self) -> History:
        """Return what the scheduler is rebuilt from; ``saved`` are declarations."""
        read = self._since()
        known = None if read.snapshot is None else schedules_of(read.snapshot.sections)
        return History(read.entries, read.after, known)

    def strategy(self, name: str) -> History:
        """Return what a strategy is rebuilt from; ``saved`` is a `Past`."""
        read = self._since()
        past = None
        if read.snapshot is not None:
            schedules = schedules_of(read.snapshot.sections)
            saved = read.section(section_of(name))
            past = past_of(name, saved, schedules, self._codec)
            past.read_to = read.after
        return History(read.entries, read.after, past)

    def _since(self) -> _Read:
        read = self._read
        if read is None:
            read = self._chosen()
            if self._keeps:
                self._read = read
            return read
        last = read.entries[-1].sequence if read.entries else read.after
        if last < self._store.last_sequence:
            read.entries.extend(self._store.read(last))
        return read

    def _chosen(self) -> _Read:
        for snapshot in self._newest_first():
            if fits(snapshot, self._store):
                entries = list(self._store.read(snapshot.sequence))
                if not undone(entries, snapshot.sequence):
                    return _Read(snapshot, entries)
        return _Read(None, list(self._store.read()))


def fits(snapshot: Snapshot, store: JournalStore) -> bool:
    """Tell whether ``snapshot`` was made from this journal, as it is now."""
    return store.hash_of(snapshot.sequence) == snapshot.hash


def undone(entries: Iterable[Entry], sequence: int) -> bool:
    """Tell whether ``entries`` change which records up to ``sequence`` count.

    A record that is put into quarantine, or released, is passed over or taken at the
    next replay; a snapshot after it has done the opposite.
    """
    for entry in entries:
        event = entry.event
        if isinstance(event, Quarantined | QuarantineReleased):
            source, _, number = event.origin.partition(":")
            if source == "journal" and int(number) <= sequence:
                return True
    return False
