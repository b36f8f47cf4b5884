"""``holdfast run``: an engine as a YAML file says it, on a live market."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import attrs
import click
import trio

from holdfast.account import AtVenue, lock_at
from holdfast.cli.failing import say
from holdfast.cli.paper import say_hang, say_parked
from holdfast.cli.running import registered
from holdfast.cli.signals import Halting, stopping
from holdfast.configuration import Config, read_config
from holdfast.configuration.model import VenueConfig
from holdfast.configuration.reading import credentials_of
from holdfast.live import LiveRun, run_live
from holdfast.logs import Logs
from holdfast.results.runs import data_directory
from holdfast.running import RunEnd
from holdfast_actors.tree import Parts
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_runtime import LiveEngine


@click.command(epilog="Example: holdfast run examples/binance_paper.yaml")
@click.argument("file", metavar="CONFIG.yaml")
@click.option(
    "--live", "consents", is_flag=True, help="Yes, trade with the account's own money."
)
@click.option(
    "--accept-stale",
    is_flag=True,
    help="Go on with an account although the state is older than an hour.",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Fence off the engine on this machine that trades the account.",
)
@click.pass_obj
def run(
    arguments: tuple[str, ...],
    /,
    file: str,
    *,
    consents: bool,
    accept_stale: bool,
    take_over: bool,
) -> int:
    """Run the strategies of CONFIG.yaml on a venue's live market.

    With 'mode: paper' their orders are filled by a venue on paper, with 'mode: live' by
    the venue itself. Started again, it goes on where it was stopped or killed.

    The first Ctrl-C or SIGTERM stops in order, the second one at once. SIGUSR1 halts.
    """
    path = Path(file)
    config = read_config(path)
    _check_consent(config, consents=consents)
    signals = stopping(shlex.join(["holdfast", *arguments]))
    with (
        signals,
        StateDir.open(config.engine.state, os.getpid()) as directory,
        registered(directory.path, os.environ),
    ):
        logging = config.logging
        share = LiveRun(
            config=config,
            path=path,
            directory=directory,
            signals=signals,
            logs=None if logging is None else Logs(logging.format, logging.level),
            say=say,
            accept_stale=accept_stale,
            account=_account(config, take_over=take_over),
        )
        trio.run(_run, share)
    return signals.status


def _check_consent(config: Config, *, consents: bool) -> None:
    if (config.mode == "live") is consents:
        return
    if consents:
        todo = "drop --live, or write mode: live"
        raise InputError(config.place, "mode: live with --live", "mode: paper", todo)
    todo = "start with --live if the account's own money may be traded"
    raise InputError(config.place, "consent to mode: live", "none", todo)


def _account(config: Config, *, take_over: bool) -> AtVenue | None:
    """Return the account that is traded; on paper there is none."""
    if config.mode == "paper":
        if take_over:
            todo = "on paper the state directory's lock is that of the account"
            raise InputError("--take-over", "mode: live", "mode: paper", todo)
        return None
    (venue,) = config.venues.values()
    lock = lock_at(
        data_directory(os.environ),
        venue.adapter,
        venue.address,
        _owner(venue),
        testnet=venue.testnet,
    )
    return AtVenue(lock, take_over)


def _owner(venue: VenueConfig) -> str:
    """Return what tells the account apart from others at its address."""
    if venue.adapter == "ib":
        return venue.account or f"client {venue.client_id}"
    return credentials_of(venue).key


async def _run(share: LiveRun) -> RunEnd:
    halting = Halting()

    def observe(engine: LiveEngine, parts: Parts) -> None:
        del parts
        halting.attach(engine)
        engine.on_lifecycle.append(say_parked)
        engine.on_hang.append(say_hang)

    async with trio.open_nursery() as nursery:
        await nursery.start(halting.listen)
        ended = await run_live(attrs.evolve(share, observe=observe))
        nursery.cancel_scope.cancel()
    return ended
