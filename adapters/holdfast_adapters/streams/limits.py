"""How much may be sent, and how long to wait before another attempt."""

from __future__ import annotations

from random import Random  # noqa: TID251 - the type alone; the seeded one is given in

import attrs

_ROUNDING = 1e-6


@attrs.define
class TokenBucket:
    """Lets ``per_s`` messages a second go, and ``burst`` at once.

    ``reserve`` of the burst is kept for what is urgent: cancels, heartbeats.

    >>> bucket = TokenBucket(per_s=5.0, burst=5, reserve=1)
    >>> [bucket.take(0.0) for _ in range(5)], bucket.take(0.0, urgent=True)
    ([True, True, True, True, False], True)
    >>> round(bucket.wait_s(0.0), 3)
    0.4
    """

    per_s: float = attrs.field(validator=attrs.validators.gt(0.0))
    burst: int = attrs.field(validator=attrs.validators.ge(1))
    reserve: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    _tokens: float = attrs.field(init=False)
    _filled_s: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        if self.reserve >= self.burst:
            message = f"expected a reserve below {self.burst}, got {self.reserve}"
            raise ValueError(message)
        self._tokens = float(self.burst)

    def take(self, now_s: float, *, urgent: bool = False) -> bool:
        """Take one message's right, if it is there."""
        self._fill(now_s)
        # Who waited for exactly as long as `wait_s` said is not refused by rounding.
        if self._tokens + _ROUNDING < 1.0 + (0 if urgent else self.reserve):
            return False
        self._tokens -= 1.0
        return True

    def owe(self, now_s: float) -> None:
        """Take one for what cannot wait, such as a pong; others wait the longer."""
        self._fill(now_s)
        self._tokens -= 1.0

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until one that is not urgent may go."""
        self._fill(now_s)
        return max(0.0, (1.0 + self.reserve - self._tokens) / self.per_s)

    def _fill(self, now_s: float) -> None:
        passed_s = max(0.0, now_s - self._filled_s)
        self._tokens = min(float(self.burst), self._tokens + passed_s * self.per_s)
        self._filled_s = max(now_s, self._filled_s)


@attrs.define
class Backoff:
    """How long to wait before each next attempt: from ``first_s`` to ``last_s``.

    The n-th wait is drawn evenly between the n-th power and the next one, so that
    those who were cut off together do not come back together. It never gives up.
    The first attempt after a healthy stretch waits at most ``again_s``: nothing says
    yet that the venue is in trouble.
    """

    random: Random
    first_s: float = 1.0
    last_s: float = 16.0
    again_s: float = 0.25
    attempts: int = attrs.field(default=0, init=False)

    def next_s(self) -> float:
        """Return how long to wait now."""
        low_s = min(self.first_s * 2.0**self.attempts, self.last_s / 2.0)
        # Beyond this many the power only grows, and would overflow in a year.
        self.attempts = min(self.attempts + 1, 64)
        return self.random.uniform(low_s, min(2.0 * low_s, self.last_s))

    def reset_s(self) -> float:
        """Begin anew, after a healthy stretch; return how long to wait now."""
        self.attempts = 0
        return self.random.uniform(0.0, self.again_s)
