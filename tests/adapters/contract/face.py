"""What the contract suite needs of a venue: a face for each venue, and nothing else.

A face turns a case's words into its venue's: it moves the market, passes time, ends the
process and starts another, and switches faults on. To add a venue is to add its face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from holdfast_domain.ids import ClientOrderId
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Venue, VenueEvent, VenueOrder

Path_ = Sequence[tuple[object, object]]
"""A market: prices, and how much may be had at each until the next."""


class Face(Protocol):
    """One venue as the suite sees it. `market` begins before its first price."""

    can: ClassVar[frozenset[str]]
    """What the venue, and its face, are able to: see `case`."""

    codes: ClassVar[Mapping[str, str]]
    """The venue's own codes of what it refuses, by what that is."""

    too_much: ClassVar[int]
    """More than the account can deliver, in units."""

    @property
    def symbol(self) -> str:
        """What is traded."""

    @property
    def units(self) -> int:
        """How much of the underlying one unit of it is."""

    @property
    def venue(self) -> Venue:
        """The adapter under test, connected."""

    @property
    def record(self) -> Path:
        """The venue's own record, for the auditor's eyes."""

    @property
    def now_us(self) -> int:
        """Market time."""

    async def market(self) -> None:
        """Go on to the next price of the path."""

    async def restart(self) -> None:
        """End the adapter as a crash does, and connect another one."""

    def pass_time(self, seconds: float) -> None:
        """Let time go by, in which nothing is traded."""

    def fault(self, kind: str, operation: str, count: int = 1, skip: int = 0) -> None:
        """Switch a fault of the wire on."""

    async def hear(self, count: int, holes: int = 0) -> list[VenueEvent]:
        """Wait for so much on the stream of user data, and return all that was told.

        A hole is that it says that something may have been missed.
        """

    def auction(self, force: TimeInForce) -> None:
        """Hold the auction of the orders that are for it, at the last price."""

    async def cut(self, order: VenueOrder) -> None:
        """Submit, and cancel the request while it waits for its answer."""


class Book:
    """Makes the orders of a case: small ones near the market, with new ids."""

    def __init__(self, face: Face, price: object) -> None:
        """Trade around ``price``."""
        self.face = face
        self.price = price
        self._numbers = 0

    def order(self, quantity: object = 2, **changes: Any) -> VenueOrder:
        """A new order: to buy at the market, unless ``changes`` say otherwise."""
        self._numbers += 1
        made = ClientOrderId(engine=7, epoch=1, sequence=self._numbers, strategy=1)
        return VenueOrder(
            order_id=str(made),
            terms=self.terms(quantity, **changes),
            placed_at_us=self.face.now_us,
        )

    def terms(
        self,
        quantity: object = 2,
        *,
        limit: object = None,
        stop: object = None,
        side: Side = Side.BUY,
        **changes: Any,
    ) -> OrderTerms:
        """Terms whose type follows from the prices that they have."""
        kinds = {
            (False, False): OrderType.MARKET,
            (True, False): OrderType.LIMIT,
            (False, True): OrderType.STOP,
            (True, True): OrderType.STOP_LIMIT,
        }
        made: dict[str, Any] = {
            "instrument": self.face.symbol,
            "side": side,
            "quantity": Quantity.of(str(quantity)),
            "type": kinds[limit is not None, stop is not None],
            "limit_price": None if limit is None else Price.of(str(limit)),
            "stop_price": None if stop is None else Price.of(str(stop)),
        }
        return OrderTerms(**{**made, **changes})
