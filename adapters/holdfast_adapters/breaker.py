"""A circuit breaker for questions: who does not answer is not asked for a while."""

from __future__ import annotations

import attrs

from holdfast_domain.sight import BreakerSight


@attrs.define
class Breaker:
    """Opens after ``failures`` in a row; after ``open_s`` it lets some through again.

    ``successes`` of those close it, and one failure opens it again. It knows no clock.

    >>> breaker = Breaker(failures=2, open_s=60)
    >>> breaker.failed(0.0), breaker.failed(1.0), breaker.wait_s(11.0)
    (None, None, 50.0)
    """

    failures: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    open_s: float = attrs.field(default=60.0, validator=attrs.validators.gt(0.0))
    successes: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    _failed: int = attrs.field(default=0, init=False)
    _good: int = attrs.field(default=0, init=False)
    _until_s: float | None = attrs.field(default=None, init=False)
    """Until when it is open; None where it is closed."""

    @property
    def is_closed(self) -> bool:
        """Whether all is let through."""
        return self._until_s is None

    def wait_s(self, now_s: float) -> float:
        """Return for how long nothing may be asked; 0: ask, though maybe once only."""
        if self._until_s is None:
            return 0.0
        # The sum and the difference of two times need not be what was added.
        return min(self.open_s, max(0.0, self._until_s - now_s))

    def sight(self, now_s: float) -> BreakerSight:
        """Return how it stands, for people."""
        left_s, failures = self.wait_s(now_s), self._failed
        if self.is_closed:
            return BreakerSight(state="closed", failures=failures, left_s=0.0)
        if left_s:
            return BreakerSight(state="open", failures=failures, left_s=left_s)
        return BreakerSight(state="half_open", failures=failures, left_s=0.0)

    def answered(self) -> None:
        """Take it that an answer came, whatever it said."""
        self._failed = 0
        if self._until_s is not None:
            self._good += 1
            if self._good >= self.successes:
                self._until_s, self._good = None, 0

    def failed(self, now_s: float) -> None:
        """Take it that no answer came that could be read."""
        self._failed += 1
        if self._until_s is not None or self._failed >= self.failures:
            self._until_s, self._good = now_s + self.open_s, 0
