"""What the legs of one list may still trade together: for the guard, pure.

The exits exclude each other, so the larger counts. Those of a bracket only give back
what its entry traded: they count for no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol, TypeVar

from msgspec import Struct

from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import Leg, Role


class Bound(Protocol):
    """An open order that may be bound."""

    leg: Leg | None


B = TypeVar("B", bound=Bound)


class Bond(Struct):
    """What is filled of a list of which a leg is open."""

    roles: dict[str, Role] = {}
    """Of all its legs, those that have ended too."""

    entered: Decimal = ZERO
    exited: Decimal = ZERO


class Bonds:
    """The lists of which a leg is open, by their ids."""

    def __init__(self, saved: Mapping[str, Bond] | None = None) -> None:
        self.lists: dict[str, Bond] = dict(saved or {})
        self._list_of = {
            order_id: list_id
            for list_id, bond in self.lists.items()
            for order_id in bond.roles
        }

    def add(self, order_id: str, leg: Leg) -> None:
        """Take a leg in."""
        self.lists.setdefault(leg.list_id, Bond()).roles[order_id] = leg.role
        self._list_of[order_id] = leg.list_id

    def forget(self, list_id: str, opened: Mapping[str, B]) -> None:
        """Let go of a list of which nothing is open."""
        if list_id in self.lists and not self.open_legs(list_id, opened):
            for order_id in self.lists.pop(list_id).roles:
                del self._list_of[order_id]

    def open_legs(self, list_id: str, opened: Mapping[str, B]) -> list[B]:
        """Return those of ``opened`` that are legs of a list."""
        bond = self.lists.get(list_id)
        if bond is None:
            return []
        found = [opened[name] for name in bond.roles if name in opened]
        # One that had ended, and that the venue spoke of again, counts by itself.
        return [each for each in found if each.leg is not None]

    def open_with(self, order_id: str, opened: Mapping[str, B]) -> list[B]:
        """Return the open legs of the list of an order, which may have ended."""
        list_id = self._list_of.get(order_id)
        return [] if list_id is None else self.open_legs(list_id, opened)

    def fill(self, order_id: str, units: Decimal) -> None:
        """Count ``units`` that traded, or, if negative, that did not after all."""
        list_id = self._list_of.get(order_id)
        if list_id is None:
            return
        bond = self.lists[list_id]
        if bond.roles[order_id] is Role.ENTRY:
            bond.entered += units
        else:
            bond.exited += units

    def live(self, leg: Leg | None, left: Decimal) -> Decimal:
        """Return how much of what is left of an order may trade by what is known."""
        if leg is None or not leg.is_held:
            return left
        bond = self.lists.get(leg.list_id)
        if bond is None:
            return left
        return max(ZERO, min(left, bond.entered - bond.exited))


def together(found: Iterable[tuple[Leg | None, Decimal]]) -> Decimal:
    """Return the sum of what orders may do; of exits of one list the most of any.

    >>> together([(None, Decimal(1)), (None, Decimal(2))])
    Decimal('3')
    """
    total = ZERO
    exits: dict[str, Decimal] = {}
    for leg, amount in found:
        if leg is None or leg.role is Role.ENTRY:
            total += amount
        else:
            exits[leg.list_id] = max(exits.get(leg.list_id, ZERO), amount)
    return sum(exits.values(), total)
