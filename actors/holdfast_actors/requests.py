"""What `orders` and a venue's session say to each other."""

from __future__ import annotations

import enum
from typing import ClassVar, TypeAlias, final

from msgspec import Struct

from holdfast_actors.messages import Turn
from holdfast_actors.reconciliation.messages import AskVenue
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import Found, VenueEvent, VenueOrder, VenuePromises
from holdfast_runtime import Lane

GATES = ("meant for a session that is gone", "sent by an engine's part that is gone")
"""Why a session's last gate holds an order back that may go out again at once."""


@final
class Submit(Struct, frozen=True, gc=False):
    """Send an order, or a list whole, unless it is stale by any of these marks."""

    order: VenueOrder
    orders: int
    """The incarnation of `orders` that sends it."""

    session: int
    generation: int
    valid_until_us: int
    rest: tuple[VenueOrder, ...] = ()
    """The other legs, where ``order`` is the first of a list."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The orders that it sends."""
        return (self.order.order_id, *[each.order_id for each in self.rest])

    @property
    def terms(self) -> tuple[OrderTerms, ...]:
        """What each of them asks for."""
        return (self.order.terms, *[each.terms for each in self.rest])


class Cancel(Struct, frozen=True):
    """Ask the venue to cancel."""

    order_id: str
    session: int = 0
    """The session that was up when it was asked for; 0 is any."""


class Replace(Struct, frozen=True):
    """Ask the venue for new terms."""

    order_id: str
    terms: OrderTerms
    session: int = 0
    """The session that was up when they were asked for; 0 is any."""


class LookUp(Struct, frozen=True):
    """Ask the venue what it knows of an order."""

    order_id: str
    meant_us: int = 0
    """Market time of its intent."""


class Greet(Struct, frozen=True):
    """`orders` is new, and asks a session to say that it is up."""


class AskGap(Struct, frozen=True):
    """Ask the venue for all executions from ``watermark`` on."""

    watermark: str


Request: TypeAlias = Submit | Cancel | Replace | LookUp | AskGap | AskVenue
"""What is asked of a venue."""


class AskGapAgain(Struct, frozen=True):
    """Timer of `orders`, of one incarnation of it and of a session: ask anew."""

    lane: ClassVar[Lane] = Lane.TIMERS
    venue: str
    orders: int
    session: int


class StreamHole(Struct, frozen=True):
    """The stream of an account may have missed something: ask for it."""

    venue: str
    why: str


class TryAgain(Struct, frozen=True):
    """Timer of `orders`: an order that could not be sent may go out now."""

    lane: ClassVar[Lane] = Lane.TIMERS
    order_id: str


class SendAgain(Struct, frozen=True):
    """Timer of `orders`: a venue listens again to what waits for it."""

    lane: ClassVar[Lane] = Lane.TIMERS
    venue: str


class ConnectAgain(Struct, frozen=True):
    """Timer of a session, of one incarnation of it: try to connect once more."""

    lane: ClassVar[Lane] = Lane.TIMERS
    session: int


class How(enum.Enum):
    """How a request to a venue ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    """The venue answered a lookup, and does not know the order."""


class Asked(enum.Enum):
    """What was asked of a venue."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"
    LOOKUP = "lookup"
    GAP = "gap"
    ACCOUNT = "account"
    """Executions that the reconciler asked for."""

    STREAM = "stream"


@final
class Evidence(Struct, frozen=True, gc=False):
    """What a venue said, or how a request to it failed."""

    turn: ClassVar[int] = Turn.EVIDENCE
    venue: str
    asked: Asked
    order_id: str
    how: How
    events: tuple[VenueEvent, ...] = ()
    reason: str = ""
    code: str = ""
    asked_s: float = 0.0
    """When a question left, by the engine's clock; of lookups alone."""

    story: Found | None = None
    """What a lookup found; its events are ``events``."""

    watermark: str = ""
    """From where to ask next; of a gap alone."""

    again_s: float = 0.0
    """For how long nothing should be asked of the venue, from now; 0 is no matter."""


class SessionUp(Struct, frozen=True):
    """A session of a venue is connected (again).

    It may have missed something: what is asked of it then comes before what the venues
    after it said meanwhile.
    """

    turn: ClassVar[int] = Turn.EVIDENCE
    ends_turn: ClassVar[bool] = True
    venue: str
    incarnation: int
    promises: VenuePromises
    in_step: bool = True
    """Whether market time waits for the venue."""


class LookUpAgain(Struct, frozen=True):
    """Timer of `orders`: an order is still unknown."""

    lane: ClassVar[Lane] = Lane.TIMERS
    order_id: str


class Resolve(Struct, frozen=True):
    """A person says what became of an order in doubt.

    Answered with an empty text, or with why it was not taken.
    """

    order_id: str
    quantity: Quantity | None
    """What was filled of it in all; None: it was not placed."""

    price: Price | None
    by: str
    because: str
