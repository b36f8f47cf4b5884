"""How often and how soon a child is started again."""

from __future__ import annotations

import math
from collections import deque
from random import Random  # noqa: TID251 - a type here; the engine seeds it

import attrs


class RestartWindow:
    """The restarts of a family, as far as its limit needs them.

    >>> window = RestartWindow(limit=1, period_s=5.0)
    >>> [window.add(now_s) for now_s in (10.0, 11.0, 16.0)]
    [False, True, False]
    """

    def __init__(self, *, limit: int | None, period_s: float) -> None:
        """Tolerate ``limit`` restarts within a period, or any number if it is None."""
        self._limit = math.inf if limit is None else limit
        self._period_s = period_s
        # Of all restarts, those that lie further back cannot be within one period.
        self._at_s: deque[float] = deque(maxlen=0 if limit is None else limit + 1)

    def add(self, now_s: float) -> bool:
        """Count a restart; return whether it is one too many."""
        at_s = self._at_s
        at_s.append(now_s)
        return len(at_s) > self._limit and at_s[0] > now_s - self._period_s


@attrs.frozen(kw_only=True)
class Backoff:
    """How long to wait before a restart: doubling, with jitter, up to a limit.

    >>> [Backoff(jitter=0.0).delay_s(attempt, Random(1)) for attempt in range(6)]
    [1.0, 2.0, 4.0, 8.0, 16.0, 16.0]
    """

    first_s: float = 1.0
    limit_s: float = 16.0
    jitter: float = 0.1
    """Largest random addition, as a fraction of the delay."""

    healthy_s: float = 60.0
    """A child that ran so long without a crash starts again at ``first_s``."""

    def delay_s(self, attempt: int, random: Random) -> float:
        """Return the wait before restart number ``attempt`` in a row, from 0."""
        delay = min(self.limit_s, self.first_s * 2.0 ** min(attempt, 30))
        return delay * (1.0 + self.jitter * random.random())
