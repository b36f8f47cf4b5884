"""What an engine and a venue in another process say to each other: JSON, a line each.

One request, one answer, in order. The first request is a `Hello`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec
import trio
from msgspec import Struct

from holdfast_domain.money import Quantity
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import (
    Acked,
    Balances,
    Busted,
    Corrected,
    Ended,
    Executed,
    Found,
    Positions,
    Replaced,
    VenueEvent,
    VenueOrder,
    VenuePromises,
)

LINE_MAX: Final = 64 << 20
"""A longer line is no answer of ours: a whole list of executions is far shorter."""

_READ = 65_536


# --- requests ------------------------------------------------------------------------


class Hello(Struct, tag=True):
    """An engine comes, and names itself and the market that it trades in."""

    engine: int
    epoch: int
    world: str
    """Data, instruments and fill model, as canonical JSON: both must have the same."""


class Resume(Struct, tag=True):
    """See `ReplayedVenue.resume`."""

    cursor: int


class Advance(Struct, tag=True):
    """See `ReplayedVenue.advance`."""

    cursor: int
    step: int


class Submit(Struct, tag=True):
    """See `Venue.submit`."""

    order: VenueOrder


class SubmitList(Struct, tag=True):
    """See `Venue.submit_list`."""

    orders: list[VenueOrder]


class Cancel(Struct, tag=True):
    """See `Venue.cancel`."""

    order_id: str


class Replace(Struct, tag=True):
    """See `Venue.replace`."""

    order_id: str
    terms: OrderTerms


class LookUp(Struct, tag=True):
    """See `Venue.lookup`."""

    order_id: str
    meant_us: int = 0


class Since(Struct, tag=True):
    """See `Venue.executions_since`."""

    watermark: str


class Account(Struct, tag=True):
    """See `Venue.open_orders`, `Venue.positions` and `Venue.balances`."""

    what: Literal["orders", "positions", "balances"]


Request: TypeAlias = (
    Hello
    | Resume
    | Advance
    | Submit
    | SubmitList
    | Cancel
    | Replace
    | LookUp
    | Since
    | Account
)


# --- answers -------------------------------------------------------------------------


class Welcome(Struct, tag=True):
    """The answer to a `Hello`."""

    promises: VenuePromises
    wants_data: bool


class Told(Struct):
    """One event: the name of its class, and its fields."""

    kind: str
    fields: dict[str, Any]


class Story(Struct):
    """A `Found`, whose events are `Told`."""

    order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    quantity: Quantity
    terms: OrderTerms | None
    placed_at_us: int
    cumulative: Quantity | None
    events: list[Told]


class Done(Struct, tag=True):
    """What a request brought about, or what was asked for."""

    events: list[Told]
    wants_data: bool
    found: Story | None = None
    """The order; of a `LookUp` alone."""

    absent: str = ""
    """Why there is none; of a `LookUp` alone."""

    watermark: str = ""
    """Of `Since` and of the orders of an `Account`."""

    orders: list[Story] = []
    """Of an `Account`, as what follows."""

    at: datetime | None = None
    positions: Positions | None = None
    balances: Balances | None = None


class Failed(Struct, tag=True):
    """The request failed: with which error, and why."""

    error: str
    reason: str
    code: str = ""


Answer: TypeAlias = Welcome | Done | Failed

_KINDS: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (Acked, Busted, Corrected, Ended, Executed, Replaced)
}
_STORY: Final = [name for name in Story.__struct_fields__ if name != "events"]
_REQUESTS: Final = msgspec.json.Decoder(Request)
_ANSWERS: Final = msgspec.json.Decoder(Answer)


def told(events: Sequence[VenueEvent]) -> list[Told]:
    """Return ``events`` as they are sent."""
    return [Told(type(each).__name__, msgspec.to_builtins(each)) for each in events]


def heard(said: Sequence[Told]) -> list[Any]:
    """Return the events that `told` was given.

    Raises:
        ValueError: one is of no kind that a venue tells.
    """
    unknown = {each.kind for each in said} - _KINDS.keys()
    if unknown:
        message = f"expected events of a venue, got {sorted(unknown)}"
        raise ValueError(message)
    return [msgspec.convert(each.fields, _KINDS[each.kind]) for each in said]


def story_of(found: Found) -> Story:
    """Return ``found`` as it is sent."""
    fields = {name: getattr(found, name) for name in _STORY}
    return Story(**fields, events=told(found.events))


def found_of(story: Story) -> Found:
    """Return what `story_of` was given.

    Raises:
        ValueError: see `heard`.
    """
    fields = {name: getattr(story, name) for name in _STORY}
    return Found(**fields, events=heard(story.events))


def request_of(line: bytes) -> Request:
    """Return the request in ``line``.

    Raises:
        ValueError: there is none in it.
    """
    request: Request = _REQUESTS.decode(line)
    return request


def answer_of(line: bytes) -> Answer:
    """Return the answer in ``line``.

    Raises:
        ValueError: there is none in it.
    """
    answer: Answer = _ANSWERS.decode(line)
    return answer


class Lines:
    """One end of the connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._rest = bytearray()

    async def send(self, said: Request | Answer) -> None:
        """Send one line.

        Raises:
            trio.BrokenResourceError: the other end is gone; some of it may have left.
        """
        await self._stream.send_all(msgspec.json.encode(said) + b"\n")

    async def receive(self) -> bytes:
        """Return the next line; empty at the end of the connection.

        Raises:
            trio.BrokenResourceError: the connection was reset.
            ValueError: it is longer than `LINE_MAX`.
        """
        seen = 0
        while (end := self._rest.find(b"\n", seen)) < 0:
            seen = len(self._rest)
            if seen > LINE_MAX:
                message = f"expected a line of at most {LINE_MAX} bytes"
                raise ValueError(message)
            read = await self._stream.receive_some(_READ)
            if not read:
                return b""
            self._rest += read
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def cut(self) -> None:
        """End the connection at once: nothing more is sent or read; idempotent."""
        self._stream.socket.close()
