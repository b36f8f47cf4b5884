"""What a venue changes of its executions after it has told of them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TypeAlias

import attrs
from msgspec.structs import replace

from holdfast_adapters.hostile.faults import VenueFault
from holdfast_adapters.paper.account import Trade
from holdfast_adapters.paper.core import PaperCore
from holdfast_domain.money import Price, Quantity
from holdfast_domain.ports import (
    Busted,
    Corrected,
    Ended,
    Executed,
    NotFound,
    VenueEvent,
)

Told: TypeAlias = "Corrected | Busted"


@attrs.frozen
class _Change:
    cursor: int
    base: int
    """The number of the last execution before it, for its place in lists."""

    event: Told
    fill: Executed


class Changes:
    """Corrected prices, and executions that were taken back; each one once."""

    def __init__(self, core: PaperCore) -> None:
        self._core = core
        self._changes: dict[str, _Change] = {}

    def make(self, fault: VenueFault, fill: Executed) -> list[VenueEvent]:
        """Change ``fill``, and return what is told of it; nothing if it was before.

        Nothing is worked again of what is taken back: an order that would have been
        complete ends short, which only a lookup tells if it does so later.
        """
        name, number = fill.execution_id, len(self._changes) + 1
        if name in self._changes:
            return []
        correction = f"K{number}"
        event: Told
        if fault.kind == "busted_fill":
            event = Busted(
                order_id=fill.order_id,
                execution_id=name,
                correction_id=correction,
                reason="erroneous",
            )
        else:
            event = Corrected(
                order_id=fill.order_id,
                execution_id=name,
                correction_id=correction,
                quantity=fill.quantity,
                price=Price(fill.price.value + Decimal(fault.size) / 100),
                fee=fill.fee,
                filled_at=fill.filled_at,
            )
        base = int(self._core.watermark.removeprefix("X") or 0)
        self._changes[name] = _Change(self._core.cursor, base, event, fill)
        return [event, *self._end_of(fill.order_id)]

    # --- what is shown -----------------------------------------------------------

    def visible(self) -> list[Told]:
        """Return those that the engine may see, oldest first."""
        return [change.event for change in self._visible()]

    def between(self, since: int, last: int) -> list[Told]:
        """Return those that were made between two executions, by their numbers."""
        return [c.event for c in self._visible() if since <= c.base <= last]

    def left_of(self, order_id: str, cumulative: Quantity) -> Quantity:
        """Return how much of ``cumulative`` stands."""
        for each in self._visible():
            if each.event.order_id == order_id and isinstance(each.event, Busted):
                cumulative -= each.fill.quantity
        return cumulative

    def _visible(self) -> list[_Change]:
        cursor = self._core.cursor
        return [each for each in self._changes.values() if each.cursor <= cursor]

    def of_order(self, order_id: str) -> list[VenueEvent]:
        """Return the visible changes of an order's executions, and how it ended."""
        mine = [c for c in self._visible() if c.event.order_id == order_id]
        return [*(each.event for each in mine), *self._end_of(order_id)]

    def _end_of(self, order_id: str) -> list[VenueEvent]:
        """Return the end of an order that would be complete, had nothing been changed.

        The venue works none of it again; what was canceled has its end already.
        """
        story = self._core.lookup(order_id)
        if isinstance(story, NotFound) or story.cumulative is None:
            return []
        left = self.left_of(order_id, story.cumulative)
        if story.cumulative < story.quantity or left == story.cumulative:
            return []
        reason = "its execution was taken back"
        return [
            Ended(order_id=order_id, how="canceled", reason=reason, cumulative=left)
        ]

    def standing(self, trades: list[Trade]) -> list[Trade]:
        """Return ``trades`` as they are now."""
        changed = {event.execution_id: event for event in self.visible()}
        stand: list[Trade] = []
        for terms, fill in trades:
            event = changed.get(fill.execution_id)
            if event is None:
                stand.append((terms, fill))
            elif isinstance(event, Corrected):
                stand.append((terms, replace(fill, price=event.price)))
        return stand

    def written(self) -> list[tuple[str, str, str]]:
        """Return kind, order and body of each for the venue's own record."""
        return [_written(each.event) for each in self._changes.values()]


def _written(event: Told) -> tuple[str, str, str]:
    names = {"execution_id": event.execution_id, "correction_id": event.correction_id}
    if isinstance(event, Busted):
        body = json.dumps({**names, "reason": event.reason})
        return "busted", event.order_id, body
    body = json.dumps({
        **names,
        "quantity": str(event.quantity.value),
        "price": str(event.price.value),
        "fee": {"amount": str(event.fee.amount), "currency": event.fee.currency},
        "filled_at": event.filled_at.isoformat(),
    })  # fmt: skip
    return "corrected", event.order_id, body
