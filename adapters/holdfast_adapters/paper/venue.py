"""The paper venue: the port over the core; an answer is durable before it is given.

Without a path it keeps the same rows in memory, and no request ever waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from holdfast_adapters.matching.model import (
    TAKES,
    FillModel,
    SessionEnd,
    utc_day_end_us,
)
from holdfast_adapters.paper.core import PaperCore
from holdfast_adapters.paper.records import Row
from holdfast_adapters.paper.store import EventStore, fenced_off
from holdfast_adapters.paper.world import OpenedAt, World, opened_at_us_of
from holdfast_domain.errors import CommitFailed, NotSent, OutcomeUnknown
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Balances,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    ThreadHost,
    VenueEvent,
    VenueOrder,
    VenuePromises,
)
from holdfast_domain.positions import Position

T = TypeVar("T")

COMMIT_DEADLINE_S: Final = 30.0
"""After this long a commit is in doubt, and the session is over."""


class PaperVenue:
    """A `ReplayedVenue` that matches against bars and remembers in its own file.

    With a file, `connect` comes first. Requests may overlap: their commits run in the
    order of the requests, and one that fails takes those behind it with it. A request
    that is cancelled, or whose commit is in doubt, ends the session; after the next
    `connect` the file tells what is true.
    """

    promises = VenuePromises(proves_absence=True, processing_bound_s=0.0, takes=TAKES)
    """A lookup waits for all commits before it, so what it does not find is not there.
    """

    def __init__(
        self,
        data: MarketData,
        instruments: Mapping[str, Instrument],
        model: FillModel,
        *,
        path: Path | None,
        host: ThreadHost | None = None,
        session_end_us: SessionEnd = utc_day_end_us,
        opened_at_us: OpenedAt | None = None,
        opening: Mapping[str, Decimal] | None = None,
        held: Mapping[str, Position] | None = None,
        name: str = "paper",
        epoch: int = 0,
    ) -> None:
        """Keep the record at ``path``; commits run on ``host``, or else block.

        ``opening`` is the cash with which the account began, by currency, and ``held``
        what it held. ``epoch`` is of the engine that trades here; an older one is
        fenced off.
        """
        self.name = name
        self._epoch = epoch
        self._path = path
        self._host = host
        self._world = World(
            data=data,
            instruments=instruments,
            model=model,
            session_end_us=session_end_us,
            opened_at_us=opened_at_us or opened_at_us_of(data),
            opening=opening or {},
            held=held or {},
        )
        self._store: EventStore | None = None
        self._core = PaperCore(self._world) if path is None else None
        self._handed = 0
        self._waiting = 0

    async def connect(self) -> None:
        """Open the file and replay it; idempotent.

        Raises:
            Fenced: a newer engine trades here.
            InputError: the file is not the record of a paper venue.
            JournalTooNew: it was written by a newer version.
        """
        if self._path is None or self._core is not None:
            return
        if self._store is None:
            self._store = await self._run(EventStore, self._path)
        await self._run(self._store.admit, self._epoch)
        await self._rebuild(self._store)

    async def admit(self, epoch: int) -> None:
        """Trade for the engine of ``epoch`` from now on, and for no older one.

        Raises:
            Fenced: a newer engine was here.
        """
        if self._store is not None:
            await self._run(self._store.admit, epoch)
        elif epoch < self._epoch:
            raise fenced_off(epoch, self._epoch)
        self._epoch = epoch

    async def close(self) -> None:
        """End the session; idempotent. In memory, nothing is lost by it."""
        store, self._store = self._store, None
        if store is not None:
            self._core = None
            await self._run(store.close)

    # --- requests -----------------------------------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`.

        Raises:
            VenueRefused, DuplicateOrder: see `PaperCore.submit`.
            NotSent: no session, or nothing of it could be made durable.
            Fenced: a newer engine trades here.
            OutcomeUnknown: the commit did not return in time.
        """
        if self._path is None:
            return self.submit_now(order)
        core = self._session()
        return await self._durably(core, partial(core.submit, order))

    @property
    def submit_now(self) -> Callable[[VenueOrder], Sequence[VenueEvent]]:
        """What places an order without a coroutine; only of a venue in memory.

        Raises:
            NotSent: the venue has a file, which must be written first.
        """
        return self._in_memory().submit

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Place the legs of a list, in one commit; fails as `submit`."""
        core = self._session()
        return await self._durably(core, partial(core.submit_list, orders))

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; fails as `submit`."""
        core = self._session()
        return await self._durably(core, partial(core.cancel, order_id))

    async def replace(
        self, order_id: str, terms: OrderTerms, *, at_us: int | None = None
    ) -> Sequence[VenueEvent]:
        """Give a working order new terms; fails as `submit`.

        They hold for bars that open at ``at_us`` (market time of the request) or
        later; without it, at the end of the last step.
        """
        core = self._session()
        return await self._durably(core, partial(core.replace, order_id, terms, at_us))

    async def resume(self, cursor: int) -> None:
        """Hide what happened after ``cursor``; see `ReplayedVenue.resume`.

        Raises:
            NotSent: no session.
        """
        self._session().resume(cursor)

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Take the market data up to ``step``; see `ReplayedVenue.advance`.

        Raises:
            NotSent: no session, or nothing of it is durable: advance again.
            OutcomeUnknown: the commit did not return in time: connect and resume.
        """
        if self._path is None:
            return self.advance_now(cursor, step)
        core = self._session()
        return await self._durably(core, partial(core.advance, cursor, step))

    def advance_now(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Advance without a coroutine; only for a venue in memory.

        Raises:
            NotSent: the venue has a file, which must be written first.
        """
        return self._in_memory().advance(cursor, step)

    # --- questions ----------------------------------------------------------------

    @property
    def wants_data(self) -> bool:
        """Whether market data could bring anything about; see `ReplayedVenue`."""
        return self._core is None or self._core.wants_data()

    @property
    def answers_at_once(self) -> bool:
        """Whether it is in memory; see `ReplayedVenue`."""
        return self._path is None

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        """Return the durable story of the order; `NotFound` is proof of absence.

        Its record has all orders, so ``meant_us`` matters to nothing.

        Raises:
            NotSent: no session.
        """
        del meant_us
        return (await self._durable()).lookup(order_id)

    async def executions_since(self, watermark: str) -> Executions:
        """Return the durable executions after the id ``watermark``, in order.

        Raises:
            NotSent: no session.
            VenueRefused: the watermark is no execution id of this venue.
        """
        return (await self._durable()).executions_since(watermark)

    async def open_orders(self) -> OpenOrders:
        """Return the durable stories of all orders that work, as of the cursor.

        Raises:
            NotSent: no session; so do the two that follow.
        """
        return (await self._durable()).open_orders()

    async def positions(self) -> Positions:
        """Return what the account holds as of the cursor; flat ones are left out."""
        return (await self._durable()).positions()

    async def balances(self) -> Balances:
        """Return the account's cash as of the cursor: the opening, trades and fees."""
        return (await self._durable()).balances()

    @property
    def rows(self) -> Sequence[Row]:
        """What is recorded, as far as this session knows; nothing without one."""
        return () if self._core is None else tuple(self._core.rows)

    # --- durability ---------------------------------------------------------------

    def _session(self) -> PaperCore:
        if self._core is None:
            message = f"{self.name}: expected a session, got none; connect first"
            raise NotSent(message)
        return self._core

    def _in_memory(self) -> PaperCore:
        core = self._core
        if self._path is not None or core is None:
            message = f"{self.name}: expected a venue in memory, got {self._path}"
            raise NotSent(message)
        return core

    async def _durable(self) -> PaperCore:
        """Return the core once no commit is under way: what it says is durable."""
        while self._waiting and self._core is not None:
            await self._run(_nothing)
        return self._session()

    async def _durably(
        self, core: PaperCore, change: Callable[[], Sequence[VenueEvent]]
    ) -> Sequence[VenueEvent]:
        """Return what ``change`` says, once its rows are in the file."""
        before = core.cursor, core.step, core.matched
        said = change()
        first, rows = self._handed + 1, core.rows[self._handed :]
        if self._store is None or not rows:
            return said
        self._handed = len(core.rows)
        self._waiting += 1
        try:
            await self._run(self._store.append, first, rows)
        except CommitFailed as error:
            await self._throw_away(core, before)
            message = f"{self.name}: {error}"
            raise NotSent(message) from error
        except BaseException:
            if self._core is core:  # the file knows what is true; see `connect`
                self._core = self._store = None
            raise
        finally:
            self._waiting -= 1
        return said

    async def _throw_away(self, core: PaperCore, before: tuple[int, int, int]) -> None:
        """Build the core anew from the file; the first to fail does it for all."""
        if self._core is not core or self._store is None:
            return
        self._core = None
        fresh = await self._rebuild(self._store)
        fresh.cursor, fresh.step, fresh.matched = before

    async def _rebuild(self, store: EventStore) -> PaperCore:
        rows = await self._run(store.load)
        core = PaperCore(self._world, rows)
        self._core, self._handed = core, len(rows)
        return core

    async def _run(self, call: Callable[..., T], *args: object) -> T:
        if self._host is None:
            return call(*args)
        try:
            return await self._host.run(call, *args, deadline_s=COMMIT_DEADLINE_S)
        except TimeoutError as error:
            message = f"{self.name}: no answer within {COMMIT_DEADLINE_S:.0f} s"
            raise OutcomeUnknown(message) from error


def _nothing() -> None:
    """Do nothing, on the thread of the commits: they are done when it is."""
