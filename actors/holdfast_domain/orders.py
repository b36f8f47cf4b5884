"""The life of an order, as one table: every legal transition is a row of it.

The documentation's diagram is drawn from `TRANSITIONS`, and nothing else decides what
an order may become.

Rule 1: a cause that our own code brings (`OURS`) and that has no row is a bug of ours
and raises `ImpossibleTransition`.
Rule 2: a cause that a venue brings and that has no row is evidence against our
picture: the order becomes `UNKNOWN`, and the resolver asks.
Rule 3: an order of which a part is filled is never `ACCEPTED` (again): where a row
leads there, it is `PARTIALLY_FILLED`.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Final

from msgspec import Struct

from holdfast_domain.errors import ImpossibleTransition
from holdfast_domain.money import ZERO, Price, Quantity


class Side(enum.Enum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"

    # By identity, in C; here and below: orders are sorted by these all the time.
    __hash__ = object.__hash__

    sign: int
    """+1 for a buy, -1 for a sell."""

    def __init__(self, name: str) -> None:
        self.sign = 1 if name == "buy" else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.Enum):
    """How an order finds its price."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    """A stop that follows the best price at a distance, and never goes back."""

    __hash__ = object.__hash__


class TimeInForce(enum.Enum):
    """How long an order may wait."""

    DAY = "day"
    """Until the end of the session, or of the UTC day for a 24-hour instrument."""

    GTC = "gtc"
    """Until it is filled or cancelled."""

    IOC = "ioc"
    """What can be filled at once; the rest is cancelled."""

    FOK = "fok"
    """All of it at once, or nothing."""

    AT_OPEN = "at_open"
    """Only in the auction that opens the session."""

    AT_CLOSE = "at_close"
    """Only in the auction that closes the session."""

    __hash__ = object.__hash__


# A member is found by its name in a tenth of the time in which its class finds it, and
# each order's terms are looked at by a dozen readers.
_WITH_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_WITH_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_TRAILING_STOP = OrderType.TRAILING_STOP


class OrderTerms(Struct, frozen=True, gc=False, omit_defaults=True):
    """What an order asks for, without who asks.

    A limit price is there for LIMIT and STOP_LIMIT, a stop price for STOP and
    STOP_LIMIT, one distance (``trail`` or ``trail_bps``) for TRAILING_STOP, and none of
    them otherwise.
    """

    instrument: str
    side: Side
    quantity: Quantity
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.GTC
    limit_price: Price | None = None
    stop_price: Price | None = None
    reduce_only: bool = False
    """Only to bring the position nearer to nothing."""

    post_only: bool = False
    """Only to rest: it is refused where it would trade at once. Of a LIMIT."""

    trail: Price | None = None
    """How far a TRAILING_STOP stays behind the best price, in the price's units."""

    trail_bps: int | None = None
    """The same in basis points of the best price."""

    shown: Quantity | None = None
    """How much the market sees at a time (an iceberg); None is all. Of a LIMIT."""

    def __post_init__(self) -> None:
        kind = self.type
        if (kind in _WITH_LIMIT) is not (self.limit_price is not None):
            message = f"limit price and order type do not agree: {self}"
            raise ImpossibleTransition(message)
        if (kind in _WITH_STOP) is not (self.stop_price is not None):
            message = f"stop price and order type do not agree: {self}"
            raise ImpossibleTransition(message)
        if self.trail is not None or self.trail_bps is not None:
            self._check_distance()
        elif kind is _TRAILING_STOP:
            message = f"distance and order type do not agree: {self}"
            raise ImpossibleTransition(message)
        if self.post_only or self.shown is not None:
            self._check_rests()

    def _check_distance(self) -> None:
        is_one = (self.trail is None) is not (self.trail_bps is None)
        far = self.trail_bps if self.trail is None else self.trail.value
        is_trailing = self.type is OrderType.TRAILING_STOP
        if not is_trailing or not is_one or far is None or far <= 0:
            message = f"expected one distance above 0, of a trailing stop alone: {self}"
            raise ImpossibleTransition(message)

    def _check_rests(self) -> None:
        at_once = (TimeInForce.IOC, TimeInForce.FOK)
        if self.type is not OrderType.LIMIT or self.time_in_force in at_once:
            message = (
                f"only a limit order that may rest can be hidden or post-only: {self}"
            )
            raise ImpossibleTransition(message)


class OrderState(enum.Enum):
    """Where an order stands."""

    NEW = "new"
    INTENT = "intent"
    REFUSED = "refused"
    SENT = "sent"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    CANCEL_PENDING = "cancel_pending"
    REPLACE_PENDING = "replace_pending"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"

    __hash__ = object.__hash__


class Cause(enum.Enum):
    """What moves an order from one state to the next."""

    INTEND = "intend"
    REFUSE = "refuse"
    SEND = "send"
    GIVE_UP = "give up"
    REQUEST_CANCEL = "request cancel"
    REQUEST_REPLACE = "request replace"
    DOUBT = "doubt"
    NO_BYTE_LEFT = "no byte left"
    PROVEN_ABSENT = "proven absent"
    ACK = "ack"
    PARTIAL_FILL = "partial fill"
    LAST_FILL = "last fill"
    CANCEL_ACK = "cancel ack"
    CANCEL_REFUSED = "cancel refused"
    REPLACE_ACK = "replace ack"
    REPLACE_REFUSED = "replace refused"
    EXPIRE = "expire"
    REJECT = "reject"
    SAID_ENDED = "a person: ended"
    SAID_ABSENT = "a person: not placed"
    OVERRULE = "the venue overrules"

    __hash__ = object.__hash__


OURS: Final = frozenset({
    Cause.INTEND,
    Cause.REFUSE,
    Cause.SEND,
    Cause.GIVE_UP,
    Cause.REQUEST_CANCEL,
    Cause.REQUEST_REPLACE,
})  # fmt: skip
"""The causes that our own code brings; all others are evidence or its absence."""

TERMINAL: Final = frozenset({
    OrderState.REFUSED,
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
    OrderState.NOT_PLACED,
})  # fmt: skip
"""The states in which an order can no longer trade."""

_S = OrderState
_C = Cause
_ACCEPTED = _S.ACCEPTED
_WORKING: Final = {
    _C.ACK: None,
    _C.PARTIAL_FILL: _S.PARTIALLY_FILLED,
    _C.LAST_FILL: _S.FILLED,
    _C.CANCEL_ACK: _S.CANCELED,
    _C.EXPIRE: _S.EXPIRED,
    _C.REJECT: _S.REJECTED,
    _C.DOUBT: _S.UNKNOWN,
}
"""What a venue may say of any order that it has; ``None`` keeps the state."""

TRANSITIONS: Final[dict[tuple[OrderState, Cause], OrderState]] = {
    (_S.NEW, _C.INTEND): _S.INTENT,
    (_S.NEW, _C.REFUSE): _S.REFUSED,
    (_S.INTENT, _C.SEND): _S.SENT,
    (_S.INTENT, _C.GIVE_UP): _S.NOT_PLACED,
    (_S.INTENT, _C.DOUBT): _S.UNKNOWN,
    (_S.NOT_SENT, _C.INTEND): _S.INTENT,
    (_S.NOT_SENT, _C.GIVE_UP): _S.NOT_PLACED,
    (_S.SENT, _C.NO_BYTE_LEFT): _S.NOT_SENT,
    (_S.UNKNOWN, _C.PROVEN_ABSENT): _S.NOT_SENT,
    (_S.UNKNOWN, _C.REQUEST_CANCEL): _S.UNKNOWN,
    (_S.ACCEPTED, _C.REQUEST_CANCEL): _S.CANCEL_PENDING,
    (_S.PARTIALLY_FILLED, _C.REQUEST_CANCEL): _S.CANCEL_PENDING,
    (_S.REPLACE_PENDING, _C.REQUEST_CANCEL): _S.CANCEL_PENDING,
    (_S.ACCEPTED, _C.REQUEST_REPLACE): _S.REPLACE_PENDING,
    (_S.PARTIALLY_FILLED, _C.REQUEST_REPLACE): _S.REPLACE_PENDING,
    (_S.CANCEL_PENDING, _C.CANCEL_REFUSED): _S.ACCEPTED,
    (_S.REPLACE_PENDING, _C.REPLACE_ACK): _S.ACCEPTED,
    (_S.REPLACE_PENDING, _C.REPLACE_REFUSED): _S.ACCEPTED,
    (_S.CANCEL_PENDING, _C.REPLACE_ACK): _S.CANCEL_PENDING,
    (_S.CANCEL_PENDING, _C.REPLACE_REFUSED): _S.CANCEL_PENDING,
    (_S.UNKNOWN, _C.SAID_ABSENT): _S.NOT_PLACED,
    (_S.UNKNOWN, _C.SAID_ENDED): _S.CANCELED,
    (_S.PARTIALLY_FILLED, _C.SAID_ENDED): _S.CANCELED,
    (_S.NOT_PLACED, _C.OVERRULE): _S.UNKNOWN,
    (_S.CANCELED, _C.OVERRULE): _S.UNKNOWN,
    (_S.FILLED, _C.OVERRULE): _S.UNKNOWN,
    **{
        (state, cause): after or (_S.ACCEPTED if state is not kept else kept)
        for state, kept in (
            (_S.SENT, _S.ACCEPTED),
            (_S.ACCEPTED, _S.ACCEPTED),
            (_S.PARTIALLY_FILLED, _S.PARTIALLY_FILLED),
            (_S.CANCEL_PENDING, _S.CANCEL_PENDING),
            (_S.REPLACE_PENDING, _S.REPLACE_PENDING),
            (_S.UNKNOWN, _S.ACCEPTED),
        )
        for cause, after in _WORKING.items()
    },
    (_S.CANCEL_PENDING, _C.PARTIAL_FILL): _S.CANCEL_PENDING,
    (_S.REPLACE_PENDING, _C.PARTIAL_FILL): _S.REPLACE_PENDING,
}
"""Every legal step: (state, cause) to the next state."""


def next_state(state: OrderState, cause: Cause, filled: Decimal = ZERO) -> OrderState:
    """Return where ``cause`` takes an order that stands at ``state``.

    ``filled`` is how much of it is filled by then.

    A venue's cause without a row gives `UNKNOWN`, except that a finished order stays
    finished: what came late is journaled as evidence by the caller.

    >>> next_state(OrderState.SENT, Cause.ACK)
    <OrderState.ACCEPTED: 'accepted'>

    Raises:
        ImpossibleTransition: if the cause is one of `OURS` and has no row.
    """
    after = TRANSITIONS.get((state, cause))
    if after is not None:
        if filled and after is _ACCEPTED:
            return OrderState.PARTIALLY_FILLED
        return after
    if cause in OURS:
        message = f"an order in state {state.value} cannot {cause.value}"
        raise ImpossibleTransition(message)
    if state in TERMINAL:
        return state
    return OrderState.UNKNOWN
