"""Orders for people, as JSON-able values: of a running engine, or of a journal."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.requests import Resolve
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.money import Price, Quantity


def order_json(row: OrderRow) -> dict[str, Any]:
    """Return an order as JSON-able values; decimals as texts."""
    terms = row.terms
    return {
        "order_id": row.order_id,
        "strategy": row.strategy,
        "instrument": terms.instrument,
        "side": terms.side.value,
        "type": terms.type.value,
        "quantity": str(terms.quantity.value),
        "limit_price": None if terms.limit_price is None else str(terms.limit_price),
        "stop_price": None if terms.stop_price is None else str(terms.stop_price),
        "filled": str(row.filled),
        "state": row.state.value,
        "reason": row.reason,
        "venue": row.venue,
        "venue_order_id": row.venue_order_id,
        "needs_person": row.called and row.is_in_doubt,
        "resolved_by_person": row.resolved,
        "list_id": None if row.leg is None else row.leg.list_id,
        "role": None if row.leg is None else row.leg.role.value,
    }


def orders_of(journal: Path) -> list[dict[str, Any]]:
    """Return all orders of a journal, by the order of their intents.

    Raises:
        InputError, JournalError: the journal cannot be read.
    """
    book = OrderBook()
    with contextlib.closing(SqliteJournal(journal, 0, read_only=True)) as store:
        for entry in store.read():
            book.apply(entry.event, entry.market_time_us)
    return [order_json(row) for row in book.rows.values()]


def resolve_of(order_id: str, filled: str | None, by: str, because: str) -> Resolve:
    """Return a person's word on an order; ``filled`` is ``QTY@PX``, or None for none.

    Raises:
        InputError: ``filled`` is something else.
    """
    if filled is None:
        return Resolve(order_id, None, None, by, because)
    quantity, at, price = filled.partition("@")
    try:
        if not at:
            raise InputError("--filled", "QTY@PX", repr(filled), "such as 10@99.5")
        return Resolve(order_id, Quantity.of(quantity), Price.of(price), by, because)
    except InputError:
        raise
    except DomainError:
        raise InputError(
            "--filled", "QTY@PX", repr(filled), "such as 10@99.5"
        ) from None
