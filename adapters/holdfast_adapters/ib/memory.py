"""What was sent: it outlives sessions, and is lost with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from holdfast_domain.orders import OrderTerms

if TYPE_CHECKING:
    from ib_async.order import Order

REMEMBERED: Final = 20_000


@attrs.frozen
class Sent:
    """An order that was sent."""

    at_us: int
    terms: OrderTerms
    order: Order
    """As it left: with the number that it got."""


class Memory:
    """What was sent, and when, by client order id."""

    def __init__(self) -> None:
        self._sent: dict[str, Sent] = {}
        self.feeless: set[str] = set()
        """Executions that were told before their commission was."""

        self.began_us: int | None = None
        """Since when it remembers: how older executions were told, nobody knows.

        With the process before this one its memory went.
        """

    def begin(self, now_us: int) -> None:
        """Begin to remember, if that is not so already."""
        if self.began_us is None:
            self.began_us = now_us

    def sent(self, order_id: str, sent: Sent) -> None:
        """Remember an order, and forget the oldest where there are too many."""
        self._sent.pop(order_id, None)
        self._sent[order_id] = sent
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def get(self, order_id: str) -> Sent | None:
        """Return what was sent of an order, if that is remembered."""
        return self._sent.get(order_id)
