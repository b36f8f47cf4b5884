"""Mailboxes: bounded, in lanes, and each lane says what happens when it is full.

A message's class may name its lane in a class variable ``lane``; without one it goes
to `Lane.EVENTS`. Within a lane messages keep their order; a higher lane is read first.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import attrs


class Lane(enum.IntEnum):
    """The lanes of a mailbox, highest first."""

    CONTROL = 0
    """Stop, kill, supervision: never behind a backlog."""

    EVENTS = 1
    """Commands and events of which none may be missed."""

    TIMERS = 2
    DATA = 3
    """Bulk data."""


class Full(enum.Enum):
    """What a lane does with a message when it is at its capacity."""

    BLOCK = "block"
    """Take it, and let its sender handle nothing more until there is room."""

    DROP_OLDEST = "drop_oldest"
    """Drop the oldest message of the lane, and count it."""

    CONFLATE = "conflate"
    """Replace the waiting message with the same key, full or not."""

    CRASH = "crash"
    """Crash the owner: being so far behind is a fault."""


@attrs.frozen(kw_only=True)
class LaneSpec:
    """One lane's bound, and its policy when it is reached."""

    capacity: int = attrs.field(default=65_536, validator=attrs.validators.ge(1))
    full: Full = Full.BLOCK
    key: Callable[[Any], Hashable] | None = None
    """For `Full.CONFLATE`: messages with an equal key replace each other."""


DEFAULT_LANES: Mapping[Lane, LaneSpec] = {
    Lane.CONTROL: LaneSpec(capacity=1_024, full=Full.CRASH),
    Lane.EVENTS: LaneSpec(),
    Lane.TIMERS: LaneSpec(),
    Lane.DATA: LaneSpec(capacity=4_096),
}


class Put(enum.Enum):
    """What became of a message that was put."""

    TAKEN = 0
    REPLACED = 1
    """It took the place of another; the count of waiting messages is the same."""

    OVER = 2
    """Taken, but the lane is over its capacity: its sender must wait."""

    OVERFLOW = 3
    """Not taken; the owner must crash."""


class _LaneQueue:
    """One lane in use."""

    __slots__ = ("capacity", "dropped", "full", "high_water", "key", "queue")

    def __init__(self, spec: LaneSpec) -> None:
        self.queue: deque[Any] = deque()
        self.capacity = spec.capacity
        self.full = spec.full
        self.key = spec.key
        self.dropped = 0
        self.high_water = 0


class Mailbox:
    """The waiting messages of one place in the tree; survives its incarnations."""

    __slots__ = ("_active", "_lanes", "_specs", "size")

    def __init__(self, specs: Mapping[Lane, LaneSpec]) -> None:
        self._specs = specs
        self._lanes: list[_LaneQueue | None] = [None, None, None, None]
        self._active: tuple[_LaneQueue, ...] = ()
        self.size = 0

    def put(self, message: object, lane: int) -> Put:
        """Add ``message`` to its lane by the lane's policy."""
        box = self._lanes[lane]
        if box is None:
            box = self._open(lane)
        waiting = len(box.queue)
        if box.key is not None and self._replace(box, message):
            return Put.REPLACED
        if waiting < box.capacity:
            box.queue.append(message)
            self.size += 1
            return Put.TAKEN
        return self._put_full(box, message)

    def put_first(self, message: object, lane: int) -> None:
        """Put a message back to the head of its lane."""
        box = self._lanes[lane] or self._open(lane)
        box.queue.appendleft(message)
        self.size += 1

    def pop(self) -> Any:  # noqa: ANN401 - whatever was put
        """Take the first message of the highest lane; `IndexError` when empty."""
        for box in self._active:
            if box.queue:
                self.size -= 1
                return box.queue.popleft()
        message = "the mailbox is empty"
        raise IndexError(message)

    def take_out(self, kind: type) -> None:
        """Take out the first message of exactly the class ``kind``, if there is one."""
        for box in self._active:
            for place, message in enumerate(box.queue):
                if type(message) is kind:
                    del box.queue[place]
                    self.size -= 1
                    return

    def drain(self) -> list[Any]:
        """Take all messages, in the order in which they would be read."""
        taken = [message for box in self._active for message in box.queue]
        for box in self._active:
            box.queue.clear()
        self.size = 0
        return taken

    def is_over(self) -> bool:
        """Tell whether a lane holds more than half of what it may."""
        return any(len(box.queue) > box.capacity // 2 for box in self._active)

    def is_full(self, lane: int) -> bool:
        """Tell whether ``lane`` is at its capacity."""
        box = self._lanes[lane]
        return box is not None and len(box.queue) >= box.capacity

    def __iter__(self) -> Iterator[Any]:
        for box in self._active:
            yield from box.queue

    @property
    def dropped(self) -> int:
        """How many messages were dropped or replaced."""
        return sum(box.dropped for box in self._active)

    def _open(self, lane: int) -> _LaneQueue:
        spec = self._specs.get(Lane(lane)) or DEFAULT_LANES[Lane(lane)]
        box = self._lanes[lane] = _LaneQueue(spec)
        self._active = tuple(each for each in self._lanes if each is not None)
        return box

    def _put_full(self, box: _LaneQueue, message: object) -> Put:
        if box.full is Full.CRASH:
            return Put.OVERFLOW
        if box.full is Full.BLOCK:
            box.queue.append(message)
            self.size += 1
            return Put.OVER
        box.queue.popleft()
        box.queue.append(message)
        box.dropped += 1
        return Put.REPLACED

    @staticmethod
    def _replace(box: _LaneQueue, message: object) -> bool:
        if box.full is not Full.CONFLATE or box.key is None:
            return False
        key = box.key(message)
        for place, waiting in enumerate(box.queue):
            if box.key(waiting) == key:
                box.queue[place] = message
                box.dropped += 1
                return True
        return False
