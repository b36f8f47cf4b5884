"""Who waits for what. TWS answers in the order in which it was asked."""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections import deque
from typing import Any, Final, Generic, TypeVar

from holdfast_domain.errors import VenueRefused

T = TypeVar("T")

FIRST_REQUEST: Final = 1 << 30
"""Questions are numbered from here on, so that no order has one of their numbers."""


class Series(Generic[T]):
    """Questions without a number: each end of an answer is that of the oldest one.

    A question that was given up keeps its place, so that its end is not taken for that
    of the next one.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[list[T]]] = deque()
        self._rows: list[T] = []

    def ask(self) -> asyncio.Future[list[T]]:
        """Return what will be the answer to a question that is sent now."""
        answer: asyncio.Future[list[T]] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        return answer

    @property
    def is_open(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._waiting)

    def add(self, row: T) -> None:
        """Take a part of an answer."""
        if self._waiting:
            self._rows.append(row)

    def end(self) -> None:
        """Take the end of an answer."""
        rows, self._rows = self._rows, []
        if self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(rows)

    def fail(self, error: Exception) -> None:
        """Say that no answer comes any more."""
        while self._waiting:
            _fail(self._waiting.popleft(), error)
        self._rows = []


class Numbered:
    """Questions with a number of their own."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[list[Any]]] = {}
        self._rows: dict[int, list[Any]] = {}
        self._next = FIRST_REQUEST

    def number(self) -> int:
        """Return a new number, for what has no answer that ends."""
        number, self._next = self._next, self._next + 1
        return number

    def ask(self) -> tuple[int, asyncio.Future[list[Any]]]:
        """Return a new number, and what will be the answer."""
        number = self.number()
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number], self._rows[number] = answer, []
        return number, answer

    def add(self, number: int, row: object) -> bool:
        """Take a part of an answer; return whether it is one."""
        rows = self._rows.get(number)
        if rows is not None:
            rows.append(row)
        return rows is not None

    def end(self, number: int) -> None:
        """Take the end of an answer."""
        answer, rows = self._waiting.pop(number, None), self._rows.pop(number, [])
        if answer is not None and not answer.done():
            answer.set_result(rows)

    def refuse(self, number: int, code: int, words: str) -> bool:
        """Take an error about a question; return whether it is about one."""
        answer = self._waiting.pop(number, None)
        self._rows.pop(number, None)
        if answer is None:
            return False
        _fail(answer, VenueRefused(" ".join(words.split()), str(code)))
        return True

    def fail(self, error: Exception) -> None:
        """Say that no answer comes any more."""
        for answer in self._waiting.values():
            _fail(answer, error)
        self._waiting.clear()
        self._rows.clear()


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # who asked may have gone: it is not to be reported then
