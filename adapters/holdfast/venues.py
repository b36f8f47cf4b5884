"""Where a run trades: a paper venue in this process, or one in another."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from holdfast.forking import Fork
from holdfast.options import Market
from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.paper.venue import PaperVenue
from holdfast_adapters.remote import RemoteVenue
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument
from holdfast_domain.ports import ThreadHost
from holdfast_domain.positions import Position

VENUE = "paper"
"""Where an instrument trades that names no venue."""


def venues_of(instruments: Mapping[str, Instrument]) -> tuple[str, ...]:
    """Return where ``instruments`` trade; first where those do that name no venue."""
    named = {each.venue or VENUE for each in instruments.values()}
    return tuple(sorted(named, key=lambda name: (name != VENUE, name)))


def known_venue(name: str, market: Market, where: str) -> str:
    """Return ``name``, or the first venue where it is empty.

    Raises:
        InputError: at ``where``: nothing trades there.
    """
    known = venues_of(market.instruments)
    if name and name not in known:
        todo = "instruments name their venues in --instruments"
        raise InputError(where, f"one of {', '.join(known)}", repr(name), todo)
    return name or known[0]


def paper_venue(
    name: str,
    market: Market,
    calendars: MarketCalendars,
    path: Path | None,
    host: ThreadHost | None,
    epoch: int,
    fork: Fork | None = None,
) -> Callable[[], PaperVenue]:
    """Return what opens a paper venue with its file at ``path``, or in memory.

    Of a ``fork`` it has the cash and the positions, and not the capital.
    """
    # All capital lies at the first venue; what is bought elsewhere is owed there.
    is_first = name == venues_of(market.instruments)[0]
    opening = {market.currency: market.capital} if is_first else {}
    held: Mapping[str, Position] = {}
    if fork is not None:
        opening, held = {**fork.cash}, fork.positions

    def connect() -> PaperVenue:
        return PaperVenue(
            market.data,
            market.instruments,
            market.model,
            path=path,
            host=host,
            session_end_us=session_ends(calendars),
            opened_at_us=session_opens(market, calendars),
            opening=opening,
            held=held,
            name=name,
            epoch=epoch,
        )

    if path is not None:
        return connect
    # In memory the venue outlives its sessions, as a real one does.
    only = connect()
    return lambda: only


def world_of(name: str, market: Market) -> str:
    """Return what an engine and its venue ``name`` must both have, as JSON."""
    return json.dumps({"venue": name, **market.values()}, sort_keys=True)


def remote_venue(
    name: str, market: Market, socket: Path, engine: int, epoch: int
) -> Callable[[], RemoteVenue]:
    """Return what reaches a venue in another process, as the engine of ``epoch``."""
    world = world_of(name, market)
    return lambda: RemoteVenue(
        socket, world=world, engine=engine, epoch=epoch, name=name
    )


def session_ends(calendars: MarketCalendars) -> Callable[[str, int], int]:
    """Return when a day order of an instrument ends."""
    day_us = 86_400_000_000

    def end_us(symbol: str, time_us: int) -> int:
        calendar = calendars.calendar_of(symbol)
        if calendar is None:
            return (time_us // day_us + 1) * day_us
        return calendar.close_after(time_us)

    return end_us


def session_opens(
    market: Market, calendars: MarketCalendars
) -> Callable[[str, int], int]:
    """Return when a bar opens: not before its session, nor the last bar's end."""
    columns = market.data.columns

    def opened_at_us(symbol: str, row: int) -> int:
        bars = columns[symbol]
        end_us = bars.ends_us[row]
        opened_us = end_us - bars.interval_us
        if row:
            opened_us = max(opened_us, bars.ends_us[row - 1])
        calendar = calendars.calendar_of(symbol)
        if calendar is not None:
            session = calendar.session_of(end_us - 1)
            if session is not None:
                opened_us = max(opened_us, session[0])
        return opened_us

    return opened_at_us


def cache_directory() -> Path:
    """Return where the tables of calendars are kept."""
    return Path(platformdirs.user_cache_dir("holdfast")) / "calendars"
