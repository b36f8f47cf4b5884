"""A venue's session: the only actor that talks to the venue.

It is a doer: it holds nothing that a restart would lose. Whatever requests were in its
hands when it died are in doubt, and `orders` looks them up. A venue that does not
answer is cut: the deadline is the session's, and by the engine's clock.

Requests to a venue that waits go on beside each other, but for those about one order,
which follow each other. Data of a replay, and a new connection, wait until none is
under way.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias, TypeVar

from holdfast_actors.carrying import Requests
from holdfast_actors.clock import MarketClock, VenueInterest, VenueReach, VenueSilence
from holdfast_actors.connection import Connection, Deadlines, Within
from holdfast_actors.lanes import Lanes, Sides
from holdfast_actors.lastgate import LastGate
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    ConnectAgain,
    Greet,
    How,
    Replace,
    Request,
    Submit,
)
from holdfast_actors.telling import Telling
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at, slot_of, step_of
from holdfast_domain.errors import (
    DomainError,
    Fenced,
    VenueError,
    VenueRefused,
)
from holdfast_domain.ports import ReplayedVenue, VenueEvent
from holdfast_runtime import Ref

SessionMessage: TypeAlias = Advance | Greet | ConnectAgain | Request
"""What a session takes."""

Work: TypeAlias = Coroutine[Any, Any, None] | None
"""What is left to do, for whoever awaits it; None if that is nothing."""

M = TypeVar("M")
AGES_S = 1e9
"""Longer than any engine runs."""

_FIRST_DATA = cursor_at(0, ADVANCE_SLOT)
_ENDED = object()


class Session:
    """Carries requests to one venue, and says truthfully how each of them ended."""

    def __init__(
        self,
        *,
        venue: ReplayedVenue,
        orders: Ref[Any],
        reconciler: Ref[Any] | None = None,
        clock: MarketClock,
        gate: LastGate,
        interest: VenueInterest,
        silence: VenueSilence,
        within: Within,
        sleep: Callable[[float], Coroutine[Any, Any, None]],
        after: Callable[[float, object], object],
        at_once: Callable[[object], None],
        now_s: Callable[[], float],
        incarnation: int,
        sides: Sides | None = None,
        deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
        stand_back: Callable[[str], None] = lambda _why: None,
        call: Callable[[str], None] = lambda _text: None,
        replays: bool = True,
        reach: VenueReach | None = None,
    ) -> None:
        """Cut requests by ``within``, unless the venue answers at once.

        A venue that does not live in replayed time has its market data itself, so none
        is given to it unless it ``replays``.

        ``after`` tells the session itself something later, ``at_once`` now. Requests
        run beside each other in ``sides``; without it, one after the other.
        ``stand_back`` is called when a newer engine trades the account, ``call`` when
        the venue cannot be reached: at once, and not when the handler returns.
        """
        self._venue = venue
        self._clock = clock
        self._gate = gate
        self._interest = interest
        self._silence = silence
        self._now_s = now_s
        self._at_once = at_once
        self._incarnation = incarnation
        self._deadlines = deadlines
        self._sleep = sleep
        self._stand_back = stand_back
        self._replays = replays
        self._fenced = ""
        """Why nothing may be asked of the venue any more, ever."""

        self._reach = VenueReach() if reach is None else reach
        self._line = Connection(
            venue=venue,
            clock=clock,
            silence=silence,
            within=within,
            sleep=sleep,
            after=after,
            at_once=at_once,
            now_s=now_s,
            incarnation=incarnation,
            deadlines=deadlines,
            call=call,
            in_step=replays,
            reach=self._reach,
        )
        silent_s = self._line.silent_s
        self._say = Telling(orders, reconciler, venue.name, silent_s, replays)
        self._requests = Requests(venue, gate, self._line, self._say, deadlines, now_s)
        self._lanes = None if sides is None else Lanes(sides, self._carry)
        self._add = self._try if self._lanes is None else self._lanes.add
        self._next_data = _FIRST_DATA
        """From this cursor on the venue ought to have data that this session has not
        given it yet."""

        self._wanted: bool | None = None
        """Whether the venue wants data, as far as this session has said so."""

    async def start(self) -> None:
        """Connect, and say so; what the session before had taken is in doubt.

        Where nobody listens yet, or the venue wants to hear nothing, it is tried again
        for ever.
        """
        self._line.begin()
        work = self._begin(None, lambda _: self._is_connected())
        if work is not None:
            await work

    async def stop(self) -> None:
        """Close the connection."""
        await self._line.close()

    async def handle(self, message: SessionMessage) -> None:
        """Take one message, unless a newer engine has taken the account over."""
        work = self._begin(message, self._dispatch)
        if work is not None:
            await work

    def handle_at_once(self, message: SessionMessage) -> None:
        """Handle a message where the venue never waits.

        Raises:
            DomainError: the venue did wait.
        """
        work = self._begin(message, self._dispatch)
        # `send` would tell its end by an exception, which takes twice as long.
        if work is None or next(work.__await__(), _ENDED) is _ENDED:
            return
        work.close()
        text = f"{self._venue.name}: expected an answer at once to {message!r}"
        raise DomainError(text)

    def _dispatch(self, message: SessionMessage) -> Work:
        """Return what one message asks for: the session itself, or else the venue."""
        if type(message) is not Submit:  # the commonest, before a pattern is tried
            match message:
                case Advance():
                    return self._advance(message.cursor, message.step)
                case Greet():
                    return self._greet()
                case ConnectAgain():
                    return self._connect_again(message)
                case _:
                    """A request."""
        if self._line.is_lost or self._clock.cursor >= self._next_data:
            return self._prepare(message)
        add = self._add  # beside what is under way for other orders
        return add(message)

    # --- the fence -----------------------------------------------------------

    def _begin(
        self, message: M, do: Callable[[M], Coroutine[Any, Any, object] | None]
    ) -> Work:
        """Do what waits for nothing, unless fenced off; return what does wait."""
        if self._fenced:
            return self._decline(message)
        try:
            work = do(message)
        except Fenced as error:
            work = self._fence_off(message, error)
        if work is not None:
            return self._finish(message, work)
        self._say_interest()
        return None

    async def _finish(self, message: object, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Fenced as error:
            declined = self._fence_off(message, error)
            if declined is not None:
                await declined
        self._say_interest()

    def _fence_off(self, message: object, error: Fenced) -> Work:
        self._fenced = f"fenced off: {error}"
        self._stand_back(self._fenced)
        return self._decline(message)

    def _decline(self, message: object) -> Work:
        """Say that nothing was done; and let market time stand still, if it can."""
        if isinstance(message, Submit | Replace):
            self._say.put_off(message, self._fenced, 0.0)
        elif isinstance(message, Advance) and not self._venue.answers_at_once:
            return self._sleep(AGES_S)
        return None

    def _say_interest(self) -> None:
        """Say whether the venue wants data, where that has changed."""
        wanted = self._venue.wants_data
        if wanted is not self._wanted:
            self._wanted = wanted
            self._interest.say(self._venue.name, wanted=wanted)

    # --- the connection ------------------------------------------------------

    async def _is_connected(self) -> bool:
        """Connect if need be: what was under way is in doubt then."""
        if not self._line.is_lost:
            return True
        if not self._line.is_due():
            return False
        lanes = self._lanes
        under_way, waited = ([], []) if lanes is None else await lanes.cut()
        why = f"{self._venue.name}: the connection is made anew"
        for message in under_way:
            self._say.fail(message, How.UNKNOWN, f"{why}, and this was cut")
        for message in waited:
            self._say.put_off(message, why, 0.0)
        if not await self._line.connect():
            return False
        self._say.up(self._line.number, self._venue.promises)
        is_next = self._replays and self._line.number == self._incarnation > 1
        if is_next and self._reach.failed_step != self._step():
            # The answer to a greeting may have died with the session before. By a
            # message: it comes before what is asked of this one, and nobody waits.
            self._at_once(Greet())
        return True

    async def _connect_again(self, message: ConnectAgain) -> None:
        if message.session == self._incarnation:
            await self._line.keep_step()
            await self._is_connected()

    async def _greet(self) -> None:
        if not await self._is_connected():
            # Before anything else it wants to know of executions: not for now.
            self._away(AskGap(""))
            return
        self._say.up(self._line.number, self._venue.promises)
        # What the step brought about may have been lost with what was told.
        if self._replays and self._clock.cursor >= _FIRST_DATA:
            await self._catch_up()

    # --- market data ---------------------------------------------------------

    def _step(self) -> int:
        """Return the last step whose data the venue ought to have."""
        cursor = self._clock.cursor
        return step_of(cursor) - (slot_of(cursor) < ADVANCE_SLOT)

    async def _catch_up(self) -> None:
        """Give the venue the data that it ought to have; it may not have wanted it."""
        step = self._step()
        await self._advance(cursor_at(step, ADVANCE_SLOT), step)

    async def _advance(self, cursor: int, step: int) -> None:
        """Give the venue its data, over as many connections as that takes.

        Raises:
            VenueRefused: the venue does not take it.
        """
        if self._lanes is not None:
            await self._lanes.empty()
        try:
            events = await self._try_to_advance(cursor, step)
            while events is None:
                await self._line.pause()
                events = await self._try_to_advance(cursor, step)
        except Exception:
            self._reach.failed_step = step
            raise
        self._next_data = cursor_at(step + 1, ADVANCE_SLOT)
        if events:
            self._say.ended(Asked.STREAM, "", How.ANSWERED, tuple(events))

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

    async def _prepare(self, message: Request) -> None:
        """Have it done, after what must come before it."""
        is_there = await self._is_connected()
        is_behind = self._replays and self._clock.cursor >= self._next_data
        if is_there and is_behind and type(message) is Submit:
            await self._catch_up()
        work = self._add(message)
        if work is not None:
            await work

    async def _carry(self, message: Request) -> None:
        work = self._begin(message, self._try)
        if work is not None:
            await work

    def _try(self, message: Request) -> Work:
        """Return what does as asked, unless it must not leave now.

        The venue is not there, or wants to hear nothing, or something comes before it.
        """
        line = self._line
        if self._silence.was_wanted and (
            wait_s := line.silent_s(cancel=type(message) is Cancel)
        ):
            why = f"{self._venue.name}: it wants to hear nothing"
            self._say.put_off(message, why, wait_s)
        elif line.is_lost:
            self._away(message)
        elif type(message) is Submit:
            return self._requests.submit(message)
        elif stale := self._gate.out_of_turn(message, line.number):
            self._say.put_off(message, stale, 0.0)
        else:
            return self._requests.ask(message)
        return None

    def _away(self, message: Request) -> None:
        """Say that a request did not leave, for the venue cannot be reached."""
        why = f"{self._venue.name}: there is no connection"
        self._say.put_off(message, why, self._line.away_s())
