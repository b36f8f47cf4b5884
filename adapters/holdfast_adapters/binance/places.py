"""Where orders are at the venue; it only saves questions, and may be lost."""

from __future__ import annotations

from typing import Final

import attrs

REMEMBERED: Final = 20_000
"""Of how many orders the place is remembered; of others it is looked up."""


@attrs.define(eq=False)
class Place:
    """Where an order is at the venue."""

    symbol: str
    revision: int | None
    """The newest that is there; None where a change of it is in doubt."""

    seen: bool = False
    """Whether the venue has said that it has the order."""

    is_algo: bool = False
    """Whether it was placed with the algo service, which keeps the stops of futures."""

    changing_ms: int = 0
    """When a change that is in doubt was sent, by the venue's clock."""


class Places:
    """The places of the newest orders, by their ids."""

    def __init__(self) -> None:
        self._known: dict[str, Place] = {}

    def get(self, order_id: str) -> Place | None:
        """Return where an order is, if that is remembered."""
        return self._known.get(order_id)

    def remember(self, order_id: str, place: Place) -> Place:
        """Remember ``place``, and forget the oldest where there are too many."""
        self._known.pop(order_id, None)
        self._known[order_id] = place
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return place

    def forget(self, order_id: str) -> None:
        """Forget an order, which the venue does not have."""
        self._known.pop(order_id, None)

    def see(self, order_id: str) -> None:
        """Remember that the venue has an order, if its place is known."""
        known = self._known.get(order_id)
        if known is not None:
            known.seen = True
