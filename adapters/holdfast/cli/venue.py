"""``holdfast venue``: a venue in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click
import trio

from holdfast.cli.exchange import binance
from holdfast.cli.failing import say
from holdfast.cli.output import show_line
from holdfast.cli.sharing import market_of, market_options
from holdfast.cli.tws import ib
from holdfast.options import Market
from holdfast.venues import cache_directory, known_venue, paper_venue, world_of
from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.paper.store import fence_of
from holdfast_adapters.remote import VenueServer
from holdfast_adapters.statedir import StateDir


@click.group(
    no_args_is_help=False,
    epilog="Example: holdfast venue paper --data prices/ --state venue --socket v.sock",
)
def venue() -> None:
    """Run a venue in a process apart, as an exchange is."""


venue.add_command(binance)
venue.add_command(ib)


@venue.command(
    epilog="Example: holdfast venue paper --data prices/ --state venue --socket v.sock"
)
@market_options
@click.option(
    "--state", required=True, metavar="DIR", help="Where its own record is kept."
)
@click.option(
    "--socket", required=True, metavar="PATH", help="Where it listens for an engine."
)
@click.option(
    "--venue",
    "name",
    metavar="NAME",
    help="Which of the instruments' venues it is; the first, if it is not said.",
)
def paper(**given: Any) -> int:  # noqa: ANN401 - as click gives them
    """Run a paper venue, for 'holdfast paper --venue-socket [NAME=]PATH'.

    It lives in the engine's replayed time, commits before it answers, and may be killed
    and started again like the engine. Its options must be those of the engine. One
    engine trades at a time; a newer one fences off the older.

    Ctrl-C or SIGTERM end it.
    """
    market = market_of(given)
    with StateDir.open(Path(given["state"]), os.getpid()) as directory:
        trio.run(serve_paper, market, directory, Path(given["socket"]), given["name"])
    return 0


async def serve_paper(
    market: Market, directory: StateDir, socket: Path, name: str | None = None
) -> None:
    """Serve a venue of the market, with its file in ``directory``, until a signal.

    It is the one that ``name`` says, or the first.

    Raises:
        InputError: somebody listens at ``socket``, one of both cannot be used, or
            nothing trades at such a venue.
    """
    calendars = MarketCalendars(market.instruments, cache_directory())
    name = known_venue(name or "", market, "--venue")
    path = directory.venue(name)
    made = paper_venue(name, market, calendars, path, None, fence_of(path))()
    await made.connect()
    server = VenueServer(made, world=world_of(name, market), said=say)
    async with trio.open_nursery() as nursery:
        await nursery.start(_ended_by_signal, nursery.cancel_scope)
        await nursery.start(server.serve, socket)
        show_line(f"the venue listens at {socket}")
        sys.stdout.flush()
    await made.close()


async def _ended_by_signal(
    scope: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
