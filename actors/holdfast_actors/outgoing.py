"""Which order may leave for the venue next: a part of `Sending`, without effects.

Orders of an instrument leave in the order in which they were meant. After a death of
ours some of them are asked about, or wait for the guard to let them out again; those
that were meant later keep their places behind them until the first answer. They wait
no longer than that: what stays in doubt holds up nobody.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator

from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_domain.orders import OrderState

_BEING_ASKED = frozenset({OrderState.UNKNOWN, OrderState.NOT_SENT})


class Outgoing:
    """Orders that may leave, the first meant first."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._queue: deque[str] = deque()
        self._ahead: dict[str, OrderRow] = {}
        """Orders that are being asked about, and whose place is kept till then."""

    def __bool__(self) -> bool:
        return bool(self._queue)

    def add(self, row: OrderRow) -> None:
        """Let an order out, at its place."""
        queue = self._queue
        if queue and self._place(queue[-1]) > row.place:
            insort(queue, row.order_id, key=self._place)
        else:
            queue.append(row.order_id)

    def keep_place(self, row: OrderRow) -> None:
        """Let no later order of its instrument out before ``row``, for now."""
        self._ahead[row.order_id] = row

    def give_place(self, order_id: str) -> None:
        """Hold up nobody for an order any more."""
        self._ahead.pop(order_id, None)

    def leaving(self) -> Iterator[OrderRow]:
        """Yield, and forget, the orders that may leave now, for as long as asked."""
        if self._ahead:
            yield from self._leaving_in_turn()
            return
        queue, rows = self._queue, self._book.rows
        while queue:
            row = rows[queue.popleft()]
            if row.state is OrderState.INTENT:
                yield row

    def _leaving_in_turn(self) -> Iterator[OrderRow]:
        firsts = self._first_places()
        for order_id in list(self._queue):
            row = self._book.rows[order_id]
            if row.place > firsts.get(row.terms.instrument, row.place):
                continue
            self._queue.remove(order_id)
            if row.state is OrderState.INTENT:
                yield row

    def _first_places(self) -> dict[str, int]:
        """Return for each instrument the first place that is kept."""
        firsts: dict[str, int] = {}
        for row in list(self._ahead.values()):
            if row.state not in _BEING_ASKED:
                del self._ahead[row.order_id]
                continue
            name = row.terms.instrument
            firsts[name] = min(row.place, firsts.get(name, row.place))
        return firsts

    def _place(self, order_id: str) -> int:
        return self._book.rows[order_id].place
