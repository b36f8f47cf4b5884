"""The threads of a live run: for the journal, the venue's record, and a tape."""

from __future__ import annotations

from holdfast.compose import VENUE
from holdfast.console.actor import Desk
from holdfast_actors.tree import JOURNAL, VENUES
from holdfast_runtime.threads import Hung, PykkaAsyncioHost, PykkaThreadHost, Trouble


class Hosts:
    """All hosts. What hangs in one is told as a `Lifecycle` of who uses it.

    They count hung threads together, over all sessions of the venue.
    """

    def __init__(self, desk: Desk) -> None:
        """Start the threads; inside a trio run. ``desk`` knows the engine."""
        self._desk = desk
        self._hung = Hung()
        self._all: list[PykkaThreadHost | PykkaAsyncioHost] = []
        self.journal = self.open(JOURNAL)
        self.venue = self.open(f"{VENUES}/{VENUE}")

    def open(self, path: str) -> PykkaThreadHost:
        """Start one more, for the actor at ``path``."""
        host = PykkaThreadHost(name=path, hung=self._hung, report=self._tell)
        self._all.append(host)
        return host

    def open_loop(self, path: str) -> PykkaAsyncioHost:
        """Start a loop of asyncio, for the actor at ``path``."""
        host = PykkaAsyncioHost(name=path, hung=self._hung, report=self._tell)
        self._all.append(host)
        return host

    def close(self) -> None:
        """End all; waits for no thread."""
        for host in self._all:
            host.close()

    def _tell(self, trouble: Trouble) -> None:
        engine = self._desk.engine
        if engine is None:
            return
        cell = engine.cells.get(trouble.host)
        incarnation = 0 if cell is None else cell.incarnation
        engine.tell_lifecycle(trouble.host, trouble.what, incarnation, trouble.text)
