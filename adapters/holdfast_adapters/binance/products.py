"""The exchanges of Binance, as whoever composes an engine needs them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251 - only when a lost line is tried again
from typing import Final, Protocol

import attrs
import trio

from holdfast_adapters.binance.addresses import (
    FUTURES_DOORS,
    SPOT_DOORS,
    Addresses,
    Doors,
)
from holdfast_adapters.binance.budget import Budget
from holdfast_adapters.binance.credentials import Credentials
from holdfast_adapters.binance.futures.paths import FUTURES
from holdfast_adapters.binance.futures.switch import FuturesSwitch
from holdfast_adapters.binance.futures.userstream import FuturesUserStream
from holdfast_adapters.binance.futures.venue import BinanceFutures
from holdfast_adapters.binance.rest import Rest, VenueTime
from holdfast_adapters.binance.routes import SPOT, Routes
from holdfast_adapters.binance.spot import BinanceSpot
from holdfast_adapters.binance.userstream import Listener, UserStream
from holdfast_adapters.streams import StreamPlan
from holdfast_domain.ports import (
    AccountSource,
    DeadMansSwitch,
    ReplayedVenue,
    VenueEvent,
    WallClock,
)
from holdfast_domain.sight import VenueSight


@attrs.frozen(kw_only=True)
class Account:
    """One account at one exchange, and what is traded there."""

    name: str
    symbols: tuple[str, ...]
    who: Credentials
    addresses: Addresses
    clock: WallClock
    offset_us: int
    """What is added to our clock to get the venue's."""

    history_from_us: int
    """From when on executions count."""

    is_shared: bool
    """Whether several strategies trade it."""

    budget: Budget = attrs.field(factory=Budget)
    """What all who ask with its key share of the venue's limit."""

    def sight(self) -> VenueSight:
        """Return how limit and breaker stand."""
        now_us, budget = self.clock.now_us(), self.budget
        return VenueSight(
            limiter=budget.sight((now_us + self.offset_us) // 1000),
            breaker=budget.breaker.sight(now_us / 1e6),
        )

    def rest(self, routes: Routes) -> Rest:
        """Return what asks the venue over HTTP; it is not open yet."""
        return Rest(
            name=self.name,
            address=self.addresses.rest,
            credentials=self.who,
            clock=self.clock,
            sleep=trio.sleep,
            routes=routes,
            budget=self.budget,
        )


class Opens(Protocol):
    """Opens the venue of an account."""

    def __call__(self, account: Account, /) -> ReplayedVenue:
        """Return the venue, which is not connected yet."""


@attrs.frozen(kw_only=True)
class Product:
    """One exchange of Binance."""

    routes: Routes
    doors: Doors
    trades: str
    """The stream of trades, as in ``btcusdt@trade``."""

    venue: Opens
    user_data: Callable[[Account], AccountSource]
    """Each time it runs it is a stream of its own."""

    switch: Callable[[Account], DeadMansSwitch] | None = None
    """Its dead man's switch; None where it has none."""


def _spot(account: Account) -> ReplayedVenue:
    return BinanceSpot(
        symbols=account.symbols,
        credentials=account.who,
        address=account.addresses.rest,
        clock=account.clock,
        sleep=trio.sleep,
        history_from_us=account.history_from_us,
        name=account.name,
        budget=account.budget,
    )


def _futures(account: Account) -> ReplayedVenue:
    return BinanceFutures(
        symbols=account.symbols,
        credentials=account.who,
        address=account.addresses.rest,
        clock=account.clock,
        sleep=trio.sleep,
        history_from_us=account.history_from_us,
        name=account.name,
        budget=account.budget,
        reduces=not account.is_shared,
    )


@attrs.frozen
class _SpotData:
    """An `AccountSource`: a signed subscription of the WebSocket API."""

    account: Account

    async def run(
        self, told: Callable[[VenueEvent], None], missed: Callable[[str], None]
    ) -> None:
        """Listen until cancelled; see `AccountSource.run`."""
        account = self.account
        stream = UserStream(
            StreamPlan.for_url(account.addresses.api),
            account.who,
            VenueTime(account.clock, account.offset_us).now_ms,
            Random(),
            Listener(event=told, account=lambda: None, hole=missed),
        )
        await stream.run()


@attrs.frozen
class _FuturesData:
    """An `AccountSource`: a stream whose address has a listen key in it."""

    account: Account

    async def run(
        self, told: Callable[[VenueEvent], None], missed: Callable[[str], None]
    ) -> None:
        """Listen until cancelled; see `AccountSource.run`."""
        rest, address = self.account.rest(FUTURES), self.account.addresses.api
        rest.open()
        stream = FuturesUserStream(
            rest,
            lambda key: StreamPlan.for_url(f"{address}?listenKey={key}"),
            Random(),
            Listener(event=told, account=lambda: None, hole=missed),
        )
        try:
            await stream.run()
        finally:
            with trio.CancelScope(shield=True):
                await rest.close()


PRODUCTS: Final = {
    "binance": Product(
        routes=SPOT,
        doors=SPOT_DOORS,
        trades="trade",
        venue=_spot,
        user_data=_SpotData,
    ),
    "binance_futures": Product(
        routes=FUTURES,
        doors=FUTURES_DOORS,
        trades="aggTrade",
        venue=_futures,
        user_data=_FuturesData,
        switch=lambda account: FuturesSwitch(account.rest(FUTURES), account.symbols),
    ),
}
"""By the name of the adapter in a configuration."""
