"""What can be seen of a venue's limiter and breaker, as plain values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Limiter(Struct, frozen=True, kw_only=True, gc=False):
    """How much of a venue's limit of requests is used, in the venue's own units."""

    used: int
    limit: int | None
    """How much may be used within ``window_s``; None where it is not known yet."""

    window_s: float
    for_orders: int
    """How much of the limit questions may not use."""

    for_cancels: int
    """How much of the limit nothing but cancels may use."""

    @property
    def is_used_up(self) -> bool:
        """Whether questions wait for the next window."""
        return self.limit is not None and self.used >= self.limit - self.for_orders


class BreakerSight(Struct, frozen=True, kw_only=True, gc=False):
    """How a breaker of questions stands."""

    state: Literal["closed", "open", "half_open"]
    failures: int
    """How many failed in a row."""

    left_s: float
    """For how long nothing is asked yet."""


class VenueSight(Struct, frozen=True, kw_only=True, gc=False):
    """What an adapter shows of itself; None is what it does not have."""

    limiter: Limiter | None = None
    breaker: BreakerSight | None = None
