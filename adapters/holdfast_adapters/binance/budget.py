"""What all who ask a venue from one address share: its limit, and a breaker.

Source: binance-spot-api-docs, rest-api.md, "IP Limits": each answer says in a header
how much weight the address has used in the minute, by the venue's clock.
"""

from __future__ import annotations

from typing import Final

import attrs

from holdfast_adapters.breaker import Breaker
from holdfast_domain.sight import Limiter

MINUTE_MS: Final = 60_000
RESERVE: Final = 0.2
"""What part of the limit is kept for orders, and half of that for cancels alone."""

UNLIKELY: Final = 1 << 30
"""A limit before the venue has said one."""


@attrs.define
class Budget:
    """The weight of one address in the minute that runs; all who ask from it share it.

    >>> budget = Budget(limit=100)
    >>> budget.used(85, 30_000)
    >>> budget.wait_s(45_000, share=0.8), budget.wait_s(45_000, share=1.0)
    (15.0, 0.0)
    """

    limit: int = UNLIKELY
    weight: int = attrs.field(default=0, init=False)
    """What was used, as far as it was said."""

    breaker: Breaker = attrs.field(factory=Breaker, init=False)
    """Of questions: after five that failed, none is asked for a minute."""

    _minute: int = attrs.field(default=0, init=False)

    def used(self, weight: int, now_ms: int) -> None:
        """Take what an answer says of the minute that runs, in the venue's time."""
        minute = now_ms // MINUTE_MS
        if minute > self._minute:
            self._minute, self.weight = minute, 0
        self.weight = max(self.weight, weight)

    def sight(self, now_ms: int) -> Limiter:
        """Return how much is used, for people; by the venue's time."""
        is_over = now_ms // MINUTE_MS > self._minute
        known = None if self.limit == UNLIKELY else self.limit
        kept = 0 if known is None else round(RESERVE * known)
        return Limiter(
            used=0 if is_over else self.weight,
            limit=known,
            window_s=MINUTE_MS / 1000,
            for_orders=kept,
            for_cancels=kept // 2,
        )

    def wait_s(self, now_ms: int, *, share: float) -> float:
        """Return how long until something may leave that may use ``share`` of it."""
        if now_ms // MINUTE_MS > self._minute or self.weight < share * self.limit:
            return 0.0
        return (MINUTE_MS - now_ms % MINUTE_MS) / 1000
