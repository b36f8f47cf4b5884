"""What the matching engine is told: how fills are modelled and what the market did."""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

import attrs
from msgspec import Struct

from holdfast_domain.money import ZERO
from holdfast_domain.orderkinds import SIMPLE, OrderKinds
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import OrderType
from holdfast_domain.ports import Acked, Ended, Executed, Replaced

DAY_US = 86_400_000_000
NEVER_US = 1 << 62
"""A moment that no market time reaches: the expiry of what does not expire."""

SessionEnd: TypeAlias = Callable[[str, int], int]
"""(symbol, market time in µs) to the end of the session that holds it, in µs UTC."""


TAKES: Final = OrderKinds(
    types=SIMPLE | {OrderType.TRAILING_STOP},
    post_only=True,
    trails=True,
    trail_bps=(1, 9_999),
    lists=frozenset(ListKind),
)
"""What the engine can match."""


class FillAt(enum.Enum):
    """At which price of which bar a market order is filled."""

    NEXT_OPEN = "next_open"
    """The open of the first bar that opens at or after the order."""

    THIS_CLOSE = "this_close"
    """The last known close, at once; it assumes that one can still trade there."""

    NEXT_CLOSE = "next_close"
    """The close of the first bar that opens at or after the order."""


@attrs.frozen(kw_only=True)
class FillModel:
    """What trading costs and how much of a bar one may take."""

    fill: FillAt = FillAt.NEXT_OPEN
    commission: Decimal = ZERO
    """Share of the notional that a fill costs: 0.001 is 10 basis points."""

    in_kind: bool = True
    """Whether a buy pays it out of what it brings, where the instrument has a base."""

    slippage_bps: Decimal = attrs.field(
        default=ZERO, validator=attrs.validators.ge(ZERO)
    )
    """By how many basis points market and triggered stop orders fill worse."""

    participation: Decimal | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(
            attrs.validators.and_(
                attrs.validators.gt(ZERO), attrs.validators.le(Decimal(1))
            )
        ),
    )
    """Share of a bar's volume that all orders together may take; ``None``: no limit."""


class LastBar(Struct, frozen=True, gc=False):
    """The newest bar of a symbol that has ended."""

    close: float
    volume: float
    ended_at_us: int


class MarketView(Protocol):
    """What is known of the market at the moment of a request."""

    @property
    def time_us(self) -> int:
        """Market time of the request, in microseconds UTC."""

    def last(self, symbol: str) -> LastBar | None:
        """Return the newest bar of ``symbol`` that has ended, if there is one."""


class Triggered(Struct, frozen=True, kw_only=True, gc=False):
    """A stop was reached: from now on the order is a market or a limit order."""

    order_id: str
    ended_at_us: int
    """End of the bar that did it; what then rests takes part in later bars only."""


class Trailed(Struct, frozen=True, kw_only=True, gc=False):
    """The best price that a trailing stop has seen moved, and its stop with it."""

    order_id: str
    best: Decimal
    ended_at_us: int
    """End of the bar that did it; the new stop counts for later bars only."""


class VolumeTaken(Struct, frozen=True, kw_only=True, gc=False):
    """A fill took part of what a bar may fill; written only with a participation."""

    order_id: str
    symbol: str
    ended_at_us: int
    quantity: Decimal


BookEvent: TypeAlias = Acked | Executed | Ended | Replaced
"""What the engine says of an order; it never takes back an execution."""

EngineRecord: TypeAlias = BookEvent | Triggered | Trailed | VolumeTaken
"""All that changes the engine after an order was admitted, in order."""


def utc_day_end_us(_symbol: str, time_us: int) -> int:
    """Return the next UTC midnight after ``time_us``: the session of crypto.

    >>> utc_day_end_us("BTC", 0) == DAY_US == utc_day_end_us("BTC", DAY_US - 1)
    True
    """
    return (time_us // DAY_US + 1) * DAY_US
