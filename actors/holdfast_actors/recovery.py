"""Recovery: what owners are rebuilt from, read once for all of them.

The newest good snapshot and the records after it; older snapshots if it is not good;
at last the whole journal. All three give the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from holdfast_actors.folding import (
    RUN,
    SCHEDULES,
    RunSoFar,
    past_of,
    schedules_of,
    section_of,
)
from holdfast_actors.replaying import History
from holdfast_domain.events import Entry, Quarantined, QuarantineReleased
from holdfast_domain.ports import JournalStore
from holdfast_domain.snapshots import EventCodec, Snapshot


@attrs.frozen
class _Base:
    """Where reading begins."""

    after: int = 0
    sections: dict[str, Any] | None = None


class Recovery:
    """Reads the journal for whoever is built; from a snapshot on, if there is one."""

    def __init__(
        self,
        store: JournalStore,
        codec: EventCodec,
        snapshots: Iterable[Snapshot] = (),
    ) -> None:
        """Choose of ``snapshots``, the newest first; read what follows it, once.

        Blocks.

        Raises:
            JournalError: the journal is damaged, or of a newer version.
        """
        self._store = store
        self._codec = codec
        self.used: Snapshot | None = None
        """The snapshot that was chosen; None if the whole journal is read."""

        self._base = _Base()
        self._read: Sequence[Entry] | None = None
        for snapshot in snapshots:
            if not fits(snapshot, store):
                continue
            entries = list(store.read(snapshot.sequence))
            if not undone(entries, snapshot.sequence):
                self.used, self._read = snapshot, entries
                self._base = _Base(snapshot.sequence, snapshot.sections)
                break
        else:
            self._read = list(store.read())

    @property
    def entries(self) -> Sequence[Entry]:
        """The records after the snapshot (all, without one), as of the start.

        Empty after `release`.
        """
        return self._read or ()

    def add(self, entries: Iterable[Entry]) -> None:
        """Know of records that were written after the reading, before the start."""
        if self._read is not None:
            self._read = [*self._read, *entries]

    def release(self) -> None:
        """Forget what was read at the start: who is built later reads anew."""
        self._read = None

    def advance(self, snapshot: Snapshot) -> None:
        """Begin at ``snapshot`` from now on; from any thread."""
        self._base = _Base(snapshot.sequence, snapshot.sections)

    def run_so_far(self) -> RunSoFar:
        """Return what a start must know of the starts before it."""
        sections = self._base.sections
        run = RunSoFar() if sections is None else RunSoFar(**sections[RUN])
        for entry in self.entries:
            run.apply(entry.event)
        return run

    def history(self, section: str) -> History:
        """Return what the owner of ``section`` is rebuilt from."""
        base, entries = self._since()
        saved = None if base.sections is None else base.sections[section]
        return History(entries, base.after, saved)

    def scheduler(self) -> History:
        """Return what the scheduler is rebuilt from."""
        base, entries = self._since()
        saved = None if base.sections is None else schedules_of(base.sections)
        return History(entries, base.after, saved)

    def strategy(self, name: str) -> History:
        """Return what a strategy is rebuilt from; ``saved`` is a `Past`."""
        base, entries = self._since()
        past = None
        if base.sections is not None:
            saved = base.sections[section_of(name)]
            past = past_of(name, saved, schedules_of(base.sections), self._codec)
            past.read_to = base.after
        return History(entries, base.after, past)

    def _since(self) -> tuple[_Base, Sequence[Entry]]:
        base = self._base
        if self._read is not None:
            return base, self._read
        entries = list(self._store.read(base.after))
        if undone(entries, base.after):
            return _Base(), list(self._store.read())
        return base, entries


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


__all__ = ["SCHEDULES", "Recovery", "fits", "undone"]
