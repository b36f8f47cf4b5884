"""A venue's session: the only actor that talks to the venue, one request at a time.

It is a doer: it holds nothing that a restart would lose. Whatever request was in its
hands when it died is in doubt, and `orders` looks it up. A venue that does not answer
is cut: the deadline is the session's, and by the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias, assert_never

from holdfast_actors.clock import MarketClock, VenueInterest, VenueSilence
from holdfast_actors.connection import Connection, Deadlines, Within
from holdfast_actors.lastgate import LastGate
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    ConnectAgain,
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
    Fenced,
    NotSent,
    OutcomeUnknown,
    VenueError,
    VenueRefused,
)
from holdfast_domain.ports import Found, NotFound, ReplayedVenue, VenueEvent
from holdfast_runtime import Ref

Request: TypeAlias = Submit | Cancel | Replace | LookUp | AskGap
"""What is asked of the venue."""

SessionMessage: TypeAlias = Advance | Greet | ConnectAgain | Request
"""What a session takes."""

AGES_S = 1e9
"""Longer than any engine runs."""

_ASKED = {
    Submit: Asked.SUBMIT,
    Cancel: Asked.CANCEL,
    Replace: Asked.REPLACE,
    LookUp: Asked.LOOKUP,
    AskGap: Asked.GAP,
}


class Session:
    """Carries requests to one venue, and says truthfully how each of them ended."""

    def __init__(
        self,
        *,
        venue: ReplayedVenue,
        orders: Ref[Any],
        clock: MarketClock,
        gate: LastGate,
        interest: VenueInterest,
        silence: VenueSilence,
        within: Within,
        sleep: Callable[[float], Coroutine[Any, Any, None]],
        after: Callable[[float, object], object],
        now_s: Callable[[], float],
        incarnation: int,
        deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
        stand_back: Callable[[str], None] = lambda _why: None,
        call: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Cut requests by ``within``, unless the venue answers at once.

        ``stand_back`` is called when a newer engine trades the account, ``call`` when
        the venue cannot be reached: at once, and not when the handler returns.
        """
        self._venue = venue
        self._orders = orders
        self._clock = clock
        self._gate = gate
        self._interest = interest
        self._now_s = now_s
        self._incarnation = incarnation
        self._deadlines = deadlines
        self._sleep = sleep
        self._stand_back = stand_back
        self._fenced = ""
        """Why nothing may be asked of the venue any more, ever."""

        self._line = Connection(
            venue=venue,
            clock=clock,
            silence=silence,
            within=within,
            sleep=sleep,
            after=after,
            now_s=now_s,
            incarnation=incarnation,
            deadlines=deadlines,
            call=call,
        )
        self._step = -1
        """The last step of which this session gave the venue its data."""

    async def start(self) -> None:
        """Connect, and say so; what the session before had taken is in doubt.

        Where nobody listens yet, it is tried again for ever.
        """
        await self._unless_fenced(self._is_connected())

    async def stop(self) -> None:
        """Close the connection."""
        await self._line.close()

    async def handle(self, message: SessionMessage) -> None:
        """Take one message, unless a newer engine has taken the account over."""
        if not self._fenced:
            await self._unless_fenced(self._dispatch(message))
        if self._fenced:
            await self._decline(message)

    async def _dispatch(self, message: SessionMessage) -> None:
        """Dispatch one message; every kind is named here."""
        match message:
            case Advance():
                await self._advance(message.cursor, message.step)
            case Greet():
                await self._greet()
            case ConnectAgain():
                if message.session == self._incarnation:
                    await self._is_connected()
            case _:
                await self._request(message)

    async def _unless_fenced(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Fenced as error:
            self._fenced = f"fenced off: {error}"
            self._stand_back(self._fenced)
        self._interest.say(self._venue.name, wanted=self._venue.wants_data)

    async def _decline(self, message: SessionMessage) -> None:
        """Say that nothing was done; and let market time stand still, if it can."""
        if isinstance(message, Submit | Replace):
            self._put_off(message, self._fenced, 0.0)
        elif isinstance(message, Advance) and not self._venue.answers_at_once:
            await self._sleep(AGES_S)

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

    # --- the connection ------------------------------------------------------

    async def _is_connected(self) -> bool:
        """Connect if need be: what was under way is in doubt then."""
        if not self._line.is_lost:
            return True
        if not await self._line.connect():
            return False
        self._say_up()
        return True

    def _say_up(self) -> None:
        self._orders.tell(
            SessionUp(self._venue.name, self._line.number, self._venue.promises)
        )

    async def _greet(self) -> None:
        if not await self._is_connected():
            return
        self._say_up()
        # What the step brought about may have been lost with what was told.
        if self._clock.cursor >= cursor_at(0, ADVANCE_SLOT):
            step = self._due()
            await self._advance(cursor_at(step, ADVANCE_SLOT), step)

    # --- market data ---------------------------------------------------------

    def _due(self) -> int:
        """Return the step whose data the venue ought to have; it may not want it."""
        cursor = self._clock.cursor
        return step_of(cursor) - (slot_of(cursor) < ADVANCE_SLOT)

    async def _advance(self, cursor: int, step: int) -> None:
        """Give the venue its data, over as many connections as that takes.

        Raises:
            VenueRefused: the venue does not take it.
        """
        events = await self._try_to_advance(cursor, step)
        while events is None:
            await self._line.pause()
            events = await self._try_to_advance(cursor, step)
        self._step = step
        if events:
            self._tell(Asked.STREAM, "", How.ANSWERED, tuple(events))

    async def _try_to_advance(
        self, cursor: int, step: int
    ) -> Sequence[VenueEvent] | None:
        if not await self._is_connected():
            return None
        limit_s, advance = self._deadlines.command_s, self._venue.advance(cursor, step)
        try:
            return await self._line.limited(limit_s, advance)
        except VenueRefused:
            raise
        except VenueError:
            if not self._line.is_lost:
                self._line.lose()
            return None

    # --- requests ------------------------------------------------------------

    async def _request(self, message: Request) -> None:
        """Do as asked, unless the venue is not there or wants to hear nothing."""
        wait_s = self._line.silent_s(cancel=isinstance(message, Cancel))
        why = "it wants to hear nothing"
        if not wait_s and not await self._is_connected():
            wait_s, why = self._line.away_s(), "there is no connection"
        if wait_s:
            self._put_off(message, f"{self._venue.name}: {why}", wait_s)
            return
        match message:
            case Submit():
                await self._submit(message)
            case Cancel(order_id):
                request = self._venue.cancel(order_id)
                await self._ask(Asked.CANCEL, order_id, request)
            case Replace():
                await self._replace(message)
            case LookUp(order_id):
                await self._look_up(order_id)
            case AskGap(watermark):
                await self._ask_gap(watermark)
            case _:
                assert_never(message)

    def _put_off(self, message: Request, reason: str, wait_s: float) -> None:
        asked, order_id = _ASKED[type(message)], ""
        if isinstance(message, Submit):
            order_id = message.order.order_id
        elif not isinstance(message, AskGap):
            order_id = message.order_id
        asks = asked in (Asked.LOOKUP, Asked.GAP)
        how = How.UNKNOWN if asks else How.NOT_SENT
        self._tell(asked, order_id, how, reason=reason, again_s=wait_s)

    async def _submit(self, message: Submit) -> None:
        order = message.order
        step = self._due()
        if step > self._step:
            await self._advance(cursor_at(step, ADVANCE_SLOT), step)
        stale = self._gate.holds_back(message, self._line.number)
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

    async def _look_up(self, order_id: str) -> None:
        asked_s = self._now_s()
        how, story, reason = How.UNKNOWN, None, ""
        try:
            request = self._venue.lookup(order_id)
            found = await self._line.limited(self._deadlines.query_s, request)
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
            found = await self._line.limited(self._deadlines.query_s, request)
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
        limit_s, cancel = self._deadlines.command_s, asked is Asked.CANCEL
        try:
            events = await self._line.limited(limit_s, request, cancel=cancel)
        except VenueRefused as error:
            self._tell(
                asked, order_id, How.REFUSED, reason=error.reason, code=error.code
            )
        except NotSent as error:
            self._tell(asked, order_id, How.NOT_SENT, reason=str(error))
        except OutcomeUnknown as error:
            self._tell(asked, order_id, How.UNKNOWN, reason=str(error))
        else:
            self._tell(asked, order_id, How.ANSWERED, tuple(events))

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
        again_s: float = 0.0,
    ) -> None:
        if how is not How.ANSWERED:
            again_s = again_s or self._line.silent_s()
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
                again_s,
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
