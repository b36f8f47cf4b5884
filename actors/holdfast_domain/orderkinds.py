"""Which kinds of orders a venue takes: its adapter declares it, the session asks."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from holdfast_domain.orderlists import ListKind
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
    trails: bool = False
    """Whether a trailing stop may say its distance as a price."""

    trail_bps: tuple[int, int] | None = None
    """The least and the most that one may say in basis points; None: it may not."""

    lists: frozenset[ListKind] = frozenset()
    entries: frozenset[OrderType] = SIMPLE
    """What the entry of a bracket may be."""

    def lacks_list(self, kind: ListKind, legs: Sequence[OrderTerms]) -> str:
        """Return what of a list the venue does not have; empty if it takes it."""
        if kind not in self.lists:
            taken = f"; it takes {_words(self.lists)}" if self.lists else ""
            return f"order lists of the kind {kind.value}{taken}"
        entry = legs[0].type if kind is ListKind.BRACKET else None
        if entry is not None and entry not in self.entries:
            known = _words(self.entries)
            return f"brackets with a {entry.value} entry; it takes {known}"
        return next((why for each in legs if (why := self.lacks(each))), "")

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
        if terms.trail is not None or terms.trail_bps is not None:
            return self._lacks_distance(terms)
        return ""

    def _lacks_distance(self, terms: OrderTerms) -> str:
        least, most = self.trail_bps or (1, 0)
        if terms.trail_bps is not None and not least <= terms.trail_bps <= most:
            kind = f"trailing stops of {terms.trail_bps} basis points"
        elif terms.trail is not None and not self.trails:
            kind = "trailing stops by a price"
        else:
            return ""
        prices = ["by a price"] if self.trails else []
        bps = [f"of {least} to {most} basis points"] if self.trail_bps else []
        return f"{kind}; it takes them {' and '.join(prices + bps)}"


def _words(members: Iterable[enum.Enum]) -> str:
    return ", ".join(sorted(str(each.value) for each in members))
