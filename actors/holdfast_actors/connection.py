"""A session's connection to its venue: made, lost and made again, for ever.

A lost connection is no crash. It is tried again at once, and then ever more slowly
until a request has succeeded; and a venue that wants to hear nothing hears nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NoReturn, Protocol, TypeVar

import attrs

from holdfast_actors.clock import MarketClock, VenueReach, VenueSilence
from holdfast_actors.requests import ConnectAgain
from holdfast_domain.errors import (
    Fenced,
    NotSent,
    OutcomeUnknown,
    VenueError,
    VenueRefused,
)
from holdfast_domain.ports import ReplayedVenue

T = TypeVar("T")
A = TypeVar("A")
RECONNECTED = 1 << 32
"""What a reconnect adds to a session's number: above all incarnations."""

MARGIN_S = 0.001
"""How much later than it asked for a venue is asked again."""


class Within(Protocol):
    """Cuts a request by the engine's clock, with a `TimeoutError`: `Context.within`."""

    def __call__(
        self, delay_s: float, request: Coroutine[Any, Any, T], /
    ) -> Coroutine[Any, Any, T]:
        """Return what ``request`` returns."""


@attrs.frozen(kw_only=True)
class Deadlines:
    """How long a venue may take, in seconds of the engine's clock."""

    command_s: float = 30.0
    """A submit, a cancel, new terms; then its outcome is unknown."""

    query_s: float = 10.0
    """Everything else; then it is asked again."""

    first_pause_s: float = 1.0
    """The pause after a connection that broke again; each is twice the one before."""

    limit_pause_s: float = 60.0
    """The longest pause between two connections."""


class Connection:
    """One connection at a time; each has a number, and marks name it."""

    def __init__(
        self,
        *,
        venue: ReplayedVenue,
        clock: MarketClock,
        silence: VenueSilence,
        within: Within,
        sleep: Callable[[float], Coroutine[Any, Any, None]],
        after: Callable[[float, object], object],
        at_once: Callable[[object], None],
        now_s: Callable[[], float],
        incarnation: int,
        deadlines: Deadlines,
        call: Callable[[str], None] = lambda _text: None,
        in_step: bool = False,
        reach: VenueReach | None = None,
    ) -> None:
        """Cut requests by ``within``, unless the venue answers at once.

        ``after`` sets a timer, and ``at_once`` tells the session itself. ``call`` is
        told, once for each loss, that the venue cannot be reached. Market time waits
        for a connection that is ``in_step`` with it: no attempt is a timer then.
        """
        self._venue = venue
        self._clock = clock
        self._silence = silence
        self._within = within
        self._sleep = sleep
        self._after = after
        self._at_once = at_once
        self._now_s = now_s
        self._incarnation = self.number = incarnation
        self.deadlines = deadlines
        self._call = call
        self._called = False
        self._waits = not venue.answers_at_once
        self._in_step = in_step and self._waits
        self.is_lost = True
        self._reach = VenueReach() if reach is None else reach
        self._reach.lose(now_s())
        self._was_there = False
        self._pause_s = 0.0
        """The pause before the next attempt; 0 after a request that succeeded."""

        self._due_s = 0.0
        self._answers = 0
        """How often the venue has answered."""

    def begin(self) -> None:
        """Begin a session's life, which a silence puts off."""
        if self.silent_s():
            self.lose()

    def is_due(self) -> bool:
        """Tell whether it is time for the next attempt."""
        return self._now_s() >= self._due_s

    async def connect(self) -> bool:
        """Connect, if there is no connection and it is time; return whether there is.

        What is under way must have ended: it would leave by a connection that is gone.

        Raises:
            Fenced: a newer engine trades there.
        """
        if self.is_lost and self.is_due():
            try:
                await self._connect()
            except Fenced:
                raise
            except VenueError as error:
                if not self._called:
                    self._called = True
                    self._call(f"{error}; trying again until it does")
        return not self.is_lost

    async def _connect(self) -> None:
        limit_s, pause_s = self.deadlines.query_s, self._pause_s
        try:
            await self.limited(limit_s, self._venue.connect())
            await self.limited(limit_s, self._venue.resume(self._clock.cursor))
        except VenueError:
            self._pause_s = pause_s
            self.lose()
            raise
        self._pause_s = pause_s
        if self._was_there:
            self.number += RECONNECTED
        self.is_lost, self._was_there, self._called = False, True, False
        self._reach.find()

    async def close(self) -> None:
        """Close the connection, if it can be closed."""
        with suppress(VenueError):
            await self.limited(self.deadlines.query_s, self._venue.close())

    def lose(self) -> None:
        """Count the connection as lost; the next attempt is at once, or by a timer."""
        wait_s = max(self._pause_s, self.silent_s())
        self.is_lost, self._due_s = True, self._now_s() + wait_s
        self._reach.lose(self._now_s())
        limits = self.deadlines
        self._pause_s = min(
            max(2 * self._pause_s, limits.first_pause_s), limits.limit_pause_s
        )
        again = ConnectAgain(self._incarnation)
        if wait_s and not self._in_step:
            self._after(wait_s, again)
        else:
            # A message and no timer: market time does not go on before it is read.
            self._at_once(again)

    async def pause(self) -> None:
        """Wait until it is time for the next attempt."""
        await self._sleep(max(0.0, self._due_s - self._now_s()))

    async def keep_step(self) -> None:
        """Wait for the next attempt, if market time is to wait for it too."""
        if self.is_lost and self._in_step:
            await self.pause()

    def silent_s(self, *, cancel: bool = False) -> float:
        """Return for how long nothing may be asked of the venue; of cancels, if so."""
        left_s = self._silence.left_s(self._now_s(), cancel=cancel)
        return left_s + MARGIN_S if left_s else 0.0

    def away_s(self) -> float:
        """Return how long it is until the next attempt to connect."""
        return max(MARGIN_S, self._due_s - self._now_s())

    async def limited(
        self, limit_s: float, request: Coroutine[Any, Any, T], *, cancel: bool = False
    ) -> T:
        """Return what ``request`` returns; what takes longer is cut.

        Raises:
            OutcomeUnknown: it was cut, or the connection broke.
            VenueError: as the venue says; its wish for silence is kept to.
        """
        answers = self._answers
        try:
            if self._waits:
                answer = await self._within(limit_s, request)
            else:
                answer = await request
        except TimeoutError as error:
            if answers == self._answers:
                # Nothing was answered since it left: it is not the request alone.
                self._broke()
            message = f"{self._venue.name}: no answer within {limit_s:g} s"
            raise OutcomeUnknown(message) from error
        except (ConnectionError, VenueError) as error:
            self._fail(error, cancel=cancel)
        self._answers += 1
        self._pause_s = 0.0
        return answer

    def at_once(self, request: Callable[[A], T], asked: A) -> T:
        """Return what ``request`` returns at a venue that answers at once.

        None is under way beside it, so its answer speaks for no other.

        Raises:
            OutcomeUnknown, VenueError: as `limited`.
        """
        try:
            answer = request(asked)
        except (ConnectionError, VenueError) as error:
            self._fail(error)
        self._pause_s = 0.0
        return answer

    def _fail(
        self, error: ConnectionError | VenueError, *, cancel: bool = False
    ) -> NoReturn:
        """Act upon how a request failed, and raise what its sender is to hear of it."""
        if isinstance(error, ConnectionError):
            self._broke()
            raise OutcomeUnknown(f"{self._venue.name}: {error}") from error
        self._answers += isinstance(error, VenueRefused)
        self._heed(error, cancel=cancel)
        raise error

    def _heed(self, error: VenueError, *, cancel: bool) -> None:
        if error.retry_after_s > 0:
            until_s = self._now_s() + error.retry_after_s
            cancels_too = cancel or not error.only_limits
            self._silence.heed(until_s, cancels_too=cancels_too)
        elif isinstance(error, NotSent):
            self._broke()

    def _broke(self) -> None:
        if not self.is_lost:
            self.lose()
