"""The person of the simulation: looks at the venue, and tells the truth."""

from __future__ import annotations

from typing import Final

from holdfast_actors.requests import Resolve
from holdfast_adapters.hostile import HostileVenue
from holdfast_domain.ports import Executed, NotFound

PERSON_S: Final = 0.5
"""After so long in doubt an order is looked at, and again after as long."""

LOOKS_MAX: Final = 20


def true_word(venue: HostileVenue, order_id: str) -> Resolve | None:
    """Return what a person who looks at the venue says of an order; None is nothing.

    Of what is on its way, or works and is not filled, there is nothing to say yet.
    """
    found = venue.core.lookup(order_id)
    if isinstance(found, NotFound):
        if venue.has_or_will(order_id):
            return None
        return Resolve(order_id, None, None, "sim", "the venue does not have it")
    fills = [each for each in found.events if isinstance(each, Executed)]
    if not fills:
        return None
    last = fills[-1]
    filled = venue.changes.left_of(order_id, last.cumulative)
    if not filled.value:
        return None
    return Resolve(order_id, filled, last.price, "sim", "seen at the venue")
