"""What is sent to a venue, and what a venue is known to keep."""

from __future__ import annotations

from msgspec import Struct

from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms


class VenueOrder(Struct, frozen=True, kw_only=True, gc=False):
    """An order as it is sent."""

    order_id: str
    """The client order id; the venue refuses it a second time."""

    terms: OrderTerms

    placed_at_us: int
    """Market time of the request, in microseconds UTC."""

    leg: Leg | None = None
    """What binds it to others of the same request; None for an order alone."""


class VenuePromises(Struct, frozen=True, kw_only=True, gc=False):
    """What a venue is known to keep, declared by its adapter; seconds."""

    proves_absence: bool
    """Whether `NotFound` proves anything.

    If so, it does when the question left at least ``processing_bound_s`` after the last
    moment at which the order could have left. If not, only a person can say that an
    order was not placed.
    """

    processing_bound_s: float
    """The longest time from a request's leaving to its showing in a lookup."""

    clock_skew_s: float = 0.0
    """How far the venue's clock may be from ours."""

    takes: OrderKinds = OrderKinds()
    """The kinds of orders that may be sent there."""
