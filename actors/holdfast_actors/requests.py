"""What `orders` and a venue's session say to each other."""

from __future__ import annotations

import enum
from typing import ClassVar

import attrs

from holdfast_actors.messages import Turn
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import VenueEvent, VenueOrder
from holdfast_runtime import Lane


@attrs.frozen
class Submit:
    """Send an order, unless it is stale by any of these marks."""

    order: VenueOrder
    session: int
    generation: int
    valid_until_us: int


@attrs.frozen
class Cancel:
    """Ask the venue to cancel."""

    order_id: str


@attrs.frozen
class Replace:
    """Ask the venue for new terms."""

    order_id: str
    terms: OrderTerms


@attrs.frozen
class LookUp:
    """Ask the venue what it knows of an order."""

    order_id: str


@attrs.frozen
class Greet:
    """`orders` is new, and asks a session to say that it is up."""


@attrs.frozen
class AskGap:
    """Ask the venue for all executions after ``watermark``."""

    watermark: str


class How(enum.Enum):
    """How a request to a venue ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    """A lookup's proof that the venue does not have the order."""


class Asked(enum.Enum):
    """What was asked of a venue."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"
    LOOKUP = "lookup"
    STREAM = "stream"


@attrs.frozen
class Evidence:
    """What a venue said, or how a request to it failed."""

    turn: ClassVar[int] = Turn.EVIDENCE
    venue: str
    asked: Asked
    order_id: str
    how: How
    events: tuple[VenueEvent, ...] = ()
    reason: str = ""
    code: str = ""


@attrs.frozen
class SessionUp:
    """A session of a venue is connected."""

    turn: ClassVar[int] = Turn.EVIDENCE
    venue: str
    incarnation: int


@attrs.frozen
class LookUpAgain:
    """Timer of `orders`: an order is still unknown."""

    lane: ClassVar[Lane] = Lane.TIMERS
    order_id: str
