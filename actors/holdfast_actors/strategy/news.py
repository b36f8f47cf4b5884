"""What a venue says that is no event of an order of a strategy's own."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from holdfast_domain import events as ev

NEWS: Final[frozenset[type]] = frozenset({
    ev.VenueSilenced,
    ev.StrayEvidence,
    ev.ExternalFilled,
    ev.ExternalOrderAdopted,
    ev.ExternalOrderGone,
})  # fmt: skip
"""The records of it; each strategy is told."""


class BrokerMessage(Struct, frozen=True):
    """Something that a venue said, in words."""

    venue: str
    kind: str
    """``silence``: it wants to hear nothing for a while. ``stray``: what fits no order.
    ``external fill``, ``external order`` and ``external order gone``: another hand in
    the account.
    """

    text: str


def message_of(event: ev.Event) -> BrokerMessage | None:
    """Return what a strategy is told of a record of `NEWS`; None for any other."""
    match event:
        case ev.VenueSilenced(venue=venue, until=until):
            return BrokerMessage(venue, "silence", f"until {until.isoformat()}")
        case ev.StrayEvidence(venue=venue, text=text):
            return BrokerMessage(venue, "stray", text)
        case ev.ExternalFilled(venue=venue, fill=fill):
            words = f"{fill.side.value} {fill.quantity.value} {fill.instrument}"
            text = f"{words} at {fill.price.value}"
            return BrokerMessage(venue, "external fill", text)
        case ev.ExternalOrderAdopted(venue=venue):
            words = f"{event.side.value} {event.quantity.value} {event.instrument}"
            return BrokerMessage(venue, "external order", f"{event.name}: {words}")
        case ev.ExternalOrderGone(venue=venue, name=name):
            return BrokerMessage(venue, "external order gone", name)
        case _:
            return None
