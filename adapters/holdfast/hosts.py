"""The threads of a live run: one for the journal, one for the venue's record."""

from __future__ import annotations

from holdfast.compose import VENUE
from holdfast.console.actor import Desk
from holdfast_actors.tree import JOURNAL, VENUES
from holdfast_runtime.threads import Hung, PykkaThreadHost, Trouble


class Hosts:
    """Both hosts. What hangs in either is told as a `Lifecycle` of who uses it.

    They count hung threads together, over all sessions of the venue.
    """

    def __init__(self, desk: Desk) -> None:
        """Start both threads; inside a trio run. ``desk`` knows the engine."""
        self._desk = desk
        hung = Hung()
        self.journal = PykkaThreadHost(name=JOURNAL, hung=hung, report=self._tell)
        self.venue = PykkaThreadHost(
            name=f"{VENUES}/{VENUE}", hung=hung, report=self._tell
        )

    def close(self) -> None:
        """End both; waits for no thread."""
        self.journal.close()
        self.venue.close()

    def _tell(self, trouble: Trouble) -> None:
        engine = self._desk.engine
        if engine is None:
            return
        cell = engine.cells.get(trouble.host)
        incarnation = 0 if cell is None else cell.incarnation
        engine.tell_lifecycle(trouble.host, trouble.what, incarnation, trouble.text)
