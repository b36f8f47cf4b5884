"""Keeping snapshots: the fold goes on, is written, and what it covers is compacted.

All of it blocks, and runs on a thread beside the engine: owners are not asked for
anything, for a snapshot is made from the journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import attrs

from holdfast_actors.folding import Fold, strategies_of
from holdfast_actors.recovery import Recovery, fits
from holdfast_domain.cursor import START, step_of
from holdfast_domain.errors import SnapshotFailed
from holdfast_domain.events import Entry, Quarantined, QuarantineReleased
from holdfast_domain.ports import JournalStore, WallClock
from holdfast_domain.snapshots import Snapshot, SnapshotStore

COMPACT_AFTER = 10_000
"""Records in the live file that the oldest kept snapshot covers."""


class Trimmer(Protocol):
    """Lets go of what is old on a tape."""

    @property
    def is_due(self) -> bool:
        """Whether there is enough that is old."""

    def let_go(self, needed_from: int) -> None:
        """Let go of what is old and before the step ``needed_from``; blocks.

        Raises:
            DomainError: some of it is still there, and can be read.
        """


class Keeper:
    """Makes snapshots, on any thread.

    One that hung was abandoned, and may go on while the next one is made: each has a
    fold of its own, so no record is taken twice.
    """

    def __init__(
        self,
        *,
        store: JournalStore,
        snapshots: SnapshotStore,
        recovery: Recovery,
        fold: Callable[[], Fold],
        engine: int,
        wall: WallClock,
        compact: Callable[[int], int] = lambda _upto: 0,
        compact_after: int = COMPACT_AFTER,
        tape: Trimmer | None = None,
    ) -> None:
        """Go on from what ``recovery`` has chosen; reads nothing yet.

        ``compact`` moves the records up to a sequence out of the live journal; what
        no snapshot needs of the ``tape`` is let go.
        """
        self._store = store
        self._snapshots = snapshots
        self._recovery = recovery
        self._make = fold
        self._engine = engine
        self._wall = wall
        self._compact = compact
        self._compact_after = compact_after
        self._compacted = 0
        self._tape = tape
        self._began_at = store.last_sequence
        self._folds: list[Fold] = []
        """The fold that goes on, while no thread has it."""

        self._held: set[tuple[str, str]] = set()
        self._unfit = ""
        self.last: Snapshot | None = None
        """The newest snapshot of this start, without its sections."""

        self.error = ""
        """Why the last try failed; empty if it did not."""

    def take(self, why: str) -> Snapshot:
        """Make a snapshot of all that is durable now, and keep it; blocks.

        Raises:
            SnapshotFailed: it could not be made or written.
            CommitFailed: it was kept, but compaction failed, or the tape's trimming.
        """
        try:
            snapshot = self._made(why)
            oldest = self._snapshots.save(snapshot)
            self.last = attrs.evolve(snapshot, sections={})
            if oldest - self._compacted >= self._compact_after:
                self._compact(oldest)
                self._compacted = oldest
            if self._tape is not None and self._tape.is_due:
                self._tape.let_go(self._needed_from())
        except Exception as error:
            self.error = str(error)
            raise
        self.error = ""
        return snapshot

    def _made(self, why: str) -> Snapshot:
        try:
            fold = self._folds.pop()  # nobody else gets it
        except IndexError:
            fold = self._begun()
        self._catch_up(fold, self._store.read(fold.sequence))
        if self._held or self._unfit:
            held = ", ".join(sorted({origin for _, origin in self._held}))
            reason = self._unfit or f"{held} is in quarantine"
            message = f"expected state as a restart has it, but {reason}"
            raise SnapshotFailed(message)
        last = fold.last
        if last is None:
            message = "expected records to make a snapshot of, got none"
            raise SnapshotFailed(message)
        snapshot = Snapshot(
            engine=self._engine,
            sequence=fold.sequence,
            hash=self._store.hash_of(fold.sequence),
            epoch=last.epoch,
            cursor=last.cursor,
            market_time_us=last.market_time_us,
            wall_time_us=self._wall.now_us(),
            why=why,
            sections=fold.save(),
        )
        self._folds[:] = [fold]
        return snapshot

    def _needed_from(self) -> int:
        """Return the first step that a start may feed some strategy again.

        Whichever snapshot it takes, it must be whole, and of this journal: all of them
        are read again here. A replay of the whole journal gives what the newest gives.
        """
        cursors = [
            saved["cursor"]
            for snapshot in self._snapshots.newest_first()
            if fits(snapshot, self._store)
            for saved in strategies_of(snapshot.sections)
        ]
        return max(0, step_of(min(cursors, default=START)))

    def _begun(self) -> Fold:
        fold, used = self._make(), self._recovery.used()
        if used is not None:
            fold.load(used.sections, used.sequence)
        return fold

    def _catch_up(self, fold: Fold, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._watch_quarantine(entry)
            try:
                fold.take((entry,))
            except Exception as error:
                self._unfit = f"record {entry.sequence} could not be read: {error!r}"
                raise SnapshotFailed(self._unfit) from error

    def _watch_quarantine(self, entry: Entry) -> None:
        """Note what makes the fold differ from what owners hold.

        An owner passes over what is in quarantine, and takes what was released at its
        next start; the fold has taken it as it came.
        """
        event = entry.event
        if not isinstance(event, Quarantined | QuarantineReleased):
            return
        if not event.origin.startswith("journal:"):
            return
        if entry.sequence > self._began_at:
            self._unfit = f"{event.origin} was put into quarantine or released"
        elif isinstance(event, Quarantined):
            self._held.add((event.subject, event.origin))
        else:
            self._held.discard((event.subject, event.origin))
