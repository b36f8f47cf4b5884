"""Blame: what becomes of the messages that an actor had in hand when it died.

A derived one is read once more; the second time that its reader dies of it, it is
quarantined. All others become dead letters, and never go round again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from holdfast_runtime.cell import Cell, Outbox
from holdfast_runtime.delivery import Delivery
from holdfast_runtime.errors import Poisoned, RecordsLost, UnknownMessage
from holdfast_runtime.holds import forsake
from holdfast_runtime.messages import Asked, Derived, Records, is_derived, lane_of


class Blame(Delivery):
    """The part of the kernel that decides whose fault a death was."""

    def dispose(
        self,
        cell: Cell,
        message: Any,  # noqa: ANN401
        error: Exception,
        *,
        alone: bool,
    ) -> None:
        """Decide what becomes of a message on which an actor died."""
        if type(message) is Records:
            message.hold.fail(error)
        elif type(message) is Asked:
            message.answer(None, error)
        elif not is_derived(message):
            self.bury(cell, message, repr(error))
        elif error is cell.kill_error or _blames_another(error, message):
            self._put_back(cell, message)
        elif not alone:
            # Any of them may be the fatal one; they are read again one by one.
            cell.suspects.add(message.origin)
            cell.one_by_one += 1
            self._put_back(cell, message)
        elif not self._blame(cell, message.origin, message, error):
            self._put_back(cell, message)

    def poisoned(self, cell: Cell, messages: tuple[Any, ...], error: Poisoned) -> None:
        """Blame the input that the actor names, unless it is in hand anyway."""
        in_hand = [each.origin for each in messages if is_derived(each)]
        if error.origin not in in_hand:
            self._blame(cell, error.origin, None, error)

    def lost(self, cell: Cell, outbox: Outbox, recorder: Cell, why: Exception) -> None:
        """End a recorder that failed, and ``cell``, whose records are lost with it."""
        lost = RecordsLost(f"{cell.path}: {why}")
        self.kill(cell, lost)
        forsake(cell.path, outbox, lost)
        self.kill(recorder, why)

    def sift(self, cell: Cell) -> None:
        """Bury what waits and is not taken: it was told before that was known."""
        mailbox = cell.mailbox
        refused = []
        for message in mailbox.drain():
            content = message.message if type(message) is Asked else message
            try:
                if type(content) is not Records:
                    self.manners(cell, content)
            except UnknownMessage as error:
                refused.append((message, str(error)))
            else:
                mailbox.put(message, lane_of(message))
        for message, why in refused:
            self.bury(cell, message, why)
            self.done()

    def _put_back(self, cell: Cell, message: Any) -> None:  # noqa: ANN401
        if cell.mailbox.put_first(message, lane_of(message)):
            self.pending += 1

    def _blame(
        self,
        cell: Cell,
        origin: Hashable,
        message: Any,  # noqa: ANN401
        error: Exception,
    ) -> bool:
        """Return whether ``origin`` has now crashed its reader twice."""
        if origin not in cell.suspects:
            cell.suspects.add(origin)
            return False
        cell.suspects.remove(origin)
        for listener in self.on_quarantine:
            listener(cell, origin, message, error)
        return True


def _blames_another(error: Exception, message: Derived) -> bool:
    """Tell whether an actor named the input that it fails on, and it is another."""
    return isinstance(error, Poisoned) and error.origin != message.origin
