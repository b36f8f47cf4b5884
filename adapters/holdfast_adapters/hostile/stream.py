"""The hostile venue's stream: what happened, told as badly as streams tell it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from holdfast_adapters.hostile.faults import VenueFault
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import Acked, Ended, Executed, Replaced, VenueEvent

STRAY_ID = "f" * 32
"""The client order id of an order that is none of ours."""


@attrs.define(eq=False)
class Held:
    """An event that is told some advances later."""

    advances: int
    event: VenueEvent


class Stream:
    """What is on its way to the engine; it is lost with the connection."""

    def __init__(self) -> None:
        self._held: list[Held] = []
        self._silent = 0
        """Advances for which nothing is told; -1 is until the next connect."""

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._held)

    def reconnect(self) -> None:
        """Forget what was on its way: this is the hole of a reconnect."""
        self._held.clear()
        self._silent = 0

    def hold(self, events: Sequence[VenueEvent], advances: int = 1) -> None:
        """Tell ``events`` only after some advances."""
        self._held += [Held(advances, event) for event in events]

    def tell(self, events: Sequence[VenueEvent]) -> list[VenueEvent]:
        """Return what the engine hears at an advance that brought ``events``."""
        for held in self._held:
            held.advances -= 1
        ripe = [held.event for held in self._held if held.advances <= 0]
        self._held = [held for held in self._held if held.advances > 0]
        if self._silent:
            self._silent -= self._silent > 0
            return []
        return [*events, *ripe]

    def harm(
        self, fault: VenueFault, events: list[VenueEvent], terms: OrderTerms
    ) -> list[VenueEvent]:
        """Return ``events`` as ``fault`` lets them be told; one of them is a fill.

        ``terms`` are those of the first fill's order.
        """
        fill = next(each for each in events if isinstance(each, Executed))
        others = [each for each in events if each is not fill]
        match fault.kind:
            case "lost_fill":
                return others
            case "duplicate_fill":
                self.hold([fill], fault.size)
                return [*events, fill]
            case "late_fill":
                self.hold([fill], fault.size)
                return others
            case "reordered":
                # What was to come first comes last, and beyond this advance.
                self.hold(events[:1], 1)
                return events[:0:-1]
            case "illegal":
                return _illegal(fault.size, fill, events, terms)
            case "stray":
                return [Acked(order_id=STRAY_ID, venue_order_id="V0"), *events]
            case _:
                return self._go_silent(fault, events)

    def _go_silent(
        self, fault: VenueFault, events: list[VenueEvent]
    ) -> list[VenueEvent]:
        """Tell nothing for a while; what happens meanwhile is never told."""
        if fault.kind == "stale_stream":
            self._silent = fault.size
        elif fault.kind == "expired_session":
            self._silent = -1
        else:
            return events
        return []


def _illegal(
    size: int, fill: Executed, events: list[VenueEvent], terms: OrderTerms
) -> list[VenueEvent]:
    """Return what no order can do after what it did, before or after the truth.

    A working order is never said to have ended: that would be legal, and a lie.
    """
    name = fill.order_id
    lies: list[VenueEvent] = [
        Acked(order_id=name, venue_order_id="V0"),
        Replaced(order_id=name, terms=terms),
    ]
    if fill.cumulative.value >= terms.quantity.value:
        lies = [
            Ended(order_id=name, how=how, reason="out of the blue")
            for how in ("expired", "canceled", "rejected")
        ]
    lie = lies[size % len(lies)]
    return [lie, *events] if size % 2 else [*events, lie]
