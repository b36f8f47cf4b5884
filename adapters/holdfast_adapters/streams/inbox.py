"""What a stream has told and nobody has read yet: bounded, with a policy per key."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from holdfast_adapters.streams.dialect import Data
from holdfast_adapters.streams.events import Dropped, StreamEvent
from holdfast_adapters.streams.plan import Overflow

_LOW = 3 / 4
"""How full it is after making room, so that room is not made for each event."""


class Inbox:
    """Events in order, at most ``limit`` before room is made.

    Notices and replies are never dropped: the life of connections bounds them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[StreamEvent] = deque()
        self.dropped: Counter[str] = Counter()
        """How many events of each subscription were let go so far."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(
        self, events: Sequence[StreamEvent], policies: Mapping[str, Overflow]
    ) -> bool:
        """Add ``events``; return whether all that must not be dropped had room.

        A key without a policy drops its oldest. Where the answer is no, it is the
        connection that has to go; what came before it was full is kept.
        """
        was_full = len(self._waiting) > self._limit
        if not was_full and len(self._waiting) + len(events) <= self._limit:
            self._waiting.extend(events)
            return True
        vital = [each for each in events if _is_vital(each, policies)]
        if was_full and vital:
            # A hole is being told of already; what is in it is not kept in parts.
            self.dropped.update(each.key for each in vital)
            events = [each for each in events if not _is_vital(each, policies)]
        self._waiting.extend(events)
        self._make_room(policies)
        return not vital or len(self._waiting) <= self._limit

    def take(self) -> list[StreamEvent]:
        """Return all that waits, in order."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def _make_room(self, policies: Mapping[str, Overflow]) -> None:
        gone: Counter[str] = Counter()
        kept = self._conflated(policies, gone)
        excess = len(kept) - int(self._limit * _LOW)
        left: deque[StreamEvent] = deque()
        told: Counter[str] = Counter()
        for event in kept:
            if isinstance(event, Dropped):
                told[event.key] += event.count
            elif excess > 0 and isinstance(event, Data) and _may_go(event, policies):
                gone[event.key] += 1
                excess -= 1
            else:
                left.append(event)
        self.dropped.update(gone)
        told.update(gone)
        left.extendleft(Dropped(key=key, count=told[key]) for key in sorted(told))
        self._waiting = left

    def _conflated(
        self, policies: Mapping[str, Overflow], gone: Counter[str]
    ) -> list[StreamEvent]:
        """Keep the latest of each key that wants it so, where that one stands."""
        seen: set[str] = set()
        kept: list[StreamEvent] = []
        for event in reversed(self._waiting):
            if isinstance(event, Data) and policies.get(event.key) is Overflow.CONFLATE:
                if event.key in seen:
                    gone[event.key] += 1
                    continue
                seen.add(event.key)
            kept.append(event)
        kept.reverse()
        return kept


def _is_vital(event: StreamEvent, policies: Mapping[str, Overflow]) -> TypeGuard[Data]:
    return isinstance(event, Data) and policies.get(event.key) is Overflow.RECONNECT


def _may_go(event: Data, policies: Mapping[str, Overflow]) -> bool:
    policy = policies.get(event.key, Overflow.DROP_OLDEST)
    return policy is Overflow.DROP_OLDEST
