"""Hears what happens to an account at a real venue, beside its session.

What it hears is evidence like an answer's, and may be told twice. It holds nothing:
whatever it may have missed is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_actors.messages import Report
from holdfast_actors.requests import Asked, Evidence, How, StreamHole
from holdfast_domain.ports import AccountSource, VenueEvent
from holdfast_runtime import Ref


class AccountFeed:
    """Tells `orders` of one venue's stream."""

    def __init__(
        self,
        *,
        venue: str,
        source: AccountSource,
        orders: Ref[Any],
        now_s: Callable[[], float],
    ) -> None:
        self._venue = venue
        self._source = source
        self._orders = orders
        self._now_s = now_s
        self._holes = 0
        self._heard_s: float | None = None
        """When something came last."""

    def handle(self, message: Report) -> object:
        """Return how often something may have been missed, and since when none came."""
        del message
        silent_s = None if self._heard_s is None else self._now_s() - self._heard_s
        return {"holes": self._holes, "silent_s": {"account": silent_s}}

    async def run(self) -> None:
        """Listen, until cancelled."""
        await self._source.run(self._told, self._missed)

    def _told(self, event: VenueEvent) -> None:
        self._heard_s = self._now_s()
        evidence = Evidence(self._venue, Asked.STREAM, "", How.ANSWERED, (event,))
        self._orders.tell(evidence)

    def _missed(self, why: str) -> None:
        self._holes += 1
        self._orders.tell(StreamHole(self._venue, why))
