"""The history that strategies need, which they say in `initialize`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from holdfast.configuration import Config
from holdfast.options import RunOptions
from holdfast.venues import cache_directory
from holdfast_actors.strategy.host import Context, Host
from holdfast_actors.strategy.orders import Desk
from holdfast_actors.strategy.params import all_values
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.tape import SqliteTape
from holdfast_domain.errors import InputError, VenueError
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.pastbars import PastBars
from holdfast_domain.stepping import steps_before


def bars_needed(options: RunOptions) -> Mapping[str, int]:
    """Return how many bars each strategy needs before its first slice.

    `initialize` of an instance that is thrown away is called for it, and what it orders
    there is ordered by nobody. One that raises needs nothing: the start itself says so.
    """
    rows = zip(
        options.names, options.strategies, options.params, options.shares(), strict=True
    )
    needed: dict[str, int] = {}
    for name, loaded, params, share in rows:
        host = _host(name, options, share)
        strategy = loaded.strategy()
        strategy._host = host  # noqa: SLF001 - as its actor does
        vars(strategy).update(all_values(loaded.strategy, params))
        try:
            strategy.initialize(Context(host))
        except Exception:  # noqa: BLE001 - whatever it raises, it raises again
            host.history = 1
        needed[name] = host.history
    return needed


def _host(name: str, options: RunOptions, share: Decimal) -> Host:
    instruments = options.instruments
    portfolio = Portfolio(instruments, lambda _symbol: None)
    portfolio.allot(share)
    return Host(
        name=name,
        instruments=instruments,
        portfolio=portfolio,
        desk=Desk(engine=0, epoch=0, index=1, instruments=instruments),
        calendars=MarketCalendars(instruments, cache_directory()),
        last=lambda _symbol: None,
        commission=options.model.commission,
        initializing=True,
    )


async def take_history(
    past: PastBars | None,
    where: str,
    config: Config,
    options: RunOptions,
    tape: SqliteTape,
    now_us: int,
) -> str:
    """Put the bars that strategies need on the tape, before anything is heard.

    ``now_us`` is the venue's time. Returns what is worth saying; empty if nothing was
    asked.

    Raises:
        InputError: the venue, at ``where``, does not give them: then who needs them
            does not start.
    """
    said, needed = config.data, bars_needed(options)
    who = max(needed, key=lambda name: needed[name])
    if past is None or needed[who] <= 1:
        return ""
    settled_us = now_us - round(said.grace_s * 1_000_000)
    until_us = settled_us - settled_us % said.interval
    try:
        bars = await past.last(needed[who], until_us)
    except VenueError as error:
        expected = f"{needed[who]} bars of history for {who}"
        todo = "start it later, or write history: false in data: it waits for them then"
        raise InputError(where, expected, str(error), todo) from error
    tape.append(steps_before(options.data.symbols, bars))
    return f"{len(bars)} bars of history, to {utc_from_us(until_us):%Y-%m-%d %H:%M:%S}"
