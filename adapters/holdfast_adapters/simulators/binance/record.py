"""The exchange's own record, as the auditor reads it: what was asked, and what came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from holdfast_adapters.paper.records import Opened, ReplaceRequested, Row, Submitted
from holdfast_adapters.paper.store import EventStore
from holdfast_adapters.simulators.binance.model import (
    SimBalance,
    SimOrder,
    SimSymbol,
    SimTrade,
)
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.ports import Ended, Executed, Replaced, VenueOrder

HOW = {"CANCELED": "canceled", "EXPIRED": "expired", "REJECTED": "rejected"}


class Named(Protocol):
    """An order, as far as the record needs it."""

    client_id: str
    status: str


class Record:
    """Rows of the paper venue's kind, appended as things happen; without a path, none.

    An order that takes the place of another is the same order with new terms.
    """

    def __init__(self, path: Path | None, order_of: Callable[[str], str]) -> None:
        """Name orders by ``order_of`` their client order id."""
        self._store = None if path is None else EventStore(path)
        self._order_of = order_of
        self._rows: list[Row] = []
        self._committed = 0

    def opened(
        self, balances: Mapping[str, SimBalance], symbols: Iterable[SimSymbol]
    ) -> None:
        """Keep what the account has at first."""
        for unit, held in balances.items():
            names = tuple(each.name for each in symbols if each.base == unit)
            self._add(Opened(unit=unit, amount=held.free, symbols=names))
        self.commit()

    def placed(
        self,
        order: Named,
        venue_order: VenueOrder,
        replaces: Named | None,
        list_of: str = "",
    ) -> None:
        """Keep that an order was taken, or new terms of one.

        ``list_of`` is the name of the first order of its list.
        """
        leg = venue_order.leg
        if leg is not None:
            leg = replace(leg, list_id=self._order_of(list_of))
            venue_order = replace(venue_order, leg=leg)
        name, terms = self._order_of(order.client_id), venue_order.terms
        if replaces is None:
            self._add(Submitted(order=replace(venue_order, order_id=name)))
            return
        at_us = venue_order.placed_at_us
        self._add(ReplaceRequested(order_id=name, terms=terms, at_us=at_us))
        self._add(Replaced(order_id=name, terms=terms))

    def executed(self, order: SimOrder, trade: SimTrade) -> None:
        """Keep an execution."""
        self._add(
            Executed(
                order_id=self._order_of(order.client_id),
                execution_id=f"{trade.symbol}-{trade.number}",
                quantity=Quantity(trade.quantity),
                price=Price(trade.price),
                fee=Money(trade.fee, trade.fee_asset),
                filled_at=utc_from_us(trade.at_ms * 1000),
                cumulative=Quantity(order.executed),
            )
        )

    def ended(self, order: Named) -> None:
        """Keep that an order has ended without being filled."""
        name = self._order_of(order.client_id)
        self._add(Ended(order_id=name, how=HOW[order.status], reason=order.status))

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
