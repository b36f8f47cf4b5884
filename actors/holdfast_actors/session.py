"""A venue's session: the only actor that talks to the venue, one request at a time.

It is a doer: it holds nothing that a restart would lose. Whatever request was in its
hands when it died is in doubt, and `orders` looks it up. A venue that does not answer
is cut: the deadline is the session's, and by the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, assert_never

import attrs

from holdfast_actors.clock import HaltGate, MarketClock, OrdersMark, VenueInterest
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    GATES,
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
from holdfast_domain.errors import (
    DomainError,
    NotSent,
    OutcomeUnknown,
    VenueError,
    VenueRefused,
)
from holdfast_domain.ports import Found, NotFound, ReplayedVenue, VenueEvent
from holdfast_runtime import Ref

T = TypeVar("T")
RECONNECTED = 1 << 32
"""What a reconnect adds to a session's number: above all incarnations."""


class Within(Protocol):
    """Cuts a request by the engine's clock, with a `TimeoutError`: `Context.within`."""

    def __call__(
        self, delay_s: float, request: Coroutine[Any, Any, T], /
    ) -> Coroutine[Any, Any, T]:
        """Return what ``request`` returns."""


SessionMessage: TypeAlias = (
    Advance | Submit | Cancel | Replace | LookUp | AskGap | Greet
)
"""What a session takes."""


@attrs.frozen(kw_only=True)
class Deadlines:
    """How long a venue may take, in seconds of the engine's clock."""

    command_s: float = 30.0
    """A submit, a cancel, new terms; then its outcome is unknown."""

    query_s: float = 10.0
    """Everything else; then it is asked again."""


class Session:
    """Carries requests to one venue, and says truthfully how each of them ended."""

    def __init__(
        self,
        *,
        venue: ReplayedVenue,
        orders: Ref[Any],
        clock: MarketClock,
        gate: HaltGate,
        mark: OrdersMark,
        interest: VenueInterest,
        within: Within,
        now_s: Callable[[], float],
        incarnation: int,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        """Cut requests by ``within``, unless the venue answers at once."""
        self._venue = venue
        self._orders = orders
        self._clock = clock
        self._gate = gate
        self._mark = mark
        self._interest = interest
        self._within = within
        self._waits = not venue.answers_at_once
        self._now_s = now_s
        self._incarnation = self._number = incarnation
        """The number says how often it was connected, too: marks name it."""

        self._deadlines = deadlines
        self._lost = False
        """Whether the connection may be gone: a request was cut, or could not leave."""

        self._step = -1
        """The last step of which this session gave the venue its data."""

    async def start(self) -> None:
        """Connect, and say so; what the session before had taken is in doubt."""
        await self._connect()
        self._interest.say(self._venue.name, wanted=self._venue.wants_data)
        self._say_up()

    async def _connect(self) -> None:
        limit_s = self._deadlines.query_s
        await self._limited(limit_s, self._venue.connect())
        await self._limited(limit_s, self._venue.resume(self._clock.cursor))
        self._lost = False

    async def _connect_again(self) -> None:
        """Connect anew: what was under way is in doubt, and gaps are asked for."""
        try:
            await self._connect()
        except VenueError:
            return
        self._number += RECONNECTED
        self._say_up()

    async def stop(self) -> None:
        """Close the connection."""
        await self._limited(self._deadlines.query_s, self._venue.close())

    async def handle(self, message: SessionMessage) -> None:
        """Dispatch one message; every kind is named here."""
        if self._lost:
            await self._connect_again()
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
                await self._ask_gap(watermark)
            case Greet():
                self._say_up()
                # What the step brought about may have been lost with what was told.
                if self._clock.cursor >= cursor_at(0, ADVANCE_SLOT):
                    step = self._due()
                    await self._advance(cursor_at(step, ADVANCE_SLOT), step)
            case _:
                assert_never(message)
        self._interest.say(self._venue.name, wanted=self._venue.wants_data)

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
        self._orders.tell(
            SessionUp(self._venue.name, self._number, self._venue.promises)
        )

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
        advance = self._venue.advance(cursor, step)
        if self._waits:
            events = await self._limited(self._deadlines.command_s, advance)
        else:
            events = await advance
        self._step = step
        if events:
            self._stream(events)

    def _stale(self, message: Submit) -> str:
        if message.session != self._number:
            return GATES[0]
        if message.orders != self._mark.incarnation:
            return GATES[1]
        if self._gate.halted or message.generation != self._gate.generation:
            return "halted"
        if self._clock.now_us > message.valid_until_us:
            return "its time to be sent has passed"
        return ""

    async def _look_up(self, order_id: str) -> None:
        asked_s = self._now_s()
        how, story, reason = How.UNKNOWN, None, ""
        try:
            request = self._venue.lookup(order_id)
            found = await self._limited(self._deadlines.query_s, request)
        except VenueError as error:
            # Nothing is known by it, whatever kind of failure it was.
            reason = str(error)
        else:
            if isinstance(found, NotFound):
                how, reason = How.ABSENT, found.reason
            else:
                how, story = How.ANSWERED, found
        events = () if story is None else tuple(story.events)
        self._tell(
            Asked.LOOKUP,
            order_id,
            how,
            events,
            reason=reason,
            asked_s=asked_s,
            story=story,
        )

    async def _ask_gap(self, watermark: str) -> None:
        try:
            request = self._venue.executions_since(watermark)
            found = await self._limited(self._deadlines.query_s, request)
        except VenueRefused as error:
            self._tell(Asked.GAP, "", How.REFUSED, reason=error.reason)
        except VenueError as error:
            self._tell(Asked.GAP, "", How.UNKNOWN, reason=str(error))
        else:
            events, after = tuple(found.events), found.watermark
            self._tell(Asked.GAP, "", How.ANSWERED, events, watermark=after)

    async def _ask(
        self,
        asked: Asked,
        order_id: str,
        request: Coroutine[Any, Any, Sequence[VenueEvent]],
    ) -> None:
        try:
            if self._waits:
                events = await self._limited(self._deadlines.command_s, request)
            else:
                events = await request
        except VenueRefused as error:
            self._tell(
                asked, order_id, How.REFUSED, reason=error.reason, code=error.code
            )
        except NotSent as error:
            self._lost = True
            self._tell(asked, order_id, How.NOT_SENT, reason=str(error))
        except OutcomeUnknown as error:
            self._tell(asked, order_id, How.UNKNOWN, reason=str(error))
        else:
            self._tell(asked, order_id, How.ANSWERED, tuple(events))

    async def _limited(self, limit_s: float, request: Coroutine[Any, Any, T]) -> T:
        """Return what ``request`` returns; what takes longer is cut.

        Raises:
            OutcomeUnknown: it was cut; what became of it is not known.
        """
        if not self._waits:
            return await request
        try:
            return await self._within(limit_s, request)
        except TimeoutError as error:
            self._lost = True
            message = f"{self._venue.name}: no answer within {limit_s:g} s"
            raise OutcomeUnknown(message) from error

    def _tell(
        self,
        asked: Asked,
        order_id: str,
        how: How,
        events: tuple[VenueEvent, ...] = (),
        *,
        reason: str = "",
        code: str = "",
        asked_s: float = 0.0,
        story: Found | None = None,
        watermark: str = "",
    ) -> None:
        self._orders.tell(
            Evidence(
                self._venue.name,
                asked,
                order_id,
                how,
                events,
                reason,
                code,
                asked_s,
                story,
                watermark,
            )
        )


class SessionAtOnce:
    """The session of a venue that answers at once: nobody waits, so it is synchronous.

    A request is then a call, and not a task of its own.
    """

    def __init__(self, session: Session) -> None:
        self.handle = session.handle_at_once
        self.start = session.start
        self.stop = session.stop
