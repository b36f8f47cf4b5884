"""Order lists: orders that are bound to each other at the venue, and leave together.

Each leg is an order of its own, with its own id, life and fills. What binds them is
data on the orders, and the venue acts upon it.
"""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct

from holdfast_domain.errors import ImpossibleTransition
from holdfast_domain.orders import OrderTerms, OrderType, Side


class ListKind(enum.Enum):
    """How the orders of a list are bound."""

    OCO = "oco"
    """A take-profit and a stop-loss: one cancels the other."""

    BRACKET = "bracket"
    """An entry, and an OCO of exits that lives once the entry is filled."""


class Role(enum.Enum):
    """What an order is in its list."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    """The limit order: above the market to sell, below it to buy."""

    STOP_LOSS = "stop_loss"
    """The stop, with a limit or without: below the market to sell, above it to buy."""


ROLES: Final = {
    ListKind.OCO: (Role.TAKE_PROFIT, Role.STOP_LOSS),
    ListKind.BRACKET: (Role.ENTRY, Role.TAKE_PROFIT, Role.STOP_LOSS),
}
"""The legs of each kind, in the order in which they stand in a list."""

_STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT)


class Leg(Struct, frozen=True, kw_only=True, gc=False):
    """What binds an order to the others of its list."""

    list_id: str
    """The same for all of them: the id of the first leg's order."""

    kind: ListKind
    role: Role

    @property
    def is_held(self) -> bool:
        """Whether the order works only once its entry is filled."""
        return self.kind is ListKind.BRACKET and self.role is not Role.ENTRY


class OrderList(Struct, frozen=True, kw_only=True, gc=False):
    """What a list asks for, without who asks: the terms of its legs.

    All are of one instrument and quantity. The exits are on one side, that of a
    bracket's entry is the other, and the take-profit is on the far side of the stop.
    """

    kind: ListKind
    legs: tuple[OrderTerms, ...]
    """In the order of `ROLES`."""

    def __post_init__(self) -> None:
        roles = ROLES[self.kind]
        if len(self.legs) != len(roles):
            message = f"expected {len(roles)} legs, got {len(self.legs)}: {self}"
            raise ImpossibleTransition(message)
        *entry, profit, loss = self.legs
        self._check_exits(profit, loss)
        if entry and not _opposes(entry[0], profit):
            message = f"the exits are no exits of the entry: {self}"
            raise ImpossibleTransition(message)

    def _check_exits(self, profit: OrderTerms, loss: OrderTerms) -> None:
        if profit.limit_price is None or profit.type is not OrderType.LIMIT:
            message = f"expected a take-profit that is a limit order: {self}"
            raise ImpossibleTransition(message)
        if loss.stop_price is None or loss.type not in _STOPS:
            message = f"expected a stop-loss that is a stop order: {self}"
            raise ImpossibleTransition(message)
        far, near = profit.limit_price.value, loss.stop_price.value
        is_far = far > near if profit.side is Side.SELL else far < near
        same = (profit.instrument, profit.quantity, profit.side)
        if same != (loss.instrument, loss.quantity, loss.side) or not is_far:
            message = f"the stop-loss is not the other side of the take-profit: {self}"
            raise ImpossibleTransition(message)


def _opposes(entry: OrderTerms, exit_: OrderTerms) -> bool:
    mine = (entry.instrument, entry.quantity, entry.side.opposite)
    return mine == (exit_.instrument, exit_.quantity, exit_.side)
