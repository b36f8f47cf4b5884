"""The desk's own record, as the auditor reads it: what was asked, and what came."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from holdfast_adapters.paper.records import Opened, ReplaceRequested, Row, Submitted
from holdfast_adapters.paper.store import EventStore
from holdfast_adapters.simulators.ib.model import SimExecution, SimOrder
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import Ended, Executed, Replaced, VenueOrder


class Record:
    """Rows of the paper venue's kind, appended as things happen; without a path, none.

    An order is named by its ``orderRef``.
    """

    def __init__(self, path: Path | None) -> None:
        self._store = None if path is None else EventStore(path)
        self._rows: list[Row] = []
        self._committed = 0

    def opened(self, unit: str, amount: Decimal) -> None:
        """Keep what the account has at first."""
        self._add(Opened(unit=unit, amount=amount))
        self.commit()

    def placed(self, order: SimOrder, venue_order: VenueOrder) -> None:
        """Keep that an order was taken."""
        named = replace(
            venue_order,
            order_id=order.asked.order_ref,
            terms=_named(order, venue_order.terms),
        )
        self._add(Submitted(order=named))

    def changed(self, order: SimOrder, terms: OrderTerms, at_us: int) -> None:
        """Keep that an order has new terms."""
        name, terms = order.asked.order_ref, _named(order, terms)
        self._add(ReplaceRequested(order_id=name, terms=terms, at_us=at_us))
        self._add(Replaced(order_id=name, terms=terms))

    def executed(self, each: SimExecution) -> None:
        """Keep an execution."""
        asked = each.order.asked
        self._add(
            Executed(
                order_id=asked.order_ref,
                execution_id=each.execution_id,
                quantity=Quantity(each.shares),
                price=Price(each.price),
                fee=Money(each.commission, asked.contract.currency),
                filled_at=utc_from_us(each.at_us),
                cumulative=Quantity(each.cumulative),
            )
        )

    def ended(self, order: SimOrder) -> None:
        """Keep that an order has ended without being filled."""
        name = order.asked.order_ref
        self._add(Ended(order_id=name, how="canceled", reason=order.why))

    def commit(self) -> None:
        """Make durable what was kept; blocks."""
        if self._store is not None and self._rows:
            self._store.append(self._committed + 1, self._rows)
            self._committed += len(self._rows)
            self._rows = []

    def close(self) -> None:
        """Give the file back; idempotent."""
        if self._store is not None:
            self._store.close()

    def _add(self, row: object) -> None:
        if self._store is not None:
            self._rows.append((0, row))  # type: ignore[arg-type]


def _named(order: SimOrder, terms: OrderTerms) -> OrderTerms:
    """Return terms of what people call the contract, and not of its id."""
    return replace(terms, instrument=order.asked.contract.symbol)
