"""What is journaled of orders: their life, their fills, and what is in doubt."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from holdfast_domain.fills import Fill
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms


class OrderIntended(Struct, frozen=True, kw_only=True, gc=False):
    """The guard passed an order; from now on it may be at the venue."""

    order_id: str
    strategy: str
    decision: int
    index: int
    venue: str
    terms: OrderTerms
    reserved: Money
    """The worst cost that the guard set aside for it."""

    valid_until_us: int
    """Market time after which it must not be sent any more."""

    leg: Leg | None = None
    """What binds it to others: all intents of a list are in one commit."""


class OrderRefused(Struct, frozen=True, kw_only=True, gc=False):
    """We refused an order; it never left."""

    order_id: str
    strategy: str
    decision: int
    index: int
    terms: OrderTerms
    reason: str


class OrderAccepted(Struct, frozen=True, kw_only=True, gc=False):
    """The venue has the order."""

    order_id: str
    strategy: str
    venue_order_id: str


class OrderRejected(Struct, frozen=True, kw_only=True, gc=False):
    """The venue refused the order; it does not exist there."""

    order_id: str
    strategy: str
    reason: str
    code: str


class OrderFilled(Struct, frozen=True, kw_only=True, gc=False):
    """One execution. Written by `orders` alone, once for each execution id."""

    fill: Fill
    complete: bool
    """Whether the fills now add up to the whole order."""


class FillCorrected(Struct, frozen=True, kw_only=True, gc=False):
    """The venue corrected an execution; the fill's own record stays as it is."""

    order_id: str
    strategy: str
    correction_id: str
    was: Fill
    now: Fill
    complete: bool
    """Whether the fills now add up to the whole order."""

    @property
    def bookings(self) -> tuple[Fill, ...]:
        """What a projection books: the fill taken back, and the right one."""
        return () if self.was == self.now else (self.was.reversed, self.now)


class FillBusted(Struct, frozen=True, kw_only=True, gc=False):
    """An execution was taken back; the fill's own record stays as it is."""

    order_id: str
    strategy: str
    correction_id: str
    execution_id: str
    was: Fill | None
    """What was booked; None where the bust came first: it will never be booked."""

    reason: str

    @property
    def bookings(self) -> tuple[Fill, ...]:
        """What a projection books: the fill taken back."""
        return () if self.was is None else (self.was.reversed,)


class ExecutionsCovered(Struct, frozen=True, kw_only=True, gc=False):
    """All that the venue showed before ``watermark`` is in this or earlier commits."""

    venue: str
    watermark: str


class CancelRequested(Struct, frozen=True, kw_only=True, gc=False):
    """A cancel is about to be sent."""

    order_id: str
    strategy: str
    by: str


class CancelRefused(Struct, frozen=True, kw_only=True, gc=False):
    """The venue would not cancel: the order works on, or has ended already."""

    order_id: str
    strategy: str
    reason: str


class ReplaceRequested(Struct, frozen=True, kw_only=True, gc=False):
    """New terms are about to be sent for a working order."""

    order_id: str
    strategy: str
    terms: OrderTerms
    reserved: Money


class ChangeRefused(Struct, frozen=True, kw_only=True, gc=False):
    """We did not pass new terms on; the order is as it was."""

    order_id: str
    strategy: str
    reason: str


class ReplaceRefused(Struct, frozen=True, kw_only=True, gc=False):
    """The venue did not take the new terms; the old ones hold."""

    order_id: str
    strategy: str
    reason: str


class OrderReplaced(Struct, frozen=True, kw_only=True, gc=False):
    """The venue took the new terms."""

    order_id: str
    strategy: str
    terms: OrderTerms


class OrderCanceled(Struct, frozen=True, kw_only=True, gc=False):
    """The venue ended the order before it was filled."""

    order_id: str
    strategy: str
    reason: str


class OrderExpired(Struct, frozen=True, kw_only=True, gc=False):
    """The order's time in force ran out."""

    order_id: str
    strategy: str


class OrderUnknown(Struct, frozen=True, kw_only=True, gc=False):
    """We cannot know whether the venue has the order; its exposure stays reserved."""

    order_id: str
    strategy: str
    why: str


class OrderNotSent(Struct, frozen=True, kw_only=True, gc=False):
    """Proof that the venue does not have the order: no byte left, or proven absence."""

    order_id: str
    strategy: str
    proof: str


class OrderReadmitted(Struct, frozen=True, kw_only=True, gc=False):
    """The guard passed an order anew that was proven absent; same id."""

    order_id: str
    strategy: str


class OrderNotPlaced(Struct, frozen=True, kw_only=True, gc=False):
    """An order that never reached the venue was given up."""

    order_id: str
    strategy: str
    reason: str
    canceled: bool = False
    """Whether it was given up because somebody asked for it."""


class AttentionNeeded(Struct, frozen=True, kw_only=True, gc=False):
    """An order has been in doubt for too long: a person should look at the venue."""

    order_id: str
    strategy: str
    why: str
    tries: int
    """How often the venue was asked."""


class OrderResolved(Struct, frozen=True, kw_only=True, gc=False):
    """A person said what became of an order in doubt; the venue may overrule it."""

    order_id: str
    strategy: str
    outcome: Literal["filled", "not_placed"]
    """``filled``: what was filled is in the fill before this, the rest has ended."""

    by: str
    because: str


class OrderReopened(Struct, frozen=True, kw_only=True, gc=False):
    """The venue spoke of an order that counted as not placed, or as resolved."""

    order_id: str
    strategy: str
    terms: OrderTerms
    reserved: Money
    filled: Quantity
    """What was filled of it before, by the venue."""

    why: str


class StrayEvidence(Struct, frozen=True, kw_only=True, gc=False):
    """The venue said something that fits no order of ours; kept, never dropped."""

    venue: str
    text: str
