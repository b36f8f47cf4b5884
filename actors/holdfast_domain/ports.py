"""Ports: what the engine asks of the world, as protocols.

An adapter implements one of them and knows nothing of actors. A port says how it can
fail in the words of `errors`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeGuard, TypeVar

from holdfast_domain.answers import (
    Acked,
    Balances,
    Busted,
    Corrected,
    Ended,
    Executed,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    Replaced,
    VenueBalance,
    VenueEvent,
    VenuePosition,
)
from holdfast_domain.events import Entry
from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import Quote, Trade
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orders import OrderTerms
from holdfast_domain.stepping import News
from holdfast_domain.venues import VenueOrder, VenuePromises

T = TypeVar("T")
E = TypeVar("E", contravariant=True)  # noqa: PLC0105 - short, as in the style guide


class WallClock(Protocol):
    """The host's clock; for records that people read, never for a decision."""

    def now(self) -> datetime:
        """Return the time, UTC-aware."""

    def now_us(self) -> int:
        """Return the time in microseconds UTC."""


class JournalStore(Protocol):
    """Where the journal is kept."""

    @property
    def last_sequence(self) -> int:
        """The sequence of the last durable record; 0 when there is none."""

    def append(self, batch: Sequence[Entry]) -> None:
        """Make ``batch`` durable, all or nothing; blocks, and returns when it is.

        Called from one thread at a time, with sequences that follow the last one.

        Raises:
            CommitFailed: nothing of the batch is durable.
        """

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Yield the durable records with a sequence above ``after``, in order.

        Raises:
            JournalDamaged: a record does not match its hash or its neighbours.
        """

    def hash_of(self, sequence: int) -> str:
        """Return the hash of a durable record, as text; empty if it is not there."""

    def close(self) -> None:
        """Give the file back; idempotent."""


class Tape(Protocol):
    """The log of what strategies were fed, from which they are fed again.

    In a backtest or a replay the data itself stands for it, so nothing is written.
    """

    @property
    def times_us(self) -> Sequence[int]:
        """Market time of each step, ascending."""

    def slices(self, after: int, until: int) -> Iterator[tuple[int, int, int]]:
        """Yield (cursor, step, market time) of the slices in (after, until]."""

    def news(self, step: int) -> tuple[tuple[Trade, ...], tuple[Quote, ...]]:
        """Return the trades and quotes of ``step``; they come before its slice."""


class TapeStore(Protocol):
    """Where the steps of a live feed are kept."""

    def append(self, steps: Sequence[Seen]) -> None:
        """Make ``steps`` durable, all or nothing; blocks, and returns when it is.

        Raises:
            CommitFailed: nothing of them is durable.
        """

    def read(self, first: int = 0) -> Iterator[Seen]:
        """Yield the durable steps from the number ``first`` on, in order."""


class MarketSource(Protocol):
    """A live market that is listened to."""

    async def run(self, take: Callable[[News], Awaitable[None]]) -> None:
        """Listen until cancelled, and give ``take`` what came, at once or in batches.

        It is called at a steady pace when nothing came, too: time goes on. What comes
        while it runs is kept for the next time. A connection that is lost is made
        again, for ever.
        """


class AccountSource(Protocol):
    """The stream of an account at a venue."""

    async def run(
        self, told: Callable[[VenueEvent], None], missed: Callable[[str], None]
    ) -> None:
        """Listen until cancelled; call ``told`` for each event, which may come twice.

        ``missed`` is called, with the reason, whenever something may not have been
        told: after each connect, the first one too.
        """


class Events(Protocol[E]):
    """Where a library's callbacks give events to the actors' thread."""

    dropped: int
    """How many were lost."""

    def push(self, event: E) -> None:
        """Give ``event``, in order; from any thread, never blocks and never raises."""

    def close(self) -> None:
        """Give nothing any more; idempotent."""


class EventHost(Protocol):
    """Brings what a library's callbacks say, in whatever thread, to the actors'."""

    def events(
        self,
        take: Callable[[T], None],
        *,
        capacity: int = ...,
        full: Literal["drop_oldest", "fail"] = ...,
    ) -> Events[T]:
        """Return where to push; ``take`` gets each event on the actors' thread.

        What was pushed before a call returned is taken before its caller goes on.
        Where ``capacity`` events wait, one more drops the oldest (for tickers) or
        fails the host, which then refuses all calls (for fills).
        """


class ThreadHost(Protocol):
    """Runs blocking calls away from the actors' thread, one at a time, in order.

    A library that also calls back asks for an `EventHost`, which is the same object.
    """

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        """Return what ``call(*args)`` returns, or raise what it raises.

        An error that is neither the call's own nor a `TimeoutError` is a refusal, for
        the host is full, closed or failed, or too many threads hang: nothing was
        called, and the owner should crash of it.

        Raises:
            TimeoutError: after ``deadline_s``; the call may still be running, its
                thread is abandoned and its outcome is not known.
        """


class AsyncioHost(EventHost, Protocol):
    """Runs coroutine functions of an asyncio library on a loop of its own thread.

    Objects of the library are made, used and ended in ``run``, and nowhere else.
    """

    async def run(
        self, call: Callable[..., Awaitable[T]], *args: object, deadline_s: float
    ) -> T:
        """Return what ``await call(*args)`` returns; refuses as `ThreadHost.run`.

        At its deadline, or when it is cancelled, the coroutine is cancelled in its
        loop.

        Raises:
            TimeoutError: after ``deadline_s``; the outcome is not known. If the loop
                hangs, it is abandoned with all objects that live in it, and the next
                call finds another loop.
        """


# --- venues -------------------------------------------------------------------


class Venue(Protocol):
    """One connection to one venue. Every request may raise a `VenueError`.

    A `ConnectionError` is an outcome that is not known, and the end of the connection:
    the session connects anew, for as long as it takes. A venue that limits or bans says
    so in ``retry_after_s`` of its error, and hears nothing until then.

    An answer is the list of events that the request brought about, in order. A request
    may be cancelled while it waits, for it has a deadline: nothing of it may leave
    after that, and what became of it is not known.
    """

    name: str
    promises: VenuePromises

    async def connect(self) -> None:
        """Open the session; idempotent."""

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; exactly one attempt, never a retry.

        Raises:
            VenueRefused: it does not exist there.
            NotSent: no byte left, or it was turned away unread.
            DuplicateOrder: the venue has one with this id already.
            OutcomeUnknown: it may exist; `lookup` tells.
        """

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Place the legs of a list, all or none; one attempt, and in one request.

        They stand in the order of `orderlists.ROLES`. Only what ``promises.takes``
        declares is asked for. Where a venue judges each leg by itself, and refuses
        some, the others are canceled, and the answer tells how each leg ended.

        Raises:
            VenueError: as `submit`; it holds for each of the legs.
        """

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; legal in any state.

        What becomes of the others of its list is the venue's rule: its answer or its
        stream tells it.

        Raises:
            VenueRefused: there is nothing to cancel.
        """

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        """Give a working order new terms (quantity counts what is filled too)."""

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        """Return what the venue knows of the order; a failure of transport raises.

        It was meant at ``meant_us``, in microseconds UTC of market time, and nothing of
        it left before; 0 is not known. A venue that does not show what is older says
        with `OutcomeUnknown` that it cannot tell.
        """

    async def executions_since(self, watermark: str) -> Executions:
        """Return all executions from ``watermark`` on that the venue shows by now.

        A watermark is a word of the venue's own, from an earlier answer; an empty one
        means from the beginning. What shows late is the adapter's to know: it answers
        with a watermark that lies as far back as that takes. A correction to what is
        booked as it is changes nothing, so one may be told where that is not known.
        """

    async def open_orders(self) -> OpenOrders:
        """Return all orders of the account that work now, those of others too.

        The venue shows at once what it has acknowledged; what it shows late, the
        adapter waits for, or raises: an order that is left out counts as not there.
        """

    async def positions(self) -> Positions:
        """Return all positions of the account; a list that is cut short raises."""

    async def balances(self) -> Balances:
        """Return the cash of the account; a list that is cut short raises."""

    async def close(self) -> None:
        """End the session; idempotent."""


class DeadMansSwitch(Protocol):
    """Lets a venue cancel an account's orders when nobody speaks to it any more."""

    async def arm(self, after_s: float) -> None:
        """Let it cancel them in ``after_s`` seconds, and not when it was to before.

        Raises:
            VenueError: what it was told before may still hold.
        """

    async def disarm(self) -> None:
        """Let it keep them, whatever comes; idempotent.

        Raises:
            VenueError: what it was told before may still hold.
        """


class ReplayedVenue(Venue, Protocol):
    """A venue that lives in replayed market time, such as the paper venue."""

    @property
    def wants_data(self) -> bool:
        """Whether `advance` could bring anything about now.

        False lets a source skip it; the next `advance` then goes over several steps.
        """

    @property
    def answers_at_once(self) -> bool:
        """Whether no request ever waits, such as where nothing is written to a disk."""

    async def resume(self, cursor: int) -> None:
        """Say how far the engine's inputs have come, after each (re)connect.

        A venue that is ahead, because the engine died after the venue had committed,
        hides what happened after ``cursor`` until `advance` comes there again.
        """

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Take the market data of ``step`` and return what it brought about.

        Advancing again to a cursor that was passed returns the same events again, so
        that an engine that died before it recorded them is told once more.
        """


class VenueAtOnce(ReplayedVenue, Protocol):
    """A venue that `answers_at_once`: what is asked of it most often is a call, too."""

    @property
    def submit_now(self) -> Callable[[VenueOrder], Sequence[VenueEvent]]:
        """What does as `submit`, without a coroutine."""


def is_at_once(venue: ReplayedVenue) -> TypeGuard[VenueAtOnce]:
    """Tell whether no request to ``venue`` ever waits."""
    return venue.answers_at_once


__all__ = [
    "AccountSource",
    "Acked",
    "AsyncioHost",
    "Balances",
    "Busted",
    "Corrected",
    "DeadMansSwitch",
    "Ended",
    "EventHost",
    "Events",
    "Executed",
    "Executions",
    "Found",
    "JournalStore",
    "MarketSource",
    "NotFound",
    "OpenOrders",
    "OrderKinds",
    "Positions",
    "Replaced",
    "ReplayedVenue",
    "Tape",
    "TapeStore",
    "ThreadHost",
    "Venue",
    "VenueAtOnce",
    "VenueBalance",
    "VenueEvent",
    "VenueOrder",
    "VenuePosition",
    "VenuePromises",
    "WallClock",
    "is_at_once",
]
