"""Brackets on the desk: what waits for its parent, and what its fills let loose.

Written down by IB: an order that is not to be transmitted waits in TWS, and the last
child sends all of them on (TWS API, "Bracket Orders"). Its support says that children
are on hold until the parent is filled whole; users have seen a stop trigger before.
Where sources are silent or differ, the desk has a switch: see `Exits` and `Parked`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final

import attrs
from msgspec.structs import replace

from holdfast_adapters.matching import MatchingEngine
from holdfast_adapters.matching.book import Working
from holdfast_adapters.matching.model import NEVER_US
from holdfast_adapters.simulators.ib.model import Asked, Refused, SimOrder
from holdfast_adapters.simulators.ib.terms import USED_GROUP, leg_of, terms_of
from holdfast_domain.money import Quantity
from holdfast_domain.orderlists import Leg, ListKind, Role
from holdfast_domain.orders import OrderType
from holdfast_domain.ports import Replaced, VenueOrder

MISSING: Final = 135
CHILDREN: Final = 2


class Exits(enum.Enum):
    """What exits do while their entry is filled in part."""

    WAIT = "wait"
    """They wait until it is filled whole, and end with it if it ends before."""

    FULL = "full"
    """They work from its first fill on, at their full size: more than was bought."""

    PART = "part"
    """They work for what of it is filled; their size is told as it was asked for."""

    RESIZED = "resized"
    """They work for what of it is filled, and that is told as their size."""


class Parked(enum.Enum):
    """What becomes of orders that were not transmitted."""

    SHOWN = "shown"
    """They are kept, and listed as inactive."""

    HIDDEN = "hidden"
    """They are kept, and nothing is told of them but their end."""

    DROPPED = "dropped"
    """As shown, and gone with the connection that placed them."""


@attrs.define(eq=False)
class _Bracket:
    entry: SimOrder
    exits: list[SimOrder]


class Brackets:
    """The orders with children, and those that wait to be transmitted."""

    def __init__(
        self,
        engine: MatchingEngine,
        orders: dict[tuple[int, int], SimOrder],
        tell: Callable[[SimOrder], None],
        changed: Callable[[Replaced], None],
    ) -> None:
        """``tell`` tells how an order stands, and ``changed`` of its new terms."""
        self.exits = Exits.WAIT
        self.parked = Parked.SHOWN
        self._engine = engine
        self._orders = orders
        self._tell = tell
        self._changed = changed
        self._by_entry: dict[int, _Bracket] = {}

    def hides(self, order: SimOrder) -> bool:
        """Tell whether clients do not see an order."""
        return order.is_parked and self.parked is Parked.HIDDEN

    def check(self, asked: Asked) -> None:
        """Refuse a child whose parent does not wait for it, and a group of no use.

        Raises:
            Refused: see there.
        """
        leg_of(asked, terms_of(asked))
        self.check_group(asked.group)
        if not asked.parent_id:
            return
        parent = self._orders.get((asked.client_id, asked.parent_id))
        if parent is None or parent.has_ended:
            words = f"Can't find order with id ={asked.parent_id}"
            raise Refused(MISSING, words)
        if not parent.is_parked or len(self.with_children(parent)) > CHILDREN:
            words = "Error validating request: children come with their parent here"
            raise Refused(321, f"{words}, two at most")

    def check_group(self, group: str) -> None:
        """Refuse a group that has done its work: its name is used once.

        Raises:
            Refused: 201.
        """
        legs = [each for each in self._orders.values() if group == each.asked.group]
        if group and any(each.has_ended or each.filled for each in legs):
            raise Refused(201, USED_GROUP)

    def with_children(self, order: SimOrder) -> list[SimOrder]:
        """Return an order that waits, and what waits with it; the parent is first."""
        asked = order.asked
        number = asked.parent_id or asked.order_id
        return [
            each
            for (client_id, order_id), each in self._orders.items()
            if client_id == asked.client_id
            and each.is_parked
            and not each.has_ended
            and number in (order_id, each.asked.parent_id)
        ]

    def transmitted(
        self, orders: list[SimOrder], at_us: int
    ) -> list[tuple[SimOrder, VenueOrder]]:
        """Return what goes on to IB, as the venue's orders."""
        if len(orders) > 1:
            entry, *exits = orders
            self._by_entry[entry.perm_id] = _Bracket(entry, exits)
        return [(each, _order(each, orders, at_us)) for each in orders]

    def submit(self, order: VenueOrder) -> VenueOrder:
        """Return an order as the engine has it: the desk itself lets exits loose."""
        is_entry = order.leg is not None and order.leg.role is Role.ENTRY
        return replace(order, leg=None) if is_entry else order

    def filled(self, entry: SimOrder, after_us: int) -> None:
        """Let the exits of an order work as far as the rule has it, after a fill."""
        bracket = self._by_entry.get(entry.perm_id)
        if bracket is None or (entry.left and self.exits is Exits.WAIT):
            return
        for each in self._open(bracket):
            self._fit(each, entry, after_us)

    def _fit(self, order: SimOrder, entry: SimOrder, after_us: int) -> None:
        working = self._working(order)
        if self.exits is Exits.PART:
            working.ceiling = entry.filled
        elif self.exits is Exits.RESIZED:
            self._resize(order, entry, after_us)
        if working.since_us == NEVER_US:
            working.since_us = after_us
            if order.asked.type == "LMT":
                order.status = "Submitted"
                self._tell(order)

    def _resize(self, order: SimOrder, entry: SimOrder, at_us: int) -> None:
        """Let an exit be for what was entered, which is told."""
        if order.asked.quantity == entry.filled:
            return
        working = self._working(order)
        since_us = working.since_us
        terms = replace(working.terms, quantity=Quantity(entry.filled))
        self._engine.amend(working.order_id, terms, at_us)
        working.since_us = since_us
        self._changed(Replaced(order_id=working.order_id, terms=terms))

    def ended(self, entry: SimOrder, at_us: int) -> None:
        """End the exits that wait for an order which has ended; others work on."""
        bracket = self._by_entry.get(entry.perm_id)
        if bracket is None:
            return
        for each in self._open(bracket):
            if each.has_ended:
                continue  # with the other one
            waits = self._working(each).since_us == NEVER_US
            if waits or each.filled >= entry.filled:
                self._engine.cancel(str(each.perm_id))
            elif self.exits is Exits.PART:
                self._resize(each, entry, at_us)

    def _open(self, bracket: _Bracket) -> list[SimOrder]:
        return [each for each in bracket.exits if not each.has_ended]

    def _working(self, order: SimOrder) -> Working:
        con_id = str(order.asked.contract.con_id)
        return self._engine.open[con_id][str(order.perm_id)]


def _order(order: SimOrder, orders: list[SimOrder], at_us: int) -> VenueOrder:
    terms = terms_of(order.asked)
    leg = leg_of(order.asked, terms)
    if len(orders) > 1:
        role = Role.ENTRY
        if order is not orders[0]:
            is_profit = terms.type is OrderType.LIMIT
            role = Role.TAKE_PROFIT if is_profit else Role.STOP_LOSS
        name = orders[0].asked.order_ref
        leg = Leg(list_id=name, kind=ListKind.BRACKET, role=role)
    return VenueOrder(
        order_id=str(order.perm_id), terms=terms, placed_at_us=at_us, leg=leg
    )
