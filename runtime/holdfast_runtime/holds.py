"""Holds: nothing that an actor says leaves before what it recorded is durable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from holdfast_runtime.errors import AskFailed, RecordsLost
from holdfast_runtime.messages import Answer

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell, Outbox


def forsake(path: str, said: Iterable[tuple[Any, Any]], error: Exception) -> None:
    """Fail the questions whose answers are in what was said and will not leave."""
    for _, call in said:
        if type(call) is Answer:
            text = (
                f"{path} ended before its answer to {call.asked.message!r} left: "
                f"{error!r}"
            )
            failed = AskFailed(text)
            failed.__cause__ = error
            call.asked.answer(None, failed)


class Hold:
    """The outbox of one `handle`, waiting for its records to become durable.

    Holds of one actor are let out in the order in which they were made. An incarnation
    that has ended lets nothing out any more, although its records stay.
    """

    __slots__ = ("cell", "done", "failed", "life", "outbox")

    def __init__(self, cell: Cell, outbox: Outbox, *, done: bool) -> None:
        self.cell = cell
        self.life = cell.life
        self.outbox = outbox
        self.done = done
        self.failed = False

    def confirm(self) -> None:
        """Say that the records are durable."""
        self.done = True
        self.cell.kernel.let_out(self.cell)

    def fail(self, error: Exception) -> None:
        """Say that nothing of the records is durable: the incarnation ends.

        Void after `confirm`, for then it was durable.
        """
        if self.done:
            return
        cell = self.cell
        if self.life == cell.life:
            # What the same incarnation recorded later rests on this: lost as well.
            lost = RecordsLost(f"{cell.path}: {error}")
            lost.__cause__ = error
            later = False
            for hold in cell.holds:
                later = later or hold is self
                if later and hold.life == self.life:
                    hold.failed = hold.done = True
                    hold.forsake(lost)
            cell.kernel.kill(cell, lost)
        self.failed = self.done = True
        cell.kernel.let_out(cell)

    def forsake(self, error: Exception) -> None:
        """Say that its outbox will not leave: whoever waits for an answer hears so."""
        outbox, self.outbox = self.outbox, []
        forsake(self.cell.path, outbox, error)

    def __repr__(self) -> str:
        return f"Hold({self.cell.path!r})"
