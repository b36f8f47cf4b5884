"""What was sent: it outlives sessions, and is lost with the process."""

from __future__ import annotations

from typing import Final

from holdfast_domain.orders import OrderTerms

REMEMBERED: Final = 20_000


class Memory:
    """What was sent, and when, by client order id."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[int, OrderTerms]] = {}
        self.feeless: set[str] = set()
        """Executions that were told before their commission was."""

    def sent(self, order_id: str, at_us: int, terms: OrderTerms) -> None:
        """Remember an order, and forget the oldest where there are too many."""
        self._sent.pop(order_id, None)
        self._sent[order_id] = (at_us, terms)
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def get(self, order_id: str) -> tuple[int, OrderTerms] | None:
        """Return when an order was sent, and its terms, if that is remembered."""
        return self._sent.get(order_id)
