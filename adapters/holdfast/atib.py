"""Interactive Brokers, as a configuration says it: its rules, account and market."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import trio

from holdfast.configuration.model import VenueConfig
from holdfast.hosts import Hosts
from holdfast.listing import keep_hours, kept_hours
from holdfast.places import Hearing, Learned
from holdfast_actors.accountfeed import AccountFeed
from holdfast_actors.parts import LiveAccount
from holdfast_actors.places import FEEDS, ORDERS, VENUES
from holdfast_adapters.calendars import TableCalendar
from holdfast_adapters.ib import (
    Address,
    ContractSpec,
    Hours,
    Hub,
    IBBars,
    IBMarket,
    IBVenue,
    Line,
    Memory,
    Session,
)
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_domain.ports import AsyncioHost, WallClock
from holdfast_domain.sight import VenueSight
from holdfast_runtime import ActorSpec, Context
from holdfast_runtime.threads import PykkaAsyncioHost

MARKET: Final = 1
QUESTIONS: Final = 2
"""What is added to the client id for each connection beside that of the orders."""

SPEC: Final = tuple(each.name for each in attrs.fields(ContractSpec))


@attrs.frozen
class AtIB:
    """TWS or IB Gateway, and one account there."""

    name: str
    venue: VenueConfig
    hours: Hours = attrs.field(factory=Hours)
    """When its contracts trade; each connection tells more of it."""

    @property
    def address(self) -> Address:
        """Where it listens."""
        said = self.venue
        return Address.parse(said.address, said.place, live=said.live)

    @property
    def where(self) -> str:
        """The same, for people."""
        return str(self.address)

    @asynccontextmanager
    async def visit(self, clock: WallClock) -> AsyncIterator[IBVenue]:
        """Give a session that is connected, on a loop of its own.

        Raises:
            VenueError: it cannot be connected.
        """
        host = PykkaAsyncioHost(name=f"{self.name} questions")
        session = IBVenue(**self._how(host, clock, QUESTIONS))
        try:
            await session.connect()
            yield session
        finally:
            await session.close()
            host.close()

    async def learn(self, clock: WallClock) -> Learned:
        """Ask it for its rules; see `Place.learn`."""
        async with self.visit(clock) as session:
            return Learned(session.instruments, 0)

    def past(self, clock: WallClock, offset_us: int, interval_us: int) -> IBBars:
        """Return whom to ask for bars; see `Place.past`."""
        del offset_us
        symbols = self.venue.symbols
        return IBBars(
            symbols, interval_us, lambda: self.visit(clock), clock, trio.sleep
        )

    def calendars(self, directory: StateDir) -> Mapping[str, TableCalendar]:
        """Return the sessions of contracts; see `Place.calendars`."""
        known = kept_hours(directory)
        self.hours.load(
            {name: known[name] for name in self.venue.symbols if name in known}
        )
        keep_hours(directory, self.hours.saved())
        return dict(self.hours.calendars)

    def account(
        self,
        clock: WallClock,
        offset_us: int,
        begun_us: int,
        say: Callable[[str], None],
    ) -> Callable[[Hosts], LiveAccount]:
        """Return what makes the account; TWS shows what it shows, whatever began."""
        del offset_us, begun_us, say
        if self.venue.connection.cancel_all_after_s is not None:
            expected = "a venue that cancels orders when nobody speaks to it"
            todo = "leave cancel_all_after_s out: IB has no such switch"
            raise InputError(self.venue.place, expected, self.name, todo)

        def made(hosts: Hosts) -> LiveAccount:
            return self._account(hosts, clock)

        return made

    def _account(self, hosts: Hosts, clock: WallClock) -> LiveAccount:
        hub, memory = Hub(), Memory()
        opened: list[PykkaAsyncioHost] = []
        made: list[IBVenue] = []

        def connect() -> IBVenue:
            # A loop ends with its session, with all that hangs or waits in it.
            while opened:
                opened.pop().close()
            host = hosts.open_loop(f"{VENUES}/{self.name}/session")
            opened.append(host)
            how = self._how(host, clock, 0)
            made[:] = [IBVenue(**how, hub=hub, memory=memory)]
            return made[0]

        def sight() -> VenueSight:
            return made[0].sight() if made else VenueSight()

        def build(ctx: Context) -> AccountFeed:
            return AccountFeed(
                venue=self.name, source=hub, orders=ctx.ref(ORDERS), now_s=ctx.now_s
            )

        listener = ActorSpec(name="account", build=build, waits_for=(ORDERS,))
        return LiveAccount(
            connect=connect,
            listeners=(listener,),
            now_us=clock.now_us,
            sight=sight,
        )

    def listener(self, hosts: Hosts) -> Callable[[Hearing], IBMarket]:
        """Return what makes who listens; see `Place.listener`."""
        opened: list[PykkaAsyncioHost] = []

        def listen(how: Hearing) -> IBMarket:
            while opened:
                opened.pop().close()
            host = hosts.open_loop(f"{FEEDS}/{self.name}")
            opened.append(host)
            hub = Hub()
            session = Session(**self._how(host, how.clock, MARKET), hub=hub)
            return IBMarket(
                session,
                hub,
                how.clock,
                quotes=how.data.quotes,
                pulse_s=how.data.pulse_s,
                said=how.said,
            )

        return listen

    def _how(self, host: AsyncioHost, clock: WallClock, plus: int) -> dict[str, Any]:
        said = self.venue
        return {
            "host": host,
            "line": Line(
                address=self.address,
                client_id=said.client_id + plus,
                zone=said.timezone,
            ),
            "specs": {name: self._spec(name) for name in said.symbols},
            "clock": clock,
            "account": said.account,
            "live": said.live,
            "name": self.name,
            "hours": self.hours,
        }

    def _spec(self, name: str) -> ContractSpec:
        said = self.venue.contracts.get(name)
        if said is None:
            return ContractSpec.named(name)
        return ContractSpec(**{each: getattr(said, each) for each in SPEC})
