"""The port to a venue in another process: one request at a time, over a Unix socket.

What is cut ends the connection, so that no answer is taken for that of another request.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import trio

from holdfast_adapters.matching import TAKES
from holdfast_adapters.remote import wire
from holdfast_domain.errors import (
    DuplicateOrder,
    Fenced,
    InputError,
    NotSent,
    OutcomeUnknown,
    VenueRefused,
)
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

PATIENCE_S: Final = 5.0
"""How long `connect` tries, before it says so; below the deadline of a question."""

FIRST_PAUSE_S: Final = 0.01
PAUSE_MAX_S: Final = 0.5


class RemoteVenue:
    """A `ReplayedVenue` behind a socket; requests of several tasks wait their turn."""

    answers_at_once = False

    def __init__(
        self,
        path: Path,
        *,
        world: str,
        engine: int,
        epoch: int,
        name: str = "paper",
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Trade at the venue that listens at ``path``, as ``engine`` in its ``epoch``.

        ``world`` is the market as the engine has it; the venue must have the same.
        """
        self.name = name
        self.promises = VenuePromises(
            proves_absence=False, processing_bound_s=0.0, takes=TAKES
        )
        self._path = path
        self._patience_s = patience_s
        self._hello = wire.Hello(engine=engine, epoch=epoch, world=world)
        self._lines: wire.Lines | None = None
        self._turn = trio.Lock()
        """One request at a time, in the order in which they were made."""

        self._wants_data = True

    # --- the connection ----------------------------------------------------------

    async def connect(self) -> None:
        """Open the session; idempotent. Tries for ``patience_s``.

        Raises:
            ConnectionError: nobody answered in that time; it may be called again.
            Fenced: a newer engine trades there.
            InputError: the venue has another market.
        """
        if self._lines is not None:
            return
        why, pause_s = "no answer", FIRST_PAUSE_S
        with trio.move_on_after(self._patience_s):
            while True:
                try:
                    async with self._turn:
                        if self._lines is None:
                            await self._greet()
                except (OSError, OutcomeUnknown) as error:
                    why = getattr(error, "strerror", None) or str(error)
                    await trio.sleep(pause_s)
                    pause_s = min(2 * pause_s, PAUSE_MAX_S)
                else:
                    return
        message = f"{self.name}: nobody answers at {self._path} ({why})"
        raise ConnectionError(message)

    async def close(self) -> None:
        """End the session; idempotent."""
        self._cut()

    async def _greet(self) -> None:
        stream = await trio.open_unix_socket(str(self._path))
        self._lines = wire.Lines(stream)
        try:
            answer = await self._ask(self._hello)
        except BaseException:
            self._cut()
            raise
        if not isinstance(answer, wire.Welcome):
            self._lost(f"expected a welcome, got {answer!r}")
        self.promises, self._wants_data = answer.promises, answer.wants_data

    def _cut(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.cut()

    # --- requests ----------------------------------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`."""
        return await self._command(wire.Submit(order))

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Place the legs of a list; see `Venue.submit_list`."""
        return await self._command(wire.SubmitList(list(orders)))

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; see `Venue.cancel`."""
        return await self._command(wire.Cancel(order_id))

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        """Give a working order new terms; see `Venue.replace`."""
        return await self._command(wire.Replace(order_id, terms))

    async def _command(self, request: wire.Request) -> list[VenueEvent]:
        async with self._turn:
            if self._lines is None:
                message = f"{self.name}: no connection to {self._path}"
                raise NotSent(message)
            return self._events(self._done(await self._ask(request)))

    # --- questions, which may be asked again --------------------------------------

    @property
    def wants_data(self) -> bool:
        """What the venue said last; yes, while there is no connection."""
        return self._lines is None or self._wants_data

    async def resume(self, cursor: int) -> None:
        """Say how far the inputs have come; see `ReplayedVenue.resume`."""
        await self._question(wire.Resume(cursor))

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Take the market data up to ``step``; see `ReplayedVenue.advance`.

        Raises:
            ConnectionError: connect and resume, and advance again.
        """
        return self._events(await self._question(wire.Advance(cursor, step)))

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        """Return the story of the order; see `Venue.lookup`."""
        answer = await self._question(wire.LookUp(order_id, meant_us))
        if answer.found is None:
            return NotFound(reason=answer.absent)
        return self._found(answer.found)

    async def executions_since(self, watermark: str) -> Executions:
        """Return the executions after ``watermark``; see `Venue.executions_since`."""
        answer = await self._question(wire.Since(watermark))
        events: list[Any] = self._events(answer)
        return Executions(events=events, watermark=answer.watermark)

    async def open_orders(self) -> OpenOrders:
        """Return all orders that work now; see `Venue.open_orders`."""
        answer = await self._question(wire.Account("orders"))
        orders = [self._found(each) for each in answer.orders]
        return OpenOrders(orders=orders, at=answer.at, watermark=answer.watermark)

    async def positions(self) -> Positions:
        """Return all positions of the account."""
        positions = (await self._question(wire.Account("positions"))).positions
        return positions if isinstance(positions, Positions) else self._lost("no list")

    async def balances(self) -> Balances:
        """Return the cash of the account."""
        balances = (await self._question(wire.Account("balances"))).balances
        return balances if isinstance(balances, Balances) else self._lost("no list")

    async def _question(self, request: wire.Request) -> wire.Done:
        try:
            async with self._turn:
                return self._done(await self._ask(request))
        except NotSent as error:
            raise ConnectionError(str(error)) from error

    # --- the wire ----------------------------------------------------------------

    async def _ask(self, request: wire.Request) -> wire.Answer:
        """Send ``request`` and return its answer, or raise what it says.

        Raises:
            ConnectionError: it did not come; the request may have been done.
        """
        if self._lines is None:
            message = f"{self.name}: no connection to {self._path}"
            raise ConnectionError(message)
        try:
            await self._lines.send(request)
            line = await self._lines.receive()
            answer = wire.answer_of(line) if line else None
        except (
            trio.BrokenResourceError,
            trio.ClosedResourceError,
            ValueError,
        ) as error:
            self._lost(repr(error))
        except BaseException:
            self._cut()  # its answer would be taken for that of the next request
            raise
        if answer is None:
            self._lost("the venue has gone")
        if isinstance(answer, wire.Failed):
            self._fail(answer)
        if isinstance(answer, wire.Done):
            self._wants_data = answer.wants_data
        return answer

    def _done(self, answer: wire.Answer) -> wire.Done:
        if isinstance(answer, wire.Done):
            return answer
        return self._lost(f"expected what was asked for, got {answer!r}")

    def _events(self, answer: wire.Done) -> list[VenueEvent]:
        try:
            return wire.heard(answer.events)
        except ValueError as error:
            return self._lost(repr(error))

    def _found(self, story: wire.Story) -> Found:
        try:
            return wire.found_of(story)
        except ValueError as error:
            return self._lost(repr(error))

    def _lost(self, why: str) -> NoReturn:
        self._cut()
        message = f"{self.name}: lost the connection to {self._path}: {why}"
        raise ConnectionError(message)

    def _fail(self, answer: wire.Failed) -> NoReturn:
        text = f"{self.name}: {answer.reason}"
        match answer.error:
            case "VenueRefused":
                raise VenueRefused(answer.reason, answer.code)
            case "DuplicateOrder":
                raise DuplicateOrder(text)
            case "Fenced":
                raise Fenced(text, int(answer.code or 0))
            case "OtherMarket":
                expected = "the market that the venue there has"
                todo = "give both the same data, instruments and fill options"
                raise InputError(str(self._path), expected, answer.reason, todo)
            case "NotSent":
                # The venue's own session is over: a new one tells what is true.
                self._cut()
                raise NotSent(text)
            case _:
                self._lost(answer.reason)
