"""What venues tell of their own accord to a face, and a request that is cut short."""

from __future__ import annotations

from typing import Any

import trio

from holdfast_domain.ports import Venue, VenueEvent, VenueOrder


class Hearing:
    """Keeps what was told, for whoever waits for it."""

    def __init__(self, first: int) -> None:
        """``first`` holes are told of before anything was missed."""
        self._first = first
        self._heard: list[VenueEvent] = []
        self._holes: list[str] = []
        self._bell = trio.Event()

    def told(self, event: VenueEvent) -> None:
        self._heard.append(event)
        self._ring()

    def missed(self, why: str) -> None:
        self._holes.append(why)
        self._ring()

    def _ring(self) -> None:
        self._bell.set()
        self._bell = trio.Event()

    async def hear(self, count: int, holes: int) -> list[VenueEvent]:
        """See `Face.hear`."""
        while len(self._heard) < count or len(self._holes) < holes + self._first:
            await self._bell.wait()
        return self._heard


async def cut(venue: Venue, simulator: Any, order: VenueOrder) -> None:
    """See `Face.cut`."""
    async with trio.open_nursery() as nursery:
        asked = simulator.asked
        nursery.start_soon(venue.submit, order)
        await asked.wait()
        nursery.cancel_scope.cancel()
