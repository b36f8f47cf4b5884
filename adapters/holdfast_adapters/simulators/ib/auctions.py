"""Orders that wait for the auction at the open, or for the one at the close."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from holdfast_domain.orders import OrderTerms, TimeInForce
from holdfast_domain.ports import VenueOrder

AUCTIONS: Final = frozenset({TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE})


def waits(terms: OrderTerms) -> bool:
    """Tell whether an order is for an auction alone."""
    return terms.time_in_force in AUCTIONS


class Auctions:
    """Keeps orders until their auction, in the order in which they came."""

    def __init__(self) -> None:
        self._orders: dict[str, VenueOrder] = {}

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def add(self, order: VenueOrder) -> None:
        """Keep an order, or new terms of it."""
        self._orders[order.order_id] = order

    def remove(self, order_id: str) -> None:
        """Forget an order."""
        del self._orders[order_id]

    def called(self, instrument: str, force: TimeInForce) -> list[VenueOrder]:
        """Return the orders whose auction is now: what it does not fill has ended."""
        found = [
            each
            for each in self._orders.values()
            if each.terms.instrument == instrument and each.terms.time_in_force is force
        ]
        for each in found:
            self.remove(each.order_id)
        at_once = TimeInForce.IOC
        return [
            replace(each, terms=replace(each.terms, time_in_force=at_once))
            for each in found
        ]
