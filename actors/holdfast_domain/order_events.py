"""What is journaled of orders: their life, their fills, and what is in doubt."""

from __future__ import annotations

from typing import Literal

import attrs

from holdfast_domain.fills import Fill
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import OrderTerms


@attrs.frozen(kw_only=True)
class OrderIntended:
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


@attrs.frozen(kw_only=True)
class OrderRefused:
    """We refused an order; it never left."""

    order_id: str
    strategy: str
    decision: int
    index: int
    terms: OrderTerms
    reason: str


@attrs.frozen(kw_only=True)
class OrderAccepted:
    """The venue has the order."""

    order_id: str
    strategy: str
    venue_order_id: str


@attrs.frozen(kw_only=True)
class OrderRejected:
    """The venue refused the order; it does not exist there."""

    order_id: str
    strategy: str
    reason: str
    code: str


@attrs.frozen(kw_only=True)
class OrderFilled:
    """One execution. Written by `orders` alone, once for each execution id."""

    fill: Fill
    complete: bool
    """Whether the fills now add up to the whole order."""


@attrs.frozen(kw_only=True)
class FillCorrected:
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
        return self.was.reversed, self.now


@attrs.frozen(kw_only=True)
class FillBusted:
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


@attrs.frozen(kw_only=True)
class ExecutionsCovered:
    """All that the venue showed before ``watermark`` is in this or earlier commits."""

    venue: str
    watermark: str


@attrs.frozen(kw_only=True)
class CancelRequested:
    """A cancel is about to be sent."""

    order_id: str
    strategy: str
    by: str


@attrs.frozen(kw_only=True)
class CancelRefused:
    """The venue would not cancel: the order works on, or has ended already."""

    order_id: str
    strategy: str
    reason: str


@attrs.frozen(kw_only=True)
class ReplaceRequested:
    """New terms are about to be sent for a working order."""

    order_id: str
    strategy: str
    terms: OrderTerms
    reserved: Money


@attrs.frozen(kw_only=True)
class ChangeRefused:
    """We did not pass new terms on; the order is as it was."""

    order_id: str
    strategy: str
    reason: str


@attrs.frozen(kw_only=True)
class ReplaceRefused:
    """The venue did not take the new terms; the old ones hold."""

    order_id: str
    strategy: str
    reason: str


@attrs.frozen(kw_only=True)
class OrderReplaced:
    """The venue took the new terms."""

    order_id: str
    strategy: str
    terms: OrderTerms


@attrs.frozen(kw_only=True)
class OrderCanceled:
    """The venue ended the order before it was filled."""

    order_id: str
    strategy: str
    reason: str


@attrs.frozen(kw_only=True)
class OrderExpired:
    """The order's time in force ran out."""

    order_id: str
    strategy: str


@attrs.frozen(kw_only=True)
class OrderUnknown:
    """We cannot know whether the venue has the order; its exposure stays reserved."""

    order_id: str
    strategy: str
    why: str


@attrs.frozen(kw_only=True)
class OrderNotSent:
    """Proof that the venue does not have the order: no byte left, or proven absence."""

    order_id: str
    strategy: str
    proof: str


@attrs.frozen(kw_only=True)
class OrderReadmitted:
    """The guard passed an order anew that was proven absent; same id."""

    order_id: str
    strategy: str


@attrs.frozen(kw_only=True)
class OrderNotPlaced:
    """An order that never reached the venue was given up."""

    order_id: str
    strategy: str
    reason: str
    canceled: bool = False
    """Whether it was given up because somebody asked for it."""


@attrs.frozen(kw_only=True)
class AttentionNeeded:
    """An order has been in doubt for too long: a person should look at the venue."""

    order_id: str
    strategy: str
    why: str
    tries: int
    """How often the venue was asked."""


@attrs.frozen(kw_only=True)
class OrderResolved:
    """A person said what became of an order in doubt; the venue may overrule it."""

    order_id: str
    strategy: str
    outcome: Literal["filled", "not_placed"]
    """``filled``: what was filled is in the fill before this, the rest has ended."""

    by: str
    because: str


@attrs.frozen(kw_only=True)
class OrderReopened:
    """The venue spoke of an order that counted as not placed, or as resolved."""

    order_id: str
    strategy: str
    terms: OrderTerms
    reserved: Money
    filled: Quantity
    """What was filled of it before, by the venue."""

    why: str


@attrs.frozen(kw_only=True)
class StrayEvidence:
    """The venue said something that fits no order of ours; kept, never dropped."""

    venue: str
    text: str
