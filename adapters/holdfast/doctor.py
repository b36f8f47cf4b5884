"""What a live run needs, looked at one by one; nothing is traded or written by it."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from random import Random  # noqa: TID251 - only when a lost line is tried again
from typing import Any, Final

import attrs
import trio

from holdfast.atib import AtIB
from holdfast.clocks import SystemClock
from holdfast.configuration import Config
from holdfast.configuration.model import VenueConfig
from holdfast.configuration.reading import credentials_of, source_of
from holdfast.doctorib import examine_ib
from holdfast.findings import ANSWER_S, Finding, Verdict, said, skew
from holdfast_adapters.binance import (
    PRODUCTS,
    Account,
    Addresses,
    Credentials,
    MarketStream,
    Product,
    Rest,
    listed,
    rights_of,
)
from holdfast_adapters.binance.rules import SymbolRules
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.streams import StreamPlan
from holdfast_domain.errors import DomainError, VenueError
from holdfast_domain.ports import WallClock
from holdfast_domain.stepping import News

PACKAGES: Final = ("holdfast", "trio", "httpx", "wsproto", "msgspec", "polars", "pykka")


async def examine(
    config: Config, path: Path, clock: WallClock | None = None
) -> AsyncIterator[Finding]:
    """Yield what is found, one by one; the last ones may take some seconds each."""
    words = [f"{name} {version(name)}" for name in PACKAGES]
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    yield Finding("versions", "ok", ", ".join([python, *words]))
    for each in _at_home(config, path):
        yield each
    ((name, venue),) = config.venues.items()
    if venue.adapter == "ib":
        async for found in examine_ib(AtIB(name, venue), clock or SystemClock()):
            yield found
        return
    product = PRODUCTS[venue.adapter]
    addresses = product.doors.at(venue.address, testnet=venue.testnet)
    visit = _Visit(name, venue, product, addresses, clock or SystemClock())
    for look in (visit.clocks, visit.filters, visit.account, visit.market, visit.user):
        async for found in look():
            yield found


def _at_home(config: Config, path: Path) -> Iterator[Finding]:
    for strategy in config.strategies:
        what = f"strategy {strategy.name or strategy.class_}"
        try:
            yield Finding(what, "ok", source_of(path, strategy))
        except DomainError as error:
            yield Finding(what, "failed", str(error))
    state = config.engine.state
    if not state.exists():
        yield Finding("state", "ok", f"{state} will be made")
        return
    try:
        owner = StateDir.owner(StateDir.at(state).path)
    except DomainError as error:
        yield Finding("state", "failed", str(error))
        return
    used = f"{state} is in use by process {owner}"
    is_free = owner is None
    yield Finding(
        "state", "ok" if is_free else "warning", str(state) if is_free else used
    )


@attrs.define
class _Visit:
    """One visit at a venue; each look yields what it found, and none raises."""

    name: str
    venue: VenueConfig
    product: Product
    addresses: Addresses
    clock: WallClock
    offset_us: int = 0
    is_reached: bool = False

    def _rest(self, who: Credentials | None = None) -> Rest:
        rest = Rest(
            name=self.name,
            address=self.addresses.rest,
            credentials=who,
            clock=self.clock,
            sleep=trio.sleep,
            routes=self.product.routes,
        )
        rest.open()
        return rest

    async def clocks(self) -> AsyncIterator[Finding]:
        """Compare the clocks."""
        rest = self._rest()
        try:
            with trio.fail_after(ANSWER_S):
                await rest.sync_time()
        except (VenueError, trio.TooSlowError) as error:
            yield Finding("clock", "failed", f"{self.addresses.rest}: {said(error)}")
            return
        finally:
            await rest.close()
        self.is_reached, self.offset_us = True, rest.time.offset_us
        yield skew(self.offset_us)

    async def filters(self) -> AsyncIterator[Finding]:
        """Look at the rules of each symbol."""
        if not self.is_reached:
            yield Finding("symbols", "skipped", "the venue is not reached")
            return
        rest = self._rest()
        try:
            with trio.fail_after(ANSWER_S):
                rules = await listed(rest, self.venue.symbols)
        except (VenueError, trio.TooSlowError) as error:
            yield Finding("symbols", "failed", said(error))
            return
        finally:
            await rest.close()
        for name, each in rules.items():
            verdict: Verdict = "ok" if each.trades else "failed"
            yield Finding(f"symbol {name}", verdict, _ruled(each))

    async def account(self) -> AsyncIterator[Finding]:
        """Try the key, and look at what the account may do."""
        who, found = self._who("account")
        if who is None:
            yield found
            return
        rest = self._rest(who)
        rest.time.offset_us = self.offset_us
        try:
            with trio.fail_after(ANSWER_S):
                rights = await rights_of(rest)
        except (VenueError, trio.TooSlowError) as error:
            yield Finding("account", "failed", said(error))
            return
        finally:
            await rest.close()
        trades = "may trade" if rights.trades else "may not trade"
        yield Finding("account", "ok" if rights.trades else "failed", trades)
        if rights.hedges:
            text = "it is in hedge mode: set one-way mode at the exchange"
            yield Finding("account", "failed", text)
        if rights.withdraws:
            text = "it may withdraw: see that the key may not"
            yield Finding("account", "warning", text)

    async def market(self) -> AsyncIterator[Finding]:
        """Listen to the market until it is subscribed to."""
        if not self.is_reached:
            yield Finding("market stream", "skipped", "the venue is not reached")
            return
        stream = MarketStream(
            StreamPlan.for_url(self.addresses.market),
            self.venue.symbols,
            self._now_us,
            Random(),
            trades=self.product.trades,
            pulse_s=0.05,
        )

        async def listen(heard: Callable[[], None]) -> None:
            async def take(news: News) -> None:
                if news.whole_from_us is not None:
                    heard()

            await stream.run(take)

        yield await self._listened("market stream", self.addresses.market, listen)

    async def user(self) -> AsyncIterator[Finding]:
        """Listen to the account until the login is confirmed."""
        who, found = self._who("user stream")
        if who is None:
            yield found
            return
        account = Account(
            name=self.name,
            symbols=self.venue.symbols,
            who=who,
            addresses=self.addresses,
            clock=self.clock,
            offset_us=self.offset_us,
            history_from_us=0,
            is_shared=True,
        )
        source = self.product.user_data(account)

        async def listen(heard: Callable[[], None]) -> None:
            await source.run(lambda _event: None, lambda _why: heard())

        yield await self._listened("user stream", self.addresses.api, listen)

    async def _listened(self, what: str, where: str, listen: Any) -> Finding:  # noqa: ANN401
        heard = trio.Event()
        with trio.move_on_after(ANSWER_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(listen, heard.set)
                await heard.wait()
                nursery.cancel_scope.cancel()
        if heard.is_set():
            return Finding(what, "ok", f"{where} is subscribed to")
        text = f"{where}: not subscribed within {ANSWER_S:g} s"
        return Finding(what, "failed", text)

    def _who(self, what: str) -> tuple[Credentials | None, Finding]:
        if self.venue.credentials is None:
            return None, Finding(what, "skipped", "no credentials are configured")
        if not self.is_reached:
            return None, Finding(what, "skipped", "the venue is not reached")
        try:
            return credentials_of(self.venue), Finding(what, "ok", "")
        except DomainError as error:
            return None, Finding(what, "failed", str(error))

    def _now_us(self) -> int:
        return self.clock.now_us() + self.offset_us


def _ruled(rules: SymbolRules) -> str:
    each = rules.instrument
    state = "trades" if rules.trades else "does not trade now"
    return f"{state}; tick {each.tick}, lot {each.lot}, at least {each.min_notional}"
