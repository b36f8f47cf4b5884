"""Orders and fills as a strategy sees them, and an order as a snapshot keeps it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from holdfast_actors.strategy.amount import Amount
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms

SavedOrder: TypeAlias = dict[str, Any]
"""An order as a snapshot keeps it: plain values."""

_NOTHING = Amount(0)


class OrderView(Struct, gc=False):
    """One order of the strategy. ``amount`` and ``filled`` are signed."""

    id: str
    asset: Instrument
    terms: OrderTerms
    leg: Leg | None = None
    """What binds it to the others of its list; None for an order alone."""

    filled: Amount = _NOTHING
    status: str = "open"

    @property
    def amount(self) -> Amount:
        """What is to be traded: all of it, filled or not."""
        return Amount(self.terms.quantity.value * self.terms.side.sign)

    @property
    def role(self) -> str:
        """Its part in its list: entry, take_profit or stop_loss; empty if alone."""
        return "" if self.leg is None else self.leg.role.value

    @property
    def limit(self) -> Decimal | None:
        """The limit price."""
        return None if self.terms.limit_price is None else self.terms.limit_price.value

    @property
    def stop(self) -> Decimal | None:
        """The stop price."""
        return None if self.terms.stop_price is None else self.terms.stop_price.value


class Transaction(Struct, frozen=True, gc=False):
    """One fill as a strategy sees it; ``amount`` is signed."""

    fill: Fill
    asset: Instrument

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.fill.order_id

    @property
    def amount(self) -> Amount:
        """What was traded."""
        return Amount(self.fill.traded())

    @property
    def price(self) -> Amount:
        """The price of one unit."""
        return Amount(self.fill.price.value)

    @property
    def commission(self) -> Amount:
        """What it cost: in the currency of the fee, or what a fee in kind is worth."""
        return Amount(self.fill.fee_value(self.asset))

    @property
    def dt(self) -> datetime:
        """When it was traded, by the venue's clock, in UTC."""
        return self.fill.filled_at


def plain_of(view: OrderView) -> SavedOrder:
    """Return ``view`` as plain values."""
    return {
        "order_id": view.id,
        "terms": msgspec.to_builtins(view.terms),
        "filled": str(view.filled),
        "leg": msgspec.to_builtins(view.leg),
        "status": view.status,
    }
