"""A journal in memory whose process, power or disk fails at one of its commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdfast.simulation.plan import EngineFault
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain.errors import CommitFailed
from holdfast_domain.events import Entry


class ProcessDied(BaseException):
    """The process ended here; nobody may catch it."""


class FailingJournal(MemoryJournal):
    """Outlives the processes that write it.

    ``power_cut`` loses the batch that was being written: nothing of it was synced, and
    nobody was told that it was. ``death_at_record`` keeps it, and nobody is told.
    """

    def __init__(self, engine: int) -> None:
        super().__init__(engine)
        self._due: dict[int, str] = {}
        self._appends = 0
        self.struck: list[str] = []
        self.on_append: Callable[[Sequence[Entry]], object] = lambda _batch: None
        """Told of each batch that is durable."""

    def begin(self, faults: Sequence[EngineFault]) -> None:
        """Start a process, with the faults of its disk and power."""
        self._due = {fault.nth: fault.kind for fault in faults}
        self._appends = 0

    def append(self, batch: Sequence[Entry]) -> None:
        """Append ``batch``, unless this is where it fails.

        Raises:
            ProcessDied: the process ended.
            CommitFailed: the disk is full.
        """
        self._appends += 1
        kind = self._due.get(self._appends)
        if kind is not None:
            self.struck.append(kind)
        if kind == "disk_full":
            message = "no space left on the simulated disk"
            raise CommitFailed(message)
        if kind != "power_cut":
            super().append(batch)
        if kind is not None:
            raise ProcessDied(kind)
        self.on_append(batch)
