"""What `orders` and a venue's session say to each other."""

from __future__ import annotations

import enum
from typing import ClassVar

from msgspec import Struct

from holdfast_actors.messages import Turn
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import VenueEvent, VenueOrder
from holdfast_runtime import Lane


class Submit(Struct, frozen=True):
    """Send an order, unless it is stale by any of these marks."""

    order: VenueOrder
    session: int
    generation: int
    valid_until_us: int


class Cancel(Struct, frozen=True):
    """Ask the venue to cancel."""

    order_id: str


class Replace(Struct, frozen=True):
    """Ask the venue for new terms."""

    order_id: str
    terms: OrderTerms


class LookUp(Struct, frozen=True):
    """Ask the venue what it knows of an order."""

    order_id: str


class Greet(Struct, frozen=True):
    """`orders` is new, and asks a session to say that it is up."""


class AskGap(Struct, frozen=True):
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


class Evidence(Struct, frozen=True):
    """What a venue said, or how a request to it failed."""

    turn: ClassVar[int] = Turn.EVIDENCE
    venue: str
    asked: Asked
    order_id: str
    how: How
    events: tuple[VenueEvent, ...] = ()
    reason: str = ""
    code: str = ""


class SessionUp(Struct, frozen=True):
    """A session of a venue is connected."""

    turn: ClassVar[int] = Turn.EVIDENCE
    venue: str
    incarnation: int


class LookUpAgain(Struct, frozen=True):
    """Timer of `orders`: an order is still unknown."""

    lane: ClassVar[Lane] = Lane.TIMERS
    order_id: str
