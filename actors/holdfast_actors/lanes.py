"""Requests under way to one venue: beside each other, and per order in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from holdfast_actors.reconciliation.messages import AskVenue
from holdfast_actors.requests import AskGap, LookUp, Request, Submit

QUESTIONS = 64
"""Questions under way for each venue; the rest waits. Submits have their own window."""


class Sides(Protocol):
    """Runs work beside an actor's handlers: `Context.sides`."""

    def begin(self, work: Coroutine[Any, Any, None], /) -> None:
        """Run ``work`` soon; first steps are made in the order of these calls."""

    def cut(self) -> None:
        """End all of it where it stands; nothing that it said leaves."""

    async def ended(self) -> None:
        """Wait until none is under way."""


class Lanes:
    """A lane for each order: its first request is under way, the others wait."""

    def __init__(
        self,
        sides: Sides | None,
        carry: Callable[[Request], Coroutine[Any, Any, None]],
    ) -> None:
        """Do requests by ``carry``, in ``sides``; without them, none."""
        self._sides = sides
        self._carry = carry
        self._lanes: dict[str, deque[Request]] = {}
        self._list_of: dict[str, str] = {}
        """The lane of each leg of a list that is under way, by its first one."""

        self._questions = 0
        self._waiting: deque[Request] = deque()
        """Questions beyond the limit."""

    def add(self, message: Request) -> bool:
        """Have a request done, after those about the same order.

        False if there are no sides to do it in: whoever asks does it.
        """
        if self._sides is None:
            return False
        if _is_question(message) and self._questions >= QUESTIONS:
            self._waiting.append(message)
        else:
            self._enter(self._sides, message)
        return True

    def _enter(self, sides: Sides, message: Request) -> None:
        self._questions += _is_question(message)
        if isinstance(message, Submit) and message.rest:
            self._list_of.update(dict.fromkeys(message.ids, message.order.order_id))
        lane = self._lanes.setdefault(self._lane_of(message), deque())
        lane.append(message)
        if len(lane) == 1:
            sides.begin(self._run(sides, message))

    async def _run(self, sides: Sides, message: Request) -> None:
        await self._carry(message)
        order_id = self._lane_of(message)
        lane = self._lanes[order_id]
        lane.popleft()
        self._questions -= _is_question(message)
        if lane:
            sides.begin(self._run(sides, lane[0]))
        else:
            del self._lanes[order_id]
            self._forget(order_id)
        if self._waiting and self._questions < QUESTIONS:
            self._enter(sides, self._waiting.popleft())

    def _lane_of(self, message: Request) -> str:
        order_id = order_of(message)
        return self._list_of.get(order_id, order_id)

    def _forget(self, lane: str) -> None:
        """Let the legs of a list go on beside each other: nothing of it is left."""
        for each in [leg for leg, first in self._list_of.items() if first == lane]:
            del self._list_of[each]

    async def empty(self) -> None:
        """Wait until nothing is under way."""
        if self._sides is not None:
            await self._sides.ended()

    async def cut(self) -> tuple[list[Request], list[Request]]:
        """End all; return what was under way, and what had waited behind it."""
        if self._sides is None:
            return [], []
        self._sides.cut()
        await self._sides.ended()
        lanes = self._lanes.values()
        under_way = [lane[0] for lane in lanes]
        waited = [message for lane in lanes for message in list(lane)[1:]]
        waited += self._waiting
        self._lanes.clear()
        self._list_of.clear()
        self._waiting.clear()
        self._questions = 0
        return under_way, waited


def order_of(message: Request) -> str:
    """Return the order that a request is about; empty if it is of no order.

    Of a list it is the first one.
    """
    if isinstance(message, Submit):
        return message.order.order_id
    return "" if isinstance(message, AskGap | AskVenue) else message.order_id


def _is_question(message: Request) -> bool:
    return isinstance(message, LookUp | AskGap | AskVenue)
