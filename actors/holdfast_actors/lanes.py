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
        sides: Sides,
        carry: Callable[[Request], Coroutine[Any, Any, None]],
    ) -> None:
        """Do requests by ``carry``, in ``sides``."""
        self._sides = sides
        self._carry = carry
        self._lanes: dict[str, deque[Request]] = {}
        self._list_of: dict[str, str] = {}
        """The lane of each leg of a list that is under way, by its first one."""

        self._awaits: dict[str, set[str]] = {}
        """By the lane of a list that is to leave: legs that have lanes of their own."""

        self._questions = 0
        self._waiting: deque[Request] = deque()
        """Questions beyond the limit."""

    def add(self, message: Request) -> None:
        """Have a request done, after those about the same order."""
        if _is_question(message) and self._questions >= QUESTIONS:
            self._waiting.append(message)
        else:
            self._enter(message)

    def _enter(self, message: Request) -> None:
        self._questions += _is_question(message)
        if isinstance(message, Submit) and message.rest:
            self._join(message)
        key = self._lane_of(message)
        lane = self._lanes.setdefault(key, deque())
        lane.append(message)
        if len(lane) == 1:
            self._begin(key)

    def _join(self, message: Submit) -> None:
        """Put what concerns the legs of a list into one lane, behind what was before.

        Their lookups may be under way, when the list goes out a second time.
        """
        first = message.order.order_id
        own = {leg for leg in message.ids if leg != first and leg in self._lanes}
        self._list_of.update(dict.fromkeys(message.ids, first))
        if own:
            self._awaits[first] = own

    def _begin(self, key: str) -> None:
        """Begin the first request of a lane, unless it waits for other lanes."""
        if not self._is_held(key):
            self._sides.begin(self._run(key, self._lanes[key][0]))

    def _is_held(self, key: str) -> bool:
        return key in self._awaits and isinstance(self._lanes[key][0], Submit)

    async def _run(self, key: str, message: Request) -> None:
        await self._carry(message)
        lane = self._lanes[key]
        lane.popleft()
        self._questions -= _is_question(message)
        if lane:
            self._begin(key)
        else:
            del self._lanes[key]
            self._forget(key)
            self._release(key)
        if self._waiting and self._questions < QUESTIONS:
            self._enter(self._waiting.popleft())

    def _release(self, key: str) -> None:
        """Let a list leave that waited for this lane alone."""
        for first, own in list(self._awaits.items()):
            own.discard(key)
            if not own:
                held = self._is_held(first)
                del self._awaits[first]
                if held:
                    self._begin(first)

    def _lane_of(self, message: Request) -> str:
        order_id = order_of(message)
        return self._list_of.get(order_id, order_id)

    def _forget(self, lane: str) -> None:
        """Let the legs of a list go on beside each other: nothing of it is left."""
        for each in [leg for leg, first in self._list_of.items() if first == lane]:
            del self._list_of[each]

    async def empty(self) -> None:
        """Wait until nothing is under way."""
        await self._sides.ended()

    async def cut(self) -> tuple[list[Request], list[Request]]:
        """End all; return what was under way, and what had waited behind it."""
        self._sides.cut()
        await self._sides.ended()
        under_way, waited = list[Request](), list[Request]()
        for key, lane in self._lanes.items():
            begun = 0 if self._is_held(key) else 1
            under_way += list(lane)[:begun]
            waited += list(lane)[begun:]
        waited += self._waiting
        self._lanes.clear()
        self._awaits.clear()
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
