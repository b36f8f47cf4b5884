"""A venue's session: the only actor that talks to the venue, one request at a time.

It is a doer: it holds nothing that a restart would lose. Whatever request was in its
hands when it died is in doubt, and `orders` looks it up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeAlias, assert_never

from holdfast_actors.clock import HaltGate, MarketClock, VenueInterest
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    Evidence,
    Greet,
    How,
    LookUp,
    Replace,
    SessionUp,
    Submit,
)
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at, slot_of, step_of
from holdfast_domain.errors import DomainError, NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.ports import NotFound, ReplayedVenue, VenueEvent
from holdfast_runtime import Ref

SessionMessage: TypeAlias = (
    Advance | Submit | Cancel | Replace | LookUp | AskGap | Greet
)
"""What a session takes."""


class Session:
    """Carries requests to one venue, and says truthfully how each of them ended."""

    def __init__(
        self,
        *,
        venue: ReplayedVenue,
        orders: Ref[Any],
        clock: MarketClock,
        gate: HaltGate,
        interest: VenueInterest,
        incarnation: int,
    ) -> None:
        self._venue = venue
        self._orders = orders
        self._clock = clock
        self._gate = gate
        self._interest = interest
        self._incarnation = incarnation
        self._step = -1
        """The last step of which this session gave the venue its data."""

    async def start(self) -> None:
        """Connect, and say so; what the session before had taken is in doubt."""
        await self._venue.connect()
        await self._venue.resume(self._clock.cursor)
        self._interest.wanted = self._venue.wants_data
        self._say_up()

    async def stop(self) -> None:
        """Close the connection."""
        await self._venue.close()

    async def handle(self, message: SessionMessage) -> None:
        """Dispatch one message; every kind is named here."""
        match message:
            case Advance():
                await self._advance(message.cursor, message.step)
            case Submit():
                await self._submit(message)
            case Cancel(order_id):
                await self._ask(Asked.CANCEL, order_id, self._venue.cancel(order_id))
            case Replace():
                await self._replace(message)
            case LookUp(order_id):
                await self._look_up(order_id)
            case AskGap(watermark):
                found = await self._venue.executions_since(watermark)
                if found.events:
                    self._stream(found.events)
            case Greet():
                self._say_up()
                # What the step brought about may have been lost with what was told.
                if self._clock.cursor >= cursor_at(0, ADVANCE_SLOT):
                    step = self._due()
                    await self._advance(cursor_at(step, ADVANCE_SLOT), step)
            case _:
                assert_never(message)
        self._interest.wanted = self._venue.wants_data

    def handle_at_once(self, message: SessionMessage) -> None:
        """Handle a message where the venue never waits.

        Raises:
            DomainError: the venue did wait.
        """
        coroutine = self.handle(message)
        try:
            coroutine.send(None)
        except StopIteration:
            return
        coroutine.close()
        text = f"{self._venue.name}: expected an answer at once to {message!r}"
        raise DomainError(text)

    def _say_up(self) -> None:
        self._orders.tell(SessionUp(self._venue.name, self._incarnation))

    def _stream(self, events: Sequence[VenueEvent]) -> None:
        self._tell(Asked.STREAM, "", How.ANSWERED, events=tuple(events))

    async def _submit(self, message: Submit) -> None:
        order = message.order
        step = self._due()
        if step > self._step:
            await self._advance(cursor_at(step, ADVANCE_SLOT), step)
        stale = self._stale(message)
        # The last gate: nothing may come between the look at it and the send.
        if stale:
            self._tell(Asked.SUBMIT, order.order_id, How.NOT_SENT, reason=stale)
        else:
            await self._ask(Asked.SUBMIT, order.order_id, self._venue.submit(order))

    async def _replace(self, message: Replace) -> None:
        if self._gate.halted:
            # New terms may cost more: they pass the same gate as a new order.
            self._tell(Asked.REPLACE, message.order_id, How.NOT_SENT, reason="halted")
            return
        request = self._venue.replace(message.order_id, message.terms)
        await self._ask(Asked.REPLACE, message.order_id, request)

    def _due(self) -> int:
        """Return the step whose data the venue ought to have; it may not want it."""
        cursor = self._clock.cursor
        return step_of(cursor) - (slot_of(cursor) < ADVANCE_SLOT)

    async def _advance(self, cursor: int, step: int) -> None:
        events = await self._venue.advance(cursor, step)
        self._step = step
        if events:
            self._stream(events)

    def _stale(self, message: Submit) -> str:
        if message.session != self._incarnation:
            return "meant for a session that is gone"
        if self._gate.halted or message.generation != self._gate.generation:
            return "halted"
        if self._clock.now_us > message.valid_until_us:
            return "its time to be sent has passed"
        return ""

    async def _look_up(self, order_id: str) -> None:
        try:
            found = await self._venue.lookup(order_id)
        except (NotSent, OutcomeUnknown) as error:
            self._tell(Asked.LOOKUP, order_id, How.UNKNOWN, reason=str(error))
            return
        if isinstance(found, NotFound):
            self._tell(Asked.LOOKUP, order_id, How.ABSENT, reason=found.reason)
        else:
            events = tuple(found.events)
            self._tell(Asked.LOOKUP, order_id, How.ANSWERED, events=events)

    async def _ask(
        self, asked: Asked, order_id: str, request: Awaitable[Sequence[VenueEvent]]
    ) -> None:
        try:
            events = await request
        except VenueRefused as error:
            self._tell(
                asked, order_id, How.REFUSED, reason=error.reason, code=error.code
            )
        except NotSent as error:
            self._tell(asked, order_id, How.NOT_SENT, reason=str(error))
        except OutcomeUnknown as error:
            self._tell(asked, order_id, How.UNKNOWN, reason=str(error))
        else:
            self._tell(asked, order_id, How.ANSWERED, events=tuple(events))

    def _tell(
        self,
        asked: Asked,
        order_id: str,
        how: How,
        events: tuple[VenueEvent, ...] = (),
        reason: str = "",
        code: str = "",
    ) -> None:
        self._orders.tell(
            Evidence(self._venue.name, asked, order_id, how, events, reason, code)
        )


class SessionAtOnce:
    """The session of a venue that answers at once: nobody waits, so it is synchronous.

    A request is then a call, and not a task of its own.
    """

    def __init__(self, session: Session) -> None:
        self.handle = session.handle_at_once
        self.start = session.start
        self.stop = session.stop
