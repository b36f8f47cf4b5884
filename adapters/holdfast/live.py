"""A live market, as a configuration says it: its rules, its tape, and what hears it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import attrs
import trio

from holdfast.account import AtVenue
from holdfast.atbinance import AtBinance
from holdfast.atib import AtIB
from holdfast.clocks import SystemClock
from holdfast.configuration import Config
from holdfast.configuration.model import VenueConfig
from holdfast.hosts import Hosts
from holdfast.keeping import ignore
from holdfast.listing import keep_listing, kept_listing
from holdfast.liveoptions import live_options
from holdfast.logs import Logs
from holdfast.needing import take_history
from holdfast.outages import degrading_of, goes_on_on_paper, maintenance_of
from holdfast.places import Hearing, Place
from holdfast.running import LiveMarket, Observer, RunEnd, Setup, run_engine
from holdfast.taping import DAY_US, TapeTrimmer, read_tape
from holdfast.twins import twins_of
from holdfast_actors.livefeed import LiveFeed
from holdfast_actors.parts import LiveAccount
from holdfast_actors.places import FEED, FEEDS, twin_path
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.streams.recording import Recorder
from holdfast_adapters.tape import SqliteTape, TapeReader
from holdfast_domain.errors import InputError, VenueError
from holdfast_domain.growing import GrowingData
from holdfast_domain.instruments import Instrument
from holdfast_domain.pastbars import PastBars
from holdfast_domain.ports import MarketSource, WallClock
from holdfast_domain.recent import Recall
from holdfast_domain.stepping import News, StepMaker
from holdfast_runtime import ActorSpec, Backoff, Context, Signals

LEARN_S = 10.0
"""How long a start waits for a venue that it has known before."""


@attrs.frozen(kw_only=True)
class LiveRun:
    """What a start is given, besides its configuration."""

    config: Config
    path: Path
    """Of the configuration; what it names is beside it."""

    directory: StateDir
    observe: Observer | None = None
    signals: Signals | None = None
    logs: Logs | None = None
    say: Callable[[str], None] = ignore
    accept_stale: bool = False
    account: AtVenue | None = None
    """Its lock, in the mode ``live``; None if nobody else can come."""

    backoff: Backoff = attrs.field(factory=Backoff)
    """Of all families."""

    clock: WallClock = attrs.field(factory=SystemClock)
    """The host's; a market is heard by the venue's, as far as it is known from it."""


async def run_live(run: LiveRun) -> RunEnd:
    """Trade on a live market until a signal; then stop in order.

    Raises:
        InputError: the configuration, a strategy or the state directory is wrong, or
            the venue, which was never reached before, is not reached.
        EngineFailed: the core could not be healed.
    """
    config, directory = run.config, run.directory
    ((name, venue),) = config.venues.items()
    market = VenueMarket.of(name, venue, config)
    instruments, offset_us = await _learn(market, run)
    calendars = market.place.calendars(directory)
    tape = SqliteTape(directory.tape, market.identity, run.clock.now_us())
    before = TapeReader(directory.tape)
    data = market.data(before)
    try:
        options = live_options(config, run.path, venue, data, instruments)
        if not directory.journal.exists():
            tape.begin_anew()
        if not len(tape):
            past, now_us = market.past(run.clock, offset_us), run.clock.now_us()
            said = await take_history(
                past, market.place.where, config, options, tape, now_us + offset_us
            )
            if said:
                run.say(f"{name}: {said}")
        read_tape(tape, data)
        accounts = market.accounts(run.clock, offset_us, tape.begun_us, run.say)
        setup = Setup(
            options=options,
            directory=directory,
            mode=config.mode,
            observe=run.observe,
            signals=run.signals,
            backoff=run.backoff,
            logs=run.logs,
            snapshots=config.engine.snapshots(),
            trimmer=_trimmer(run, data),
            reconciling=config.engine.reconciliation.plan(),
            say=run.say,
            market=lambda hosts: LiveMarket(
                sources=(market.feed(run, tape, data, hosts, offset_us),),
                accounts=accounts(hosts),
                degrading=degrading_of(config),
                maintenance=maintenance_of(config, run.clock),
                calendars=calendars,
            ),
            accept_stale=run.accept_stale,
            elsewhere=run.account,
            beside=twins_of(config, options, calendars, run.backoff, run.say),
        )
        return await run_engine(setup)
    finally:
        before.close()
        tape.close()


def _trimmer(run: LiveRun, data: GrowingData) -> TapeTrimmer | None:
    days = run.config.engine.tape.keep_days
    return (
        None if days is None else TapeTrimmer(run.directory.tape, data, days * DAY_US)
    )


@attrs.frozen(kw_only=True)
class VenueMarket:
    """One venue's market, and what is wanted of it."""

    name: str
    venue: VenueConfig
    config: Config
    place: Place

    @classmethod
    def of(cls, name: str, venue: VenueConfig, config: Config) -> VenueMarket:
        """Return that of the venue ``name`` of ``config``."""
        place: Place = AtIB(name, venue)
        if venue.adapter != "ib":
            place = AtBinance(name, venue, is_shared=len(config.strategies) > 1)
        return cls(name=name, venue=venue, config=config, place=place)

    @property
    def identity(self) -> str:
        """What a tape of it has on it; it must not change between starts."""
        data = self.config.data
        told = [word for word in ("trades", "quotes") if getattr(data, word)]
        words = [
            self.name,
            *self.venue.symbols,
            f"{data.interval // 1_000_000}s",
            *told,
        ]
        if self.venue.adapter != "binance":
            words.append(self.venue.adapter)
        return " ".join(words)

    def data(self, recall: Recall) -> GrowingData:
        """Return the market's data, which is empty yet."""
        digest = f"{self.config.mode} {self.identity}"
        said = self.config.data
        return GrowingData(
            self.venue.symbols,
            said.interval,
            digest,
            tells_trades=said.trades,
            recall=recall,
        )

    def accounts(
        self,
        clock: WallClock,
        offset_us: int,
        begun_us: int,
        say: Callable[[str], None],
    ) -> Callable[[Hosts], Mapping[str, LiveAccount]]:
        """Return what makes the account that is traded; on paper there is none."""
        if self.config.mode == "paper":
            return lambda _hosts: {}
        account = self.place.account(
            clock, offset_us, begun_us, lambda text: say(f"{self.name}: {text}")
        )
        return lambda hosts: {self.name: account(hosts)}

    def past(self, clock: WallClock, offset_us: int) -> PastBars | None:
        """Return whom to ask for bars that were not heard; None: nobody."""
        said = self.config.data
        if not said.history:
            return None
        return self.place.past(clock, offset_us, said.interval)

    def feed(
        self,
        run: LiveRun,
        tape: SqliteTape,
        data: GrowingData,
        hosts: Hosts,
        offset_us: int,
    ) -> ActorSpec:
        """Return what listens to the market, as a child of the feeds."""
        said, clock = self.config.data, run.clock
        host = hosts.open(f"{FEEDS}/{self.name}")
        listener = self.place.listener(hosts)
        past = self.past(clock, offset_us)
        relays = [twin_path(name) for name in goes_on_on_paper(self.config)]

        def tell(text: str) -> None:
            run.say(f"{self.name}: {text}")

        def maker() -> StepMaker:
            return StepMaker(
                self.venue.symbols,
                said.interval,
                grace_us=round(said.grace_s * 1_000_000),
                tells_trades=said.trades,
                tells_quotes=said.quotes,
                after_us=data.times_us[-1] if data.times_us else 0,
                told_us=data.told_us,
                asks=past is not None,
            )

        def build(ctx: Context) -> LiveFeed:
            recorder = None if said.record is None else _recorder(said.record, clock)
            source = listener(
                Hearing(
                    data=said,
                    clock=clock,
                    offset_us=offset_us,
                    said=tell,
                    recorder=recorder,
                )
            )
            return LiveFeed(
                source=source if recorder is None else _Recorded(source, recorder),
                tape=tape,
                data=data,
                maker=maker,
                host=host,
                feed=ctx.ref(FEED),
                now_s=ctx.now_s,
                past=past,
                said=tell,
                relays=[ctx.ref(path) for path in relays],
            )

        return ActorSpec(name=self.name, build=build, waits_for=())


@attrs.frozen
class _Recorded:
    """A `MarketSource` whose recording ends when it is not listened to any more."""

    source: MarketSource
    recorder: Recorder

    async def run(self, take: Callable[[News], Awaitable[None]]) -> None:
        """Listen until cancelled; see `MarketSource.run`."""
        try:
            await self.source.run(take)
        finally:
            self.recorder.close()


def _recorder(folder: Path, clock: WallClock) -> Recorder:
    """Return what keeps each message in ``folder``, behind what is there.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        came = error.strerror or str(error)
        raise InputError(str(folder), "a folder to record to", came) from error
    return Recorder(folder, lambda: clock.now_us() * 1000)


# --- what the venue says before anything is built -----------------------------


async def _learn(
    market: VenueMarket, run: LiveRun
) -> tuple[Mapping[str, Instrument], int]:
    """Return the instruments, and what is added to our clock to get the venue's.

    Raises:
        InputError: the venue does not know a symbol, or is not reached at all.
    """
    try:
        with trio.fail_after(LEARN_S):
            learned = await market.place.learn(run.clock)
    except (VenueError, ConnectionError, trio.TooSlowError) as error:
        said = str(error) or f"no answer within {LEARN_S:g} s"
        return _known(market, run, said), 0
    keep_listing(run.directory, learned.instruments)
    return learned.instruments, learned.offset_us


def _known(market: VenueMarket, run: LiveRun, why: str) -> Mapping[str, Instrument]:
    """Return what the venue said at an earlier start: a restart must not need it."""
    known = kept_listing(run.directory)
    if not set(market.venue.symbols) <= set(known):
        where, todo = market.place.where, "check address, testnet and symbols"
        raise InputError(where, "a venue that knows the symbols", why, todo)
    run.say(f"{why}; going on with what it said of its instruments before")
    return known
