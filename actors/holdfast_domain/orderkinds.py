"""Which kinds of orders a venue takes: its adapter declares it, the session asks."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from holdfast_domain.orders import OrderTerms, OrderType, TimeInForce

SIMPLE: Final = frozenset({
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
})  # fmt: skip
CONTINUOUS: Final = frozenset({
    TimeInForce.DAY,
    TimeInForce.GTC,
    TimeInForce.IOC,
    TimeInForce.FOK,
})  # fmt: skip


class OrderKinds(Struct, frozen=True, kw_only=True, gc=False):
    """The orders that a venue takes. What is not declared never leaves for it.

    >>> from holdfast_domain.money import Price, Quantity
    >>> from holdfast_domain.orders import Side
    >>> OrderKinds().lacks(OrderTerms(
    ...     instrument="BTC", side=Side.BUY, quantity=Quantity.of(1),
    ...     type=OrderType.LIMIT, limit_price=Price.of(9), post_only=True,
    ... ))
    'post-only orders'
    """

    types: frozenset[OrderType] = SIMPLE
    forces: frozenset[TimeInForce] = CONTINUOUS
    post_only: bool = False
    reduce_only: bool = True
    icebergs: bool = False

    def lacks(self, terms: OrderTerms) -> str:
        """Return what of ``terms`` the venue does not have; empty if it takes them."""
        if terms.type not in self.types:
            return f"{terms.type.value} orders; it takes {_words(self.types)}"
        if terms.time_in_force not in self.forces:
            force = terms.time_in_force.value
            return f"{force} orders; it takes {_words(self.forces)}"
        if terms.post_only and not self.post_only:
            return "post-only orders"
        if terms.reduce_only and not self.reduce_only:
            return "reduce-only orders"
        if terms.shown is not None and not self.icebergs:
            return "orders of which only a part is shown"
        return ""


def _words(members: Iterable[enum.Enum]) -> str:
    return ", ".join(sorted(str(each.value) for each in members))
