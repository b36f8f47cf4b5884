"""What a live run at Interactive Brokers needs, looked at one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import trio

from holdfast.atib import AtIB
from holdfast.findings import ANSWER_S, Finding, said, skew
from holdfast_adapters.ib import PAPER_PORTS, IBVenue
from holdfast_adapters.ib.ticks import Tick
from holdfast_domain.errors import DomainError, VenueError
from holdfast_domain.marketdata import us_of
from holdfast_domain.ports import WallClock

MARGINED: Final = ("FUT", "CASH")
"""Kinds whose cash IB does not pay as the books do."""

NOT_COMPARED: Final = (
    "IB books it otherwise than Holdfast: set the policies of reconciliation to warn"
)


async def examine_ib(place: AtIB, clock: WallClock) -> AsyncIterator[Finding]:
    """Yield what is found, one by one; none raises."""
    try:
        yield Finding("ib_async", "ok", version("ib_async"))
    except PackageNotFoundError:
        text = "not installed; install it with: pip install 'holdfast[ib]'"
        yield Finding("ib_async", "failed", text)
        return
    try:
        async with place.visit(clock) as venue:
            yield _reached(place, venue)
            async for found in _asked(venue, clock):
                yield found
    except (VenueError, ConnectionError) as error:
        yield Finding("TWS", "failed", str(error))


def _reached(place: AtIB, venue: IBVenue) -> Finding:
    who = f"{place.where}, account {venue.account_id}"
    if venue.account_id.startswith("D"):
        return Finding("TWS", "ok", f"{who}, on paper")
    port = place.address.port
    named = f", though {port} is for paper" if port in PAPER_PORTS else ""
    return Finding("TWS", "warning", f"{who}: it trades money{named}")


async def _asked(venue: IBVenue, clock: WallClock) -> AsyncIterator[Finding]:
    """Ask for the time, the contracts, the account, and a tick of the market."""
    yield skew(us_of(await venue.time()) - clock.now_us())
    for name, each in venue.listed.items():
        rule = each.instrument
        hours = each.hours.split(";")[0] or "not told"
        steps = [f"{band.tick} from {band.low}" for band in rule.bands]
        tick = ", ".join(steps) or rule.tick
        text = f"tick {tick}, lot {rule.lot}, hours {hours} {each.zone}"
        yield Finding(f"symbol {name}", "ok", text)
        if each.contract.secType in MARGINED:
            yield Finding(f"cash of {name}", "warning", NOT_COMPARED)
    values = await venue.account()
    told = [f"{tag} {money.amount} {money.currency}" for tag, money in values.items()]
    yield Finding("account", "ok", ", ".join(told))
    heard = trio.Event()

    def take(_tick: Tick) -> None:
        heard.set()

    try:
        await venue.listen(take)
        with trio.fail_after(ANSWER_S):
            await heard.wait()
    except (DomainError, trio.TooSlowError) as error:
        text = f"{said(error)}: closed, or no subscription to its data"
        yield Finding("market data", "warning", text)
        return
    yield Finding("market data", "ok", "it is heard")
