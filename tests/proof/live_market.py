"""A live market without a world: what it tells is known, so a run can be told again.

``python -m tests.proof.live_market FOLDER SEED`` lets an engine trade on it, and kills
it with SIGKILL at records of its tape and its journal until it has come to the end; it
imports once and forks each life.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

import attrs
import trio
from msgspec.structs import replace

import holdfast.running
from holdfast.loading import load_strategy
from holdfast.options import RunOptions, names_of
from holdfast.running import LiveMarket, Setup, run_engine
from holdfast.taping import TapeTrimmer, read_tape
from holdfast.testing.markets import T0
from holdfast_actors.livefeed import LiveFeed
from holdfast_actors.places import FEED, FEEDS
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_actors.tree import Parts
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.matching import FillModel
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.tape import SqliteTape, TapeReader
from holdfast_domain.cursor import SLICE_SLOT, cursor_at
from holdfast_domain.growing import Fetched, GrowingData, Seen
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import Quote, Trade, us_of, utc_from_us
from holdfast_domain.stepping import News, StepMaker
from holdfast_runtime import ActorSpec, Context

from .running import RESTLESS, SHORT

SYMBOLS = ("AAPL", "IBM", "MSFT")
MINUTE_US = 60_000_000
BARS = 40
KILLS = 3
PAST = 8
"""Minutes of history, where there is some."""

LIMIT_S = 60.0
TAPPER = RESTLESS.with_name("tapper.py")
BEGIN_US = us_of(T0) + 39 * 3_600_000_000 + 10 * MINUTE_US
"""Twenty minutes before a Wednesday's 15:30, when a schedule is due."""


LATE = range(18, 23)
"""Minutes that were not heard: a schedule is due in the midst of them."""


def steps(*, tells: bool, past: int = 0, ticks: bool = True) -> list[Seen]:
    """What such a market gives: a step of bars a minute, and, if it tells, of news.

    News are quotes, and trades unless they are not wanted.

    With a ``past`` so many minutes are history, and others were asked for too late.
    """
    path = random.Random(7)
    prices = dict.fromkeys(SYMBOLS, 100.0)
    maker = StepMaker(
        SYMBOLS,
        MINUTE_US,
        grace_us=0,
        tells_trades=tells and ticks,
        tells_quotes=tells,
    )
    made: list[Seen] = []
    for quarter in range(4 * (BARS + 1)):
        at_us = BEGIN_US + quarter * MINUTE_US // 4
        trades, quotes = [], []
        for symbol in SYMBOLS:
            prices[symbol] = price = round(prices[symbol] + path.uniform(-1, 1), 2)
            at = utc_from_us(at_us)
            trade = Trade(instrument=symbol, traded_at=at, price=price, size=1000.0)
            trades.append(trade)
            quotes.append(
                Quote(
                    instrument=symbol, quoted_at=at, bid=price - 0.01, ask=price + 0.01,
                    bid_size=5.0, ask_size=5.0,
                )
            )  # fmt: skip
        made += maker.take(
            News(
                now_us=at_us + 1,
                trades=tuple(trades),
                quotes=tuple(quotes),
                whole_from_us=0,
            )
        )
    return [each for step in made for each in _fetched(step, past)] if past else made


def _fetched(step: Seen, past: int) -> list[Seen]:
    """Return a step as it would be, had it been asked of the venue, if it was."""
    minute = (step.time_us - BEGIN_US) / MINUTE_US
    if minute > past and not LATE.start < minute <= LATE.stop:
        return [step]
    mark: Fetched = "before" if minute <= past else "late"
    return [replace(step, fetched=mark)] if step.bars else []


@attrs.frozen
class Ready:
    """Makes no steps of news: it is told them whole, for they were made before."""

    def take(self, news: Any) -> list[Seen]:
        """Return what it was given."""
        return [news]


@attrs.frozen
class Source:
    """A `MarketSource` that goes on where the tape ends."""

    told: Sequence[Seen]
    tape: SqliteTape

    async def run(self, take: Callable[[Any], Awaitable[None]]) -> None:
        """Tell all, one by one, and then nothing any more."""
        for step in self.told[len(self.tape) :]:
            await take(step)
        await trio.sleep_forever()


def options_of(data: GrowingData, files: Sequence[Path]) -> RunOptions:
    loaded = [load_strategy(str(file)) for file in files]
    return RunOptions(
        strategies=tuple(loaded),
        names=names_of(loaded),
        params=({},) * len(loaded),
        data=data,
        instruments={name: Instrument(symbol=name) for name in SYMBOLS},
        capital=Decimal(20_000),
        model=FillModel(commission=Decimal("0.001")),
    )


async def run(
    state: Path,
    told: Sequence[Seen],
    files: Sequence[Path],
    tape_of: Callable[[Path, str], SqliteTape] = SqliteTape,
    *,
    keep_us: int | None = None,
    waits_for_cut: bool = False,
    trimmer_of: type[TapeTrimmer] = TapeTrimmer,
) -> None:
    """Run an engine on the market until all was published, and everything done.

    With ``keep_us``, quotes that are older are let go as soon as they may be.
    """
    tells = any(step.trades for step in told)
    with StateDir.open(state, os.getpid()) as directory:
        tape = tape_of(directory.tape, "live")
        # Almost nothing is kept: what is fed again comes from the tape.
        recall = TapeReader(directory.tape)
        data = GrowingData(
            SYMBOLS, MINUTE_US, "live", tells_trades=tells, recall=recall, kept=3
        )
        history = [step for step in told if step.fetched == "before"]
        if history and not len(tape):
            tape.append(history)
        read_tape(tape, data)

        def market(hosts: Any) -> LiveMarket:
            return LiveMarket(sources=(_feed(told, tape, data, hosts),))

        parts: list[Parts] = []
        engines: list[Any] = []

        def observe(engine: Any, made: Parts) -> None:
            engines.append(engine)
            parts.append(made)

        setup = Setup(
            options=options_of(data, files), directory=directory,
            market=market, observe=observe, backoff=SHORT,
        )  # fmt: skip
        if keep_us is not None:
            setup = attrs.evolve(
                setup,
                snapshots=SnapshotPlan(every_s=0.06, poll_s=0.03),
                trimmer=trimmer_of(directory.tape, data, keep_us, worth_it=1),
            )
        gone = tape.let_go_before

        def is_enough() -> bool:
            return not waits_for_cut or tape.let_go_before > gone

        with trio.fail_after(LIMIT_S):
            await _play(setup, parts, engines, len(told), is_enough)
        recall.close()
        tape.close()


def _feed(
    told: Sequence[Seen], tape: SqliteTape, data: GrowingData, hosts: Any
) -> ActorSpec:
    host, maker = hosts.open(f"{FEEDS}/here"), cast("Any", Ready)

    def build(ctx: Context) -> LiveFeed:
        return LiveFeed(
            source=Source(told, tape), tape=tape, data=data, maker=maker,
            host=host, feed=ctx.ref(FEED), now_s=ctx.now_s,
        )  # fmt: skip

    return ActorSpec(name="here", build=build, waits_for=())


async def _play(
    setup: Setup,
    parts: Sequence[Parts],
    engines: Sequence[Any],
    count: int,
    is_enough: Callable[[], bool],
) -> None:
    """Run until ``count`` steps were published, and nothing is left to do."""
    last = cursor_at(count - 1, SLICE_SLOT)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_engine, setup)
        while not (  # noqa: ASYNC110 - no one tells
            parts
            and parts[0].clock.cursor == last
            and _is_quiet(engines[0])
            and is_enough()
        ):
            await trio.sleep(0.005)
        nursery.cancel_scope.cancel()


def _is_quiet(engine: Any) -> bool:
    return not (engine.pending or engine.unsettled or engine.held)


# --- lives that are ended -------------------------------------------------------


def market_of(mode: str) -> list[Seen]:
    """What the market of a mode gives: news, none, or quotes that are let go."""
    return steps(tells=mode != "silent", past=PAST, ticks=mode != "trimmed")


def live(folder: Path, kill_at: int | None, *, is_durable: bool, mode: str) -> None:
    """Be the engine, until the n-th record of tape or journal, or to the end.

    What is let go of a tape counts as a record, too.
    """
    count = 0

    def aimed(commit: Callable[[], None]) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            if is_durable:
                commit()
            os.kill(os.getpid(), signal.SIGKILL)
        commit()

    class Tape(SqliteTape):
        def append(self, steps: Sequence[Seen]) -> None:
            aimed(lambda: SqliteTape.append(self, steps))

    class Journal(SqliteJournal):
        def append(self, batch: Sequence[Any]) -> None:
            aimed(lambda: SqliteJournal.append(self, batch))

    class Trimmer(TapeTrimmer):
        def let_go(self, needed_from: int) -> None:
            aimed(lambda: TapeTrimmer.let_go(self, needed_from))

    setattr(holdfast.running, "SqliteJournal", Journal)  # noqa: B010 - for mypy
    keep_us = 0 if mode == "trimmed" else None
    trio.run(
        partial(run, keep_us=keep_us, trimmer_of=Trimmer),
        folder, market_of(mode), (RESTLESS, TAPPER), Tape,
    )  # fmt: skip


def main(folder: Path, seed: int, mode: str) -> int:
    """Let it live and die until it came to the end; print how often it was killed."""
    sample, kills = random.Random(seed), 0
    while True:
        kill_at = None if kills >= KILLS else sample.randint(1, 25)
        pid = os.fork()
        if not pid:
            try:
                is_durable = sample.random() < 0.5
                live(folder, kill_at, is_durable=is_durable, mode=mode)
            except BaseException:  # noqa: BLE001 - said here, for this process ends
                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            print(kills)
            return os.WEXITSTATUS(status)
        kills += 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
