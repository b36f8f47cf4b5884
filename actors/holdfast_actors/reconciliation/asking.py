"""Plays brackets: gives each question to whom it is for, and takes the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from holdfast_actors.reconciliation.bracket import Ask, Bracket, Seen, Unquiet, bracket
from holdfast_actors.reconciliation.messages import (
    Answer,
    AskBooks,
    AskVenue,
    BooksView,
    OrdersView,
)
from holdfast_runtime import Ref

_NUMBERS: Final = 1 << 32
"""Questions of one incarnation; an answer to another's has another number."""


@attrs.frozen
class Failed:
    """A bracket that says nothing, and why."""

    why: str


class Asking:
    """One bracket at a time; an answer that nobody waits for is passed over."""

    def __init__(
        self,
        *,
        me: Ref[Any],
        sessions: Mapping[str, Ref[Any]],
        orders: Ref[Any],
        ledger: Ref[Any],
        incarnation: int,
    ) -> None:
        self._me = me
        self._sessions = sessions
        self._orders = orders
        self._ledger = ledger
        self._bracket: Bracket | None = None
        self._number = incarnation * _NUMBERS
        self.began = 0
        """The number of the bracket that is, or was, the last one."""

    @property
    def is_open(self) -> bool:
        """Whether an answer is waited for."""
        return self._bracket is not None

    def begin(self, venue: str, since: str | None) -> None:
        """Begin a bracket; ``since`` is from where executions are asked for."""
        self._number += 1
        self.began = self._number
        self._bracket = bracket(venue, self._me, since)
        self._ask(next(self._bracket))

    def drop(self) -> None:
        """Wait for no answer any more."""
        self._bracket = None

    def take(self, message: Answer | OrdersView | BooksView) -> Seen | Failed | None:
        """Take an answer; return how the bracket ended, or None while it goes on."""
        playing = self._bracket
        if playing is None or message.number != self._number:
            return None
        found = message.found if isinstance(message, Answer) else message
        if found is None:
            return self._ended(f"the venue did not answer: {_reason(message)}")
        try:
            self._ask(playing.send(found))
        except StopIteration as end:
            self._bracket = None
            seen: Seen = end.value
            return seen
        except Unquiet as error:
            return self._ended(str(error))
        return None

    def _ended(self, why: str) -> Failed:
        self._bracket = None
        return Failed(why)

    def _ask(self, question: Ask) -> None:
        self._number += 1
        rest = [getattr(question, name) for name in question.__struct_fields__[1:]]
        numbered = type(question)(self._number, *rest)
        if isinstance(question, AskVenue):
            self._sessions[question.venue].tell(numbered)
        elif isinstance(question, AskBooks):
            self._ledger.tell(numbered)
        else:
            self._orders.tell(numbered)


def _reason(message: Answer | OrdersView | BooksView) -> str:
    return message.reason if isinstance(message, Answer) else ""
