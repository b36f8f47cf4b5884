"""Which order may leave for the venue next: a part of `Sending`, without effects.

Orders leave for a venue in the order in which they were meant. After a death of ours
some requests are asked about, or wait for the guard to let them out again; orders that
were meant later keep their places behind them until the first answer. Where market
time waits with them, all do, so that strategies are told of all in one order; at a
venue with a clock of its own only those of the same instrument do. They wait no longer
than that: what stays in doubt holds up nobody.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator
from operator import attrgetter

from holdfast_actors.orderbook import OrderRow
from holdfast_domain.orders import OrderState

_INTENT = OrderState.INTENT
_BEING_ASKED = frozenset({
    OrderState.UNKNOWN,
    OrderState.NOT_SENT,
    OrderState.CANCEL_PENDING,
    OrderState.REPLACE_PENDING,
})  # fmt: skip


class Outgoing:
    """Orders that may leave, the first meant first."""

    def __init__(self) -> None:
        self.waiting: deque[OrderRow] = deque()
        """Orders to look at; to add to by `add` alone."""

        self._ahead: dict[str, OrderRow] = {}
        """Orders that are being asked about, and whose place is kept till then."""

        self.in_step = True
        """Whether market time waits for the venue; else only an instrument does."""

    def add(self, row: OrderRow) -> None:
        """Let an order out, at its place."""
        queue = self.waiting
        if queue and queue[-1].place > row.place:
            insort(queue, row, key=attrgetter("place"))
        else:
            queue.append(row)

    def keep_place(self, row: OrderRow) -> None:
        """Let no order out that was meant after what is asked of ``row``, for now."""
        self._ahead[row.order_id] = row

    def give_place(self, order_id: str) -> None:
        """Hold up nobody for an order any more."""
        self._ahead.pop(order_id, None)

    def next(self) -> OrderRow | None:
        """Return, and forget, the next order that may leave now; None if none may."""
        if self._ahead:
            return next(self._leaving_in_turn(), None)
        queue = self.waiting
        while queue:
            row = queue.popleft()
            if row.state is _INTENT:
                return row
        return None

    def _leaving_in_turn(self) -> Iterator[OrderRow]:
        firsts = self._first_places()
        for row in list(self.waiting):
            if row.place > firsts.get(self._queue_of(row), row.place):
                continue
            self.waiting.remove(row)
            if row.state is _INTENT:
                yield row

    def _first_places(self) -> dict[str, int]:
        """Return for each queue the first place that is kept."""
        firsts: dict[str, int] = {}
        for row in list(self._ahead.values()):
            if row.state not in _BEING_ASKED:
                del self._ahead[row.order_id]
                continue
            name = self._queue_of(row)
            firsts[name] = min(row.place, firsts.get(name, row.place))
        return firsts

    def _queue_of(self, row: OrderRow) -> str:
        return "" if self.in_step else row.terms.instrument
