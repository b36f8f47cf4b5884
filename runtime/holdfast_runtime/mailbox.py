"""Mailboxes: bounded, in lanes, and each lane says what happens when it is full.

A message's class may name its lane in a class variable ``lane``; without one it goes
to `Lane.EVENTS`. Within a lane messages keep their order; a higher lane is read first.
"""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeAlias

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
    """Take it, and let its sender handle nothing more until there is room.

    Only a sender for whom the owner waits itself goes on: both would wait for ever.
    """

    DROP_OLDEST = "drop_oldest"
    """Drop the oldest message of the lane, and count it."""

    CONFLATE = "conflate"
    """Replace the waiting message with the same key, full or not.

    A message with a new key drops the oldest when the lane is full. Both are counted.
    """

    CRASH = "crash"
    """Crash the owner: being so far behind is a fault."""


@attrs.frozen(kw_only=True)
class LaneSpec:
    """One lane's bound, and its policy when it is reached."""

    capacity: int = 65_536
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
    """Another one gave way to it: see `Mailbox.lost`."""

    OVER = 2
    """Taken, but the lane is over its capacity: its sender must wait."""

    OVERFLOW = 3
    """Not taken; the owner must crash."""


class Personal:
    """Base of messages that somebody waits for: they are never conflated."""

    __slots__ = ()


class LatestQueue:
    """A queue in which a message takes the place of the waiting one with its key."""

    __slots__ = ("_key", "_waiting")

    def __init__(self, key: Callable[[Any], Hashable]) -> None:
        self._key = key
        self._waiting: OrderedDict[Hashable, Any] = OrderedDict()

    def find(self, message: object) -> Any:  # noqa: ANN401 - whatever was put
        """Return the waiting message with the key of ``message``, or None."""
        return self._waiting.get(self._key_of(message))

    def append(self, message: object) -> None:
        """Put ``message`` at the end, or into the place of the one with its key."""
        self._waiting[self._key_of(message)] = message

    def appendleft(self, message: object) -> None:
        """Put ``message`` at the head."""
        key = self._key_of(message)
        self._waiting[key] = message
        self._waiting.move_to_end(key, last=False)

    def popleft(self) -> Any:  # noqa: ANN401 - whatever was put
        """Take the message at the head."""
        return self._waiting.popitem(last=False)[1]

    def clear(self) -> None:
        """Drop all."""
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._waiting.values())

    def _key_of(self, message: object) -> Hashable:
        if isinstance(message, Personal):
            return (Personal, id(message))
        return self._key(message)


Queue: TypeAlias = "deque[Any] | LatestQueue"


class LaneQueue:
    """One lane in use."""

    __slots__ = ("capacity", "dropped", "full", "high_water", "lane", "queue")

    def __init__(self, lane: Lane, spec: LaneSpec) -> None:
        self.lane = lane
        self.queue: Queue = deque()
        if spec.full is Full.CONFLATE and spec.key is not None:
            self.queue = LatestQueue(spec.key)
        self.capacity = spec.capacity
        self.full = spec.full
        self.dropped = 0
        self.high_water = 0
        """The most that waited at once, as far as it was looked at: see `look`."""


class Mailbox:
    """The waiting messages of one place in the tree; survives its incarnations."""

    __slots__ = ("_lanes", "_specs", "active", "lost", "room", "size")

    def __init__(self, specs: Mapping[Lane, LaneSpec]) -> None:
        self._specs = specs
        self._lanes: list[LaneQueue | None] = [None, None, None, None]
        self.active: tuple[LaneQueue, ...] = ()
        """The lanes in use, highest first."""

        self.lost: Any = None
        """The last message that gave way to another."""

        self.size = 0
        self.room = 0
        """While less than this waits, no lane in use is full but one that conflates."""

    def put(self, message: object, lane: int) -> Put:
        """Add ``message`` to its lane by the lane's policy.

        Raises whatever the key of a conflating lane raises.
        """
        box = self._lanes[lane]
        if box is None:
            box = self._open(lane)
        queue = box.queue
        if box.full is Full.CONFLATE and self._replace(box, message):
            return Put.REPLACED
        if len(queue) < box.capacity:
            queue.append(message)
            self.size += 1
            return Put.TAKEN
        return self._put_full(box, message)

    def put_first(self, message: object, lane: int) -> bool:
        """Put a message back to the head of its lane; False if a newer one is there."""
        box = self._lanes[lane] or self._open(lane)
        queue = box.queue
        if isinstance(queue, LatestQueue) and queue.find(message) is not None:
            box.dropped += 1
            return False
        queue.appendleft(message)
        self.size += 1
        return True

    def pop(self) -> Any:  # noqa: ANN401 - whatever was put
        """Take the first message of the highest lane; `IndexError` when empty."""
        queue = self.active[0].queue
        if not queue:  # the highest lane has most of the mail
            queue = self._first_queue()
        self.size -= 1
        return queue.popleft()

    def _first_queue(self) -> Queue:
        for box in self.active:
            if box.queue:
                return box.queue
        message = "the mailbox is empty"
        raise IndexError(message)

    def highest(self) -> tuple[tuple[LaneQueue, ...], Queue, list[Queue]]:
        """Return the lanes in use, the queue that is read next, and those above it."""
        above: list[Queue] = []
        for box in self.active:
            if box.queue:
                return self.active, box.queue, above
            above.append(box.queue)
        return self.active, deque(), above

    def look(self) -> None:
        """Raise the high-water marks to what waits now.

        Readers do so where they begin a batch behind which something waits: a lane is
        never longer than just before it is read.
        """
        for box in self.active:
            box.high_water = max(box.high_water, len(box.queue))

    def be_fair(self) -> None:
        """Let one message of each lane overtake all in the higher ones but control.

        Readers do so after each full batch: so a lane that is flooded leaves to each
        lower one a message of every batch.
        """
        waiting = [box for box in self.active if box.lane and box.queue]
        if not waiting or isinstance(waiting[0].queue, LatestQueue):
            return
        for box in reversed(waiting[1:]):
            waiting[0].queue.appendleft(box.queue.popleft())

    def drain(self) -> list[Any]:
        """Take all messages, in the order in which they would be read."""
        taken = list(self)
        for box in self.active:
            box.queue.clear()
        self.size -= len(taken)
        return taken

    def is_over(self) -> bool:
        """Tell whether a lane holds more than half of what it may."""
        return any(len(box.queue) > box.capacity // 2 for box in self.active)

    def blocks(self, lane: int) -> bool:
        """Tell whether ``lane`` is at its capacity, and its senders must wait."""
        box = self._lanes[lane]
        return (
            box is not None
            and len(box.queue) >= box.capacity
            and box.full is Full.BLOCK
        )

    def way_in(self, lane: int) -> Callable[[object], None] | None:
        """Return what adds to ``lane`` while less than `room` waits.

        Who calls it counts `size`. None of a lane that conflates, or is not in use.
        """
        box = self._lanes[lane]
        if box is None or isinstance(box.queue, LatestQueue):
            return None
        return box.queue.append

    def __iter__(self) -> Iterator[Any]:
        for box in self.active:
            yield from box.queue

    @property
    def dropped(self) -> int:
        """How many messages were dropped or replaced."""
        return sum(box.dropped for box in self.active)

    def _open(self, lane: int) -> LaneQueue:
        spec = self._specs.get(Lane(lane)) or DEFAULT_LANES[Lane(lane)]
        box = self._lanes[lane] = LaneQueue(Lane(lane), spec)
        self.active = tuple(each for each in self._lanes if each is not None)
        plain = [each for each in self.active if each.full is not Full.CONFLATE]
        self.room = min((each.capacity for each in plain), default=0)
        return box

    def _put_full(self, box: LaneQueue, message: object) -> Put:
        if box.full is Full.CRASH:
            return Put.OVERFLOW
        if box.full is Full.BLOCK:
            box.queue.append(message)
            self.size += 1
            return Put.OVER
        self.lost = box.queue.popleft()
        box.queue.append(message)
        box.dropped += 1
        return Put.REPLACED

    def _replace(self, box: LaneQueue, message: object) -> bool:
        queue = box.queue
        if not isinstance(queue, LatestQueue):
            return False
        waiting = queue.find(message)
        if waiting is None:
            return False
        queue.append(message)
        self.lost = waiting
        box.dropped += 1
        return True
