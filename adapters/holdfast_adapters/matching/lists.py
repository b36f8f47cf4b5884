"""Order lists in the book: which orders are bound, and which of two exits goes first.

The rules are those of Binance's order lists. What is filled of an exit, in part too,
or triggers it, cancels the other one. Exits of a bracket are held until their entry is
filled whole. Where one leg ends unfilled, the others end with it.
"""

from __future__ import annotations

from holdfast_adapters.matching.book import MatchBar, Working
from holdfast_adapters.matching.rules import is_at_or_better
from holdfast_domain.orderlists import Role
from holdfast_domain.ports import Ended


class Lists:
    """The legs that work, by the id of their list."""

    def __init__(self) -> None:
        self._legs: dict[str, list[Working]] = {}

    def add(self, order: Working) -> None:
        """Take a leg in; of an order alone nothing is kept."""
        if order.leg is not None:
            self._legs.setdefault(order.leg.list_id, []).append(order)

    def drop(self, order: Working) -> None:
        """Take out a leg that has ended."""
        if order.leg is not None:
            legs = self._legs[order.leg.list_id]
            legs.remove(order)
            if not legs:
                del self._legs[order.leg.list_id]

    def others(self, order: Working) -> list[Working]:
        """Return the legs that work besides ``order``."""
        if order.leg is None:
            return []
        legs = self._legs.get(order.leg.list_id, ())
        return [each for each in legs if each is not order]

    def rivals(self, order: Working) -> list[Working]:
        """Return the exit that ``order`` cancels when it trades, if there is one."""
        if order.leg is None or order.leg.role is Role.ENTRY:
            return []
        return self.others(order)

    def rival_ended(self, order: Working, why: str) -> list[Ended]:
        """Return the end of its rival, because ``order`` was filled or triggered."""
        return [_canceled(each, order, why) for each in self.rivals(order)]

    def ended(self, order: Working, how: str) -> list[Ended]:
        """Return the ends of all others, because ``order`` ended unfilled."""
        return [_canceled(each, order, how) for each in self.others(order)]

    def release(self, entry: Working, filled_at_us: int) -> None:
        """Let the exits work from the moment at which their entry was filled."""
        if entry.leg is not None and entry.leg.role is Role.ENTRY:
            for each in self.others(entry):
                each.since_us = filled_at_us

    def first(self, order: Working, bar: MatchBar) -> Working:
        """Return which of an order and its rival a bar is offered to first.

        The open decides if it is enough for the take-profit. If not, a bar that comes
        to both does not tell which it came to first: then it was the stop-loss.
        """
        for other in self.rivals(order):
            profit, loss = (order, other) if _takes_profit(order) else (other, order)
            return profit if is_at_or_better(profit, bar.price(bar.open)) else loss
        return order


def _canceled(order: Working, by: Working, why: str) -> Ended:
    role = "" if by.leg is None else by.leg.role.value
    reason = f"the {role} of its list was {why}"
    return Ended(order_id=order.order_id, how="canceled", reason=reason)


def _takes_profit(order: Working) -> bool:
    return order.leg is not None and order.leg.role is Role.TAKE_PROFIT
