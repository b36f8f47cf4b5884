"""A session on a line to a venue that answers as it is told, called directly."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator, Sequence
from typing import Any, TypeVar

import attrs
import pytest

from holdfast_actors.clock import (
    HaltGate,
    MarketClock,
    OrdersMark,
    VenueInterest,
    VenueReach,
    VenueSilence,
)
from holdfast_actors.lastgate import LastGate
from holdfast_actors.messages import Advance
from holdfast_actors.requests import Asked, Evidence, How, Submit
from holdfast_actors.session import Session
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Balances,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    VenueEvent,
    VenueOrder,
    VenuePromises,
)

from .desk import T0_US, Inbox, Timers, story, terms

T = TypeVar("T")
NOW = cursor_at(4, SLICE_SLOT)
PROVES_AT_ONCE = VenuePromises(proves_absence=True, processing_bound_s=0.0)


@attrs.define
class ScriptedVenue:
    """A venue that answers as it is told, and keeps what it was asked."""

    name: str = "paper"
    wants_data: bool = True
    answers_at_once: bool = True
    promises: VenuePromises = PROVES_AT_ONCE
    asked: list[tuple[Any, ...]] = attrs.field(factory=list)
    error: Exception | None = None
    answer: Sequence[VenueEvent] | None = ()
    said: dict[int, list[VenueEvent]] = attrs.field(factory=dict)

    def _answer(self, *asked: object) -> Any:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return self.answer

    async def connect(self) -> None:
        self.asked.append(("connect",))

    async def close(self) -> None:
        self.asked.append(("close",))

    async def resume(self, cursor: int) -> None:
        self.asked.append(("resume", cursor))

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        return self.submit_now(order)

    def submit_now(self, order: VenueOrder) -> Sequence[VenueEvent]:
        return self._answer("submit", order.order_id)  # type: ignore[no-any-return]

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        ids = [each.order_id for each in orders]
        return self._answer("submit_list", ids)  # type: ignore[no-any-return]

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        return self._answer("cancel", order_id)  # type: ignore[no-any-return]

    async def replace(self, order_id: str, new: OrderTerms) -> Sequence[VenueEvent]:
        return self._answer("replace", order_id, new)  # type: ignore[no-any-return]

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        del meant_us
        answer = self._answer("lookup", order_id)
        return NotFound() if answer is None else story(*answer)

    async def executions_since(self, watermark: str) -> Executions:
        events = self._answer("since", watermark)
        return Executions(events=events, watermark="W")

    async def open_orders(self) -> OpenOrders:
        self._answer("open_orders")
        return OpenOrders(orders=())

    async def positions(self) -> Positions:
        self._answer("positions")
        return Positions(positions=())

    async def balances(self) -> Balances:
        self._answer("balances")
        return Balances(balances=())

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        self.asked.append(("advance", cursor, step))
        return self.said.get(cursor, [])


def now(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@types.coroutine
def waits_once() -> Generator[None, None, None]:
    """Wait for something, as a request over a wire does."""
    yield


async def never_cut(delay_s: float, request: Coroutine[Any, Any, T], /) -> T:
    """Wait for as long as it takes."""
    del delay_s
    return await request


class Line:
    """A session with its venue, and what `orders` hears of it."""

    def __init__(
        self,
        *,
        up: bool = True,
        venue: ScriptedVenue | None = None,
        replays: bool = True,
    ) -> None:
        self.venue = ScriptedVenue() if venue is None else venue
        self.orders = Inbox()
        self.clock = MarketClock(T0_US, NOW)
        self.gate = HaltGate()
        self.mark = OrdersMark()
        self.mark.incarnation = 1
        self.interest = VenueInterest(["paper"])
        self.silence = VenueSilence()
        self.timers = Timers()
        self.now_s = 5.0
        self.fence = ""
        """Why nothing may be sent any more."""

        self.fenced: list[str] = []
        self.calls: list[str] = []
        self.reach = VenueReach()
        self.incarnation = 3
        self.replays = replays
        self.session = self._built()
        if up:
            now(self.session.start())
            now(self.session.handle(Advance(cursor_at(4, ADVANCE_SLOT), 4, T0_US)))
            self.orders.take()
            self.venue.asked.clear()

    def restart(self) -> None:
        """Let the session die, and the next one start."""
        self.incarnation += 1
        self.timers.set.clear()
        self.session = self._built()
        now(self.session.start())

    def _built(self) -> Session:
        return Session(
            venue=self.venue,
            orders=self.orders.ref,
            clock=self.clock,
            gate=LastGate(
                self.gate,
                self.mark,
                self.clock,
                lambda: self.fence,
                None if self.replays else lambda: self.clock.now_us,
            ),
            interest=self.interest,
            silence=self.silence,
            within=never_cut,
            sleep=self.sleep,
            after=self.timers.after,
            at_once=lambda message: self.timers.set.append((0, message)),
            now_s=lambda: self.now_s,
            incarnation=self.incarnation,
            stand_back=self.fenced.append,
            call=self.calls.append,
            replays=self.replays,
            reach=self.reach,
        )

    async def sleep(self, delay_s: float) -> None:
        """Let time pass."""
        self.now_s += delay_s

    def ask(self, message: Any) -> list[Any]:
        """Let the session handle a request; return what `orders` is told."""
        now(self.session.handle(message))
        return self.orders.take()


def submit(
    *,
    orders: int = 1,
    session: int = 3,
    generation: int = 0,
    valid_until_us: int = T0_US,
) -> Submit:
    order = VenueOrder(order_id="a", terms=terms(1), placed_at_us=T0_US)
    return Submit(order, orders, session, generation, valid_until_us)


def evidence(asked: Asked, how: How, *events: VenueEvent, **more: Any) -> Evidence:
    order_id = "" if asked is Asked.STREAM else "a"
    return Evidence("paper", asked, order_id, how, events, **more)
