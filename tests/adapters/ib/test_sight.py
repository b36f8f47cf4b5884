"""What is seen of how much IB is asked."""

from __future__ import annotations

from holdfast_adapters.ib.pacing import PER_S, RESERVE
from holdfast_domain.sight import VenueSight

from .test_venue import trading


async def test_what_was_asked_within_a_second_is_shown() -> None:
    async with trading() as (_, venue, _listener):
        await venue.positions()
        seen = venue.sight().limiter
        assert seen is not None
        assert 0 < seen.used <= PER_S
        assert (seen.limit, seen.for_cancels, seen.window_s) == (PER_S, RESERVE, 1.0)
        await venue.close()
        assert venue.sight() == VenueSight()
