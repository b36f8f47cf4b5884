"""What a venue says: of our orders, of its executions, and of the account.

All of it is evidence, never a command. The ports say when which of it is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias, final

from msgspec import Struct

from holdfast_domain.money import Currency, Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, Side


@final
class Acked(Struct, frozen=True, kw_only=True, gc=False):
    """The venue has the order."""

    order_id: str
    venue_order_id: str


@final
class Executed(Struct, frozen=True, kw_only=True, gc=False):
    """The venue executed (a part of) the order."""

    order_id: str
    """Our client order id, or, of an order that is not ours, empty or another's."""

    execution_id: str
    quantity: Quantity
    price: Price
    fee: Money
    filled_at: datetime
    cumulative: Quantity
    """What the venue says was executed of the order, this execution included."""

    instrument: str = ""
    """What was traded; needed only where the order may not be ours."""

    side: Side | None = None
    """Which way; needed only where the order may not be ours."""


class Corrected(Struct, frozen=True, kw_only=True, gc=False):
    """The venue corrected an execution: these are its values from now on."""

    order_id: str
    execution_id: str
    """The execution that was wrong; it keeps its id."""

    correction_id: str
    """The venue's id of the correction; a second one with it is the same."""

    quantity: Quantity
    price: Price
    fee: Money
    filled_at: datetime


class Busted(Struct, frozen=True, kw_only=True, gc=False):
    """The venue took an execution back: it counts as never made."""

    order_id: str
    execution_id: str
    correction_id: str
    reason: str


class Ended(Struct, frozen=True, kw_only=True, gc=False):
    """The venue ended the order before it was filled."""

    order_id: str
    how: str
    """``canceled``, ``expired`` or ``rejected``."""

    reason: str
    code: str = ""
    cumulative: Quantity | None = None
    """What was executed of it in all; None where the venue does not say."""


class Replaced(Struct, frozen=True, kw_only=True, gc=False):
    """The venue took new terms for the order."""

    order_id: str
    terms: OrderTerms


VenueEvent: TypeAlias = Acked | Executed | Corrected | Busted | Ended | Replaced
"""What a venue says of one of our orders; evidence, never a command."""


class Found(Struct, frozen=True, kw_only=True, gc=False):
    """The venue has the order, and this is its story so far."""

    order_id: str = ""
    """Our client order id; empty where the order is not ours."""

    venue_order_id: str = ""
    """The venue's own id; empty where it gives none."""

    instrument: str
    side: Side
    quantity: Quantity
    """Of the terms that hold now, what is filled included; 0 where it is not said."""

    terms: OrderTerms | None = None
    """The terms that hold now; None where the venue does not say all of them."""

    placed_at_us: int
    """When it was placed, by the venue's clock, in microseconds UTC."""

    cumulative: Quantity | None
    """What was executed of it in all; None where the venue does not say."""

    events: Sequence[VenueEvent]


class NotFound(Struct, frozen=True, kw_only=True, gc=False):
    """The venue answered, and does not know the order: an answer, not a failure.

    Whether it is proof that there is none, `VenuePromises` says.
    """

    reason: str = "the venue does not have it"


class Executions(Struct, frozen=True, kw_only=True, gc=False):
    """A part of a venue's list of executions, in the venue's order."""

    events: Sequence[Executed | Corrected | Busted]
    watermark: str
    """From where to ask next, so that nothing is missed that shows late.

    It may lie before some of ``events``, which are then given again.
    """


class OpenOrders(Struct, frozen=True, kw_only=True, gc=False):
    """All orders of the account that work at the venue, whoever placed them."""

    orders: Sequence[Found]
    """Each with what the venue says of it here; ``events`` may be empty."""

    at: datetime | None = None
    """The venue's own time of the answer, UTC; None where it gives none."""

    watermark: str = ""
    """The venue's own word for the state that it shows; empty where it has none."""


class VenuePosition(Struct, frozen=True, kw_only=True, gc=False):
    """What the account holds of one instrument, whoever bought it."""

    instrument: str
    quantity: Decimal
    """Signed units: negative is short."""

    average_price: Price | None = None
    """What one unit cost on average; None where the venue does not say."""


class Positions(Struct, frozen=True, kw_only=True, gc=False):
    """All positions of the account; what is not listed is flat."""

    positions: Sequence[VenuePosition]
    at: datetime | None = None
    """As in `OpenOrders`."""

    watermark: str = ""
    """As in `OpenOrders`."""


class VenueBalance(Struct, frozen=True, kw_only=True, gc=False):
    """What the account holds of one currency."""

    currency: Currency
    total: Money
    """Cash without what positions are worth; negative is debt."""

    available: Money | None = None
    """What of it is not set aside for orders; None where the venue does not say."""


class Balances(Struct, frozen=True, kw_only=True, gc=False):
    """The cash of the account, in every currency; what is not listed is nothing."""

    balances: Sequence[VenueBalance]
    at: datetime | None = None
    """As in `OpenOrders`."""

    watermark: str = ""
    """As in `OpenOrders`."""
