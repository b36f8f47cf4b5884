"""One subscription as it is watched: what is new, what is missing, what is silent."""

from __future__ import annotations

import math

from holdfast_adapters.streams.dialect import Data
from holdfast_adapters.streams.events import Fresh, Gap, StreamEvent
from holdfast_adapters.streams.plan import Subscription

IDENTITIES_MAX = 4096
"""How many identities are remembered per subscription, to know a repetition."""

PATIENCE_MAX = 16.0
"""By how much the wait between two attempts to revive a subscription may grow."""


class Watch:
    """What is known of one subscription, across connections."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.is_stale = False
        self.attempts = 0
        """How often it was tried to revive it since its last event."""
        self._heard_s = math.inf
        """When its last event came; infinite while nothing is expected."""
        self._again_s = -math.inf
        self._sequence: int | None = None
        self._line = -1
        self._identities: dict[str, None] = {}

    def expect(self, now_s: float) -> None:
        """Count silence from ``now_s`` on: it is subscribed."""
        if self.is_stale:
            self._again_s = now_s + (self.subscription.stale_after_s or 0.0)
        else:
            self._heard_s = now_s

    def tried(self, now_s: float) -> None:
        """Wait, longer each time, before the next attempt to revive it."""
        limit_s = self.subscription.stale_after_s or 0.0
        self.attempts += 1
        patience = min(2.0**self.attempts, PATIENCE_MAX)
        self._again_s = now_s + limit_s * patience

    @property
    def due_s(self) -> float:
        """When the silence will be too long, or the next attempt is due."""
        limit_s = self.subscription.stale_after_s
        if limit_s is None:
            return math.inf
        return max(self._heard_s + limit_s, self._again_s)

    def silent_s(self, now_s: float) -> float:
        """Return how long nothing came."""
        return now_s - self._heard_s

    def take(
        self,
        data: Data,
        line: int,
        now_s: float,
        told: list[StreamEvent],
        overlaps: bool,
    ) -> None:
        """Add ``data`` to ``told`` if it is new, after what is to be said before it.

        ``line`` is the connection that it came on; ``overlaps`` tells whether another
        one is subscribed too, so that repetitions are to be expected.
        """
        self._heard_s = now_s
        if self.is_stale:
            self.is_stale, self.attempts = False, 0
            self._again_s = -math.inf
            told.append(Fresh(at_s=now_s, key=data.key))
        came, seen = data.sequence, self._sequence
        if came is None:
            if data.identity is None or self._is_unseen(data.identity):
                told.append(data)
            return
        if seen is not None:
            follows = data.follows
            if came <= seen:
                # A venue may number anew on a new connection: then what was seen says
                # nothing, and the first lower number is a gap and no repetition.
                if overlaps or line == self._line:
                    return
                told.append(Gap(at_s=now_s, key=data.key, after=seen, before=came))
            elif follows is not None and follows > seen:
                told.append(Gap(at_s=now_s, key=data.key, after=seen, before=came))
        self._sequence, self._line = came, line
        told.append(data)

    def _is_unseen(self, identity: str) -> bool:
        if identity in self._identities:
            return False
        self._identities[identity] = None
        if len(self._identities) > IDENTITIES_MAX:
            del self._identities[next(iter(self._identities))]
        return True
