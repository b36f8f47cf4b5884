"""``holdfast paper``: the live engine on a replay, with a state to resume from."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import click
import trio

from holdfast.cli.dealing import dealing_of, dealing_options
from holdfast.cli.failing import FAILED, say
from holdfast.cli.logging import log_options, logs_of
from holdfast.cli.output import Meter, kept_for_json, show, show_json, show_line
from holdfast.cli.recording import Finished, Keeping
from holdfast.cli.running import registered
from holdfast.cli.sharing import options_of, run_options, whole_number
from holdfast.cli.signals import Halting, stopping
from holdfast.logs import Logs
from holdfast.options import Market, RunOptions
from holdfast.paper import Elsewhere, RunEnd, paper_result, run_entries, run_paper
from holdfast.results.measure import RunResult
from holdfast.results.summary import summary
from holdfast.venues import known_venue
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_actors.tree import Parts
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.events import ActorParked, EngineStarted, Entry, RunFinished
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import to_decimal
from holdfast_runtime import Lifecycle, LiveEngine, Signals
from holdfast_runtime.threads.hangs import Hang

METER_S = 0.1
"""How often the progress bar looks."""

STRATEGIES = "engine/trading/strategies/"
TWINS = "engine/trading/twins"
"""Where a family may be parked while the others go on."""


@click.command(
    epilog="Example: holdfast paper sma_cross.py --data prices/ --state runs/sma"
)
@run_options
@click.option(
    "--speed",
    default="max",
    show_default=True,
    metavar="N|max",
    help="How many times faster than it happened.",
)
@click.option(
    "--state",
    required=True,
    metavar="DIR",
    help="Where the journal is kept; one run for each directory.",
)
@click.option(
    "--venue-socket",
    "venue_sockets",
    multiple=True,
    metavar="[NAME=]PATH",
    help="Where a venue listens that 'holdfast venue paper' runs; else it is in here.",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Fence off the engine that trades at that venue.",
)
@log_options
@click.option(
    "--snapshot-every",
    default="60",
    show_default=True,
    metavar="SECONDS",
    help="How often a snapshot of the state is made.",
)
@click.option(
    "--compact-after",
    default="10000",
    show_default=True,
    metavar="N",
    help="Records that go to the archive together.",
)
@dealing_options
@click.pass_obj
def paper(arguments: tuple[str, ...], /, files: tuple[str, ...], **given: Any) -> int:  # noqa: ANN401
    """Run strategies on the live engine, over a replay of recorded data.

    Started again on the same DIR it goes on where it was stopped or killed, and when
    the data is at its end it prints what the whole run came to. --speed may differ from
    start to start, the other options may not.

    The first Ctrl-C or SIGTERM stops in order, the second one at once. SIGUSR1 halts.
    """
    state = Path(given["state"])
    signals = stopping(shlex.join(["holdfast", *arguments]))
    with kept_for_json(given["as_json"]):
        speed = _speed(given["speed"])
        plan = _plan(given["snapshot_every"], given["compact_after"])
        options = attrs.evolve(options_of(files, given), dealing=dealing_of(given))
        elsewhere = _elsewhere(options.market, given)
        keeping = Keeping.of(given, os.environ)
        with signals, StateDir.open(state, os.getpid()) as directory:
            with registered(directory.path, os.environ), Meter("paper") as meter:
                logs = logs_of(given["log"], given["log_level"])
                live = _Live(
                    options, directory, speed, plan, signals, meter, logs, elsewhere
                )
                ended = trio.run(live.run)
            if not ended.finished:
                return signals.status
            entries = run_entries(directory)
            result = paper_result(options, directory, ended)
    _print(options, given, keeping, result, entries)
    return _parked(entries)


@attrs.define(eq=False)
class _Live:
    """One process's share of a run."""

    options: RunOptions
    directory: StateDir
    speed: float | None
    plan: SnapshotPlan
    signals: Signals
    meter: Meter
    logs: Logs | None
    elsewhere: Elsewhere | None
    _halting: Halting = attrs.field(factory=Halting)
    _parts: Parts | None = None

    async def run(self) -> RunEnd:
        """Run to the end of the data, or to the first signal."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._halting.listen)
            if self.meter.is_shown:
                nursery.start_soon(self._show_progress)
            ended = await run_paper(
                self.options,
                self.directory,
                self.speed,
                self._observe,
                self.signals,
                logs=self.logs,
                snapshots=self.plan,
                say=say,
                elsewhere=self.elsewhere,
            )
            nursery.cancel_scope.cancel()
        return ended

    def _observe(self, engine: LiveEngine, parts: Parts) -> None:
        self._parts = parts
        self._halting.attach(engine)
        engine.on_lifecycle.append(say_parked)
        engine.on_hang.append(say_hang)

    async def _show_progress(self) -> None:
        total = len(self.options.data.times_us)
        while True:
            if self._parts is not None:
                self.meter.at(self._parts.prices.step + 1, total)
            await trio.sleep(METER_S)


def say_hang(hang: Hang) -> None:
    """Say who holds up the engine, while it cannot be asked; on a thread of its own."""
    say(f"{hang.path} holds up the engine for {hang.held_s:.1f} s, at {hang.where}")


def say_parked(event: Lifecycle) -> None:
    """Say at once what keeps the data from coming to its end, or needs a person."""
    if event.what == "attention":
        say(event.error)
    if event.what == "parked" and not event.path.startswith((STRATEGIES, TWINS)):
        say(
            f"{event.path} is parked after {event.error}; the data cannot go on; "
            "look with 'holdfast status', stop with Ctrl-C and start again"
        )


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        number = to_decimal(text)
    except DomainError:
        number = None
    if number is None or number <= 0:
        expected = "a positive number, or max"
        raise InputError("--speed", expected, repr(text), "such as --speed 1000")
    return float(number)


def _elsewhere(market: Market, given: dict[str, Any]) -> Elsewhere | None:
    sockets: dict[str, Path] = {}
    for text in given["venue_sockets"]:
        said, divided, path = text.partition("=")
        said, path = (said, path) if divided else ("", text)
        name = known_venue(said, market, "--venue-socket")
        if name in sockets:
            raise InputError("--venue-socket", "each venue once", f"{name} again")
        sockets[name] = Path(path)
    if sockets:
        return Elsewhere(sockets, given["take_over"])
    if given["take_over"]:
        expected = "--venue-socket too, for a venue in another process"
        todo = "without it the state directory's lock is that of the account"
        raise InputError("--take-over", expected, "none", todo)
    return None


def _plan(every: str, compact_after: str) -> SnapshotPlan:
    try:
        every_s = float(to_decimal(every))
    except DomainError:
        every_s = 0.0
    if every_s <= 0:
        raise InputError("--snapshot-every", "a positive number of seconds", every)
    return SnapshotPlan(
        every_s=every_s, compact_after=whole_number("--compact-after", compact_after, 1)
    )


def _print(
    options: RunOptions,
    given: Mapping[str, Any],
    keeping: Keeping,
    result: RunResult,
    entries: list[Entry],
) -> None:
    if given["as_json"]:
        show_json(result.to_json())
    else:
        show(summary(result))
    ends = [each for each in entries if isinstance(each.event, RunFinished)]
    report = keeping.keep(
        Finished(
            kind="paper",
            options=options,
            given=given,
            result=result,
            entries=entries,
            started_at=utc_from_us(entries[0].wall_time_us),
            finished_at=utc_from_us((ends or entries)[0].wall_time_us),
        )
    )
    if report is not None and not given["as_json"]:
        show_line(f"report: {report}")


def _parked(entries: list[Entry]) -> int:
    """Tell which families the last start parked, and return the exit status."""
    parked: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry.event, EngineStarted):
            parked = {}
        elif isinstance(entry.event, ActorParked):
            parked[entry.event.path] = entry.event.error
    if not parked:
        return 0
    words = "; ".join(f"{path} after {error}" for path, error in parked.items())
    say(f"parked, and not run to the end: {words}")
    return FAILED
