"""A venue with a time of its own: it has its market data without us."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_domain.ports import VenueEvent


class OwnTime:
    """What a `ReplayedVenue` has beside a `Venue`, where nothing is replayed."""

    wants_data = False
    answers_at_once = False

    async def resume(self, cursor: int) -> None:
        """Do nothing: it does not know how far our inputs have come."""

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Return nothing: it has matched already."""
        del cursor, step
        return ()
