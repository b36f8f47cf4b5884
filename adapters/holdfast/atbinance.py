"""Binance, as a configuration says it: its rules, account and market."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random  # noqa: TID251 - only when a lost line is tried again

import attrs
import trio

from holdfast.accounts import account_at
from holdfast.configuration.model import VenueConfig
from holdfast.configuration.reading import credentials_of
from holdfast.hosts import Hosts
from holdfast.places import Hearing, Learned
from holdfast_actors.parts import LiveAccount
from holdfast_adapters.binance import (
    PRODUCTS,
    Account,
    Addresses,
    Klines,
    MarketStream,
    Product,
    Rest,
    listed,
)
from holdfast_adapters.calendars import TableCalendar
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.streams import StreamPlan
from holdfast_domain.ports import WallClock


@attrs.frozen
class AtBinance:
    """One of its exchanges, and one account there."""

    name: str
    venue: VenueConfig
    is_shared: bool
    """Whether several strategies trade the account."""

    @property
    def product(self) -> Product:
        """Which exchange."""
        return PRODUCTS[self.venue.adapter]

    @property
    def addresses(self) -> Addresses:
        """Where it is."""
        said = self.venue
        return self.product.doors.at(said.address, testnet=said.testnet)

    @property
    def where(self) -> str:
        """Its address, for people."""
        return self.addresses.rest

    async def learn(self, clock: WallClock) -> Learned:
        """Ask it for its rules; see `Place.learn`."""
        rest = self._public(clock)
        rest.open()
        try:
            await rest.sync_time()
            rules = await listed(rest, self.venue.symbols)
        finally:
            await rest.close()
        instruments = {name: each.instrument for name, each in rules.items()}
        return Learned(instruments, rest.time.offset_us)

    def past(self, clock: WallClock, offset_us: int, interval_us: int) -> Klines:
        """Return its klines; see `Place.past`."""
        rest = self._public(clock)
        rest.time.offset_us = offset_us
        return Klines(rest, self.venue.symbols, interval_us)

    def _public(self, clock: WallClock) -> Rest:
        """Return what asks for what anybody may know; it is not open yet."""
        return Rest(
            name=self.name,
            address=self.addresses.rest,
            credentials=None,
            clock=clock,
            sleep=trio.sleep,
            routes=self.product.routes,
        )

    def calendars(self, directory: StateDir) -> Mapping[str, TableCalendar]:
        """Return nothing: it trades around the clock."""
        del directory
        return {}

    def account(
        self,
        clock: WallClock,
        offset_us: int,
        begun_us: int,
        say: Callable[[str], None],
    ) -> Callable[[Hosts], LiveAccount]:
        """Return what makes the account; see `Place.account`."""
        account = Account(
            name=self.name,
            symbols=self.venue.symbols,
            who=credentials_of(self.venue),
            addresses=self.addresses,
            clock=clock,
            offset_us=offset_us,
            history_from_us=begun_us,
            is_shared=self.is_shared,
        )
        made = account_at(
            self.product,
            account,
            cancel_all_after_s=self.venue.connection.cancel_all_after_s,
            say=say,
            place=self.venue.place,
        )
        return lambda _hosts: made

    def listener(self, hosts: Hosts) -> Callable[[Hearing], MarketStream]:
        """Return what makes who listens; see `Place.listener`."""
        del hosts
        return self._stream

    def _stream(self, how: Hearing) -> MarketStream:
        clock, offset_us = how.clock, how.offset_us
        where = self.addresses.quotes
        return MarketStream(
            StreamPlan.for_url(self.addresses.market),
            self.venue.symbols,
            lambda: clock.now_us() + offset_us,
            Random(),
            trades=self.product.trades,
            quotes=StreamPlan.for_url(where) if how.data.quotes else None,
            pulse_s=how.data.pulse_s,
            said=how.said,
            tap=how.recorder,
        )
