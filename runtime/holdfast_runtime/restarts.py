"""How often and how soon a child is started again: pure values."""

from __future__ import annotations

from random import Random  # noqa: TID251 - a type here; the engine seeds it

import attrs


@attrs.frozen
class RestartWindow:
    """The restarts of a family within the last ``period_s`` seconds.

    Immutable: `add` returns the next window, so the rule is tested without a clock.

    >>> window = RestartWindow(limit=1, period_s=5.0).add(now_s=10.0)
    >>> window.add(now_s=11.0).exceeded
    True
    >>> window.add(now_s=16.0).exceeded
    False
    """

    limit: int = attrs.field(validator=attrs.validators.ge(0))
    """Restarts tolerated within one period; the next one goes beyond."""

    period_s: float = attrs.field(validator=attrs.validators.gt(0.0))
    """Length of the period, in seconds of the engine's monotonic clock."""

    at_s: tuple[float, ...] = ()

    def add(self, now_s: float) -> RestartWindow:
        """Return the window with a restart at ``now_s``, and without the old ones."""
        kept = tuple(at for at in self.at_s if at > now_s - self.period_s)
        return attrs.evolve(self, at_s=(*kept, now_s))

    @property
    def exceeded(self) -> bool:
        """Whether more than ``limit`` restarts lie within the period."""
        return len(self.at_s) > self.limit


@attrs.frozen(kw_only=True)
class Backoff:
    """How long to wait before a restart: doubling, with jitter, up to a limit.

    >>> [Backoff(jitter=0.0).delay_s(attempt, Random(1)) for attempt in range(6)]
    [1.0, 2.0, 4.0, 8.0, 16.0, 16.0]
    """

    first_s: float = attrs.field(default=1.0, validator=attrs.validators.ge(0.0))
    limit_s: float = attrs.field(default=16.0, validator=attrs.validators.ge(0.0))
    jitter: float = attrs.field(default=0.1, validator=attrs.validators.ge(0.0))
    """Largest random addition, as a fraction of the delay."""

    healthy_s: float = attrs.field(default=60.0, validator=attrs.validators.ge(0.0))
    """A child that ran so long without a crash starts again at ``first_s``."""

    def delay_s(self, attempt: int, random: Random) -> float:
        """Return the wait before restart number ``attempt`` in a row, from 0."""
        delay = min(self.limit_s, self.first_s * 2.0 ** min(attempt, 30))
        return delay * (1.0 + self.jitter * random.random())
