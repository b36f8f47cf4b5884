"""An account at a real venue, as a configuration says it: a session, and a listener."""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251 - only when a lost line is tried again

import attrs
import trio

from holdfast.configuration.model import VenueConfig
from holdfast.configuration.reading import credentials_of
from holdfast_actors.accountfeed import AccountFeed
from holdfast_actors.parts import LiveAccount
from holdfast_actors.places import ORDERS
from holdfast_adapters.binance import (
    Addresses,
    BinanceSpot,
    Credentials,
    Listener,
    UserStream,
)
from holdfast_adapters.streams import StreamPlan
from holdfast_domain.ports import VenueEvent, WallClock
from holdfast_runtime import ActorSpec, Context


def account_at(
    name: str,
    venue: VenueConfig,
    addresses: Addresses,
    clock: WallClock,
    offset_us: int,
    begun_us: int,
) -> LiveAccount:
    """Return the account of ``venue``; executions count from ``begun_us`` on.

    Raises:
        InputError: the credentials are missing, or not to be read.
    """
    who = credentials_of(venue)

    def now_us() -> int:
        return clock.now_us() + offset_us

    def connect() -> BinanceSpot:
        return BinanceSpot(
            symbols=venue.symbols,
            credentials=who,
            address=addresses.rest,
            clock=clock,
            sleep=trio.sleep,
            history_from_us=begun_us,
            name=name,
        )

    def build(ctx: Context) -> AccountFeed:
        source = UserData(addresses.api, who, now_us)
        return AccountFeed(venue=name, source=source, orders=ctx.ref(ORDERS))

    listener = ActorSpec(name="account", build=build, waits_for=(ORDERS,))
    return LiveAccount(connect=connect, listeners=(listener,), now_us=now_us)


@attrs.frozen
class UserData:
    """An `AccountSource`: each time it runs it is a stream of its own."""

    address: str
    who: Credentials
    now_us: Callable[[], int]

    async def run(
        self, told: Callable[[VenueEvent], None], missed: Callable[[str], None]
    ) -> None:
        """Listen until cancelled; see `AccountSource.run`."""
        stream = UserStream(
            StreamPlan.for_url(self.address),
            self.who,
            lambda: self.now_us() // 1000,
            Random(),
            Listener(event=told, account=lambda: None, hole=missed),
        )
        await stream.run()
