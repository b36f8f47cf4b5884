"""Twins: while a venue is degraded, its strategies go on on paper, in a second tree.

A twin is a whole run on paper in a directory of its own: it has its journal, orders,
ledger, guard and venue there, and is fed with the data that the live feed makes grow.
The live tree knows of it only that there is one more actor, which runs it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from holdfast.configuration import Config
from holdfast.console.actor import Desk
from holdfast.forking import Fork, fork_of, kept_fork
from holdfast.listing import keep_listing
from holdfast.options import RunOptions
from holdfast.outages import goes_on_on_paper
from holdfast.running import LiveMarket, Setup, run_engine
from holdfast.tally import Tally, ended_at, forget_old, mark_ended
from holdfast_actors.degradation import PAPER
from holdfast_actors.messages import Grown, Report, Save
from holdfast_actors.parts import Parts
from holdfast_actors.places import FEED, JOURNAL, strategy_path
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_adapters.calendars import TableCalendar
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import DomainError, Fenced
from holdfast_domain.events import VenueDegraded
from holdfast_runtime import (
    ActorError,
    ActorSpec,
    Backoff,
    Beyond,
    Context,
    EngineFailed,
    Full,
    Lane,
    LaneSpec,
    Lifecycle,
    LiveEngine,
    MailboxClosed,
    MailboxFull,
    SupervisorSpec,
)
from holdfast_runtime.threads import PykkaThreadHost

LOOK_S = 0.25
"""The pause between two looks at the gate."""

ASK_S = 5.0
FORK_S = 60.0
SAVE_S = 2.0
"""How long a strategy has to say how it stands; if not, what it said last holds."""

STOP_S = 30.0


@attrs.frozen(kw_only=True)
class TwinPlan:
    """What each twin of a run is made of."""

    options: RunOptions
    """Those of the live run."""

    calendars: Mapping[str, TableCalendar]
    snapshots: SnapshotPlan
    backoff: Backoff
    say: Callable[[str], None]
    """Told what a person should know."""


def twins_of(
    config: Config,
    options: RunOptions,
    calendars: Mapping[str, TableCalendar],
    backoff: Backoff,
    say: Callable[[str], None],
) -> Callable[[Desk], tuple[SupervisorSpec, ...]] | None:
    """Return what makes the family of those who run twins; None where nobody does."""
    venues = goes_on_on_paper(config)
    if not venues:
        return None
    plan = TwinPlan(
        options=options,
        calendars=calendars,
        snapshots=config.engine.snapshots(),
        backoff=backoff,
        say=say,
    )
    return lambda desk: (
        SupervisorSpec(
            name="twins",
            beyond=Beyond.PARK,
            backoff=plan.backoff,
            children=tuple(_spec(venue, plan, desk) for venue in venues),
        ),
    )


def _spec(venue: str, plan: TwinPlan, desk: Desk) -> ActorSpec:
    def build(ctx: Context) -> Twin:
        host = PykkaThreadHost(name=ctx.path)
        ctx.at_end(host.close)
        return Twin(venue, plan, desk, ctx, host)

    return ActorSpec(
        name=venue,
        build=build,
        waits_for=(),
        stop_s=STOP_S,
        # What has grown is seen at the next word, whichever of them was dropped.
        lanes={Lane.DATA: LaneSpec(capacity=8, full=Full.DROP_OLDEST)},
    )


@attrs.define
class _Running:
    """A twin that runs."""

    path: Path
    tally: Tally
    engine: LiveEngine | None = None
    parts: Parts | None = None


class Twin:
    """Runs the twin of one venue's strategies for as long as the venue is degraded.

    It holds nothing that the twin's directory does not have: whoever comes after it
    goes on with the twin by a replay of its journal.
    """

    def __init__(
        self,
        venue: str,
        plan: TwinPlan,
        desk: Desk,
        ctx: Context,
        host: PykkaThreadHost,
    ) -> None:
        self._venue = venue
        self._plan = plan
        self._desk = desk
        self._ctx = ctx
        self._host = host
        self._running: _Running | None = None
        desk.twins[venue] = self.status

    def handle(self, message: Grown | Report) -> object:
        """Pass it on that there is more data, or tell how the twin is."""
        if isinstance(message, Report):
            return self.status()
        if self._running is not None:
            self._feed(self._running)
        return None

    async def run(self) -> None:
        """Look at the gate until cancelled, and run a twin whenever there is to be one.

        Raises:
            OSError, DomainError: a twin cannot be begun.
        """
        while True:
            known = self._known()
            if known is not None and not ended_at(self._path(known)):
                await self._go_on(known)
            await self._ctx.sleep(LOOK_S)

    def status(self) -> dict[str, Any] | None:
        """Return how the twin is, as JSON-able values; None while there is none."""
        running = self._running
        if running is None or running.parts is None:
            return None
        running.tally.catch_up()
        return {
            "directory": str(running.path),
            **running.tally.told(running.parts),
            "words": f"a twin trades on paper: {running.tally.words(running.parts)}",
        }

    # --- one twin --------------------------------------------------------------

    def _known(self) -> VenueDegraded | None:
        """Return what is known of the venue while a twin is to go on."""
        known = self._live().gate.degraded.get(self._venue)
        return known if known is not None and known.policy == PAPER else None

    def _live(self) -> Parts:
        parts = self._desk.parts
        if parts is None:
            message = "a twin is looked after before its engine is there"
            raise RuntimeError(message)
        return parts

    def _path(self, known: VenueDegraded) -> Path:
        return self._desk.directory.path / PAPER / f"{self._venue}-{known.nth}"

    async def _go_on(self, known: VenueDegraded) -> None:
        path, live = self._path(known), self._live()
        with StateDir.open(path, os.getpid()) as directory:
            tally = Tally(live.instruments, live.venue, directory.journal)
            self._running = _Running(path, tally)
            try:
                why = await self._run(known, directory)
            finally:
                self._running = None
            with suppress(DomainError):  # a journal that is damaged: what was read
                tally.catch_up()
            told, words = tally.told(live), tally.words(live)
            mark_ended(path, {"venue": self._venue, "why": why, **told})
        self._say(f"the twin has ended, {why}: {words}; what it did stays in {path}")
        forget_old(path.parent, self._venue)

    async def _fork(self, directory: StateDir) -> Fork:
        """Return how the twin's books began, or begin now."""
        kept = await self._host.run(_kept, directory, deadline_s=FORK_S)
        if kept is not None:
            self._say(
                f"its twin goes on on paper, with its journal in {directory.path}"
            )
            return kept
        keep_listing(directory, self._plan.options.instruments)
        live, ref = self._live(), self._ctx.ref
        for each in live.plans:
            # One that is parked has said all, and one that hangs what it could.
            with suppress(ActorError):
                await ref(strategy_path(each.name)).ask(Save(), deadline_s=SAVE_S)
        # It answers when all before it is durable, that the venue is degraded too.
        await ref(JOURNAL).ask(Report(), deadline_s=ASK_S)
        fork = await self._host.run(fork_of, live, self._venue, deadline_s=FORK_S)
        self._say(f"a twin goes on on paper, with its journal in {directory.path}")
        return fork

    async def _run(self, known: VenueDegraded, directory: StateDir) -> str:
        """Run the twin until the venue is back; return why it ended."""
        try:
            fork = await self._fork(directory)
            await run_engine(self._setup(known, directory, fork))
        except (EngineFailed, DomainError, Fenced, OSError) as error:
            return f"because it failed ({error})"
        return "for the venue is not degraded any more"

    def _setup(self, known: VenueDegraded, directory: StateDir, fork: Fork) -> Setup:
        plan = self._plan
        return Setup(
            options=plan.options,
            directory=directory,
            observe=self._is_up,
            backoff=plan.backoff,
            snapshots=plan.snapshots,
            say=lambda text: self._say(f"in the twin: {text}"),
            market=lambda _hosts: LiveMarket(sources=(), calendars=plan.calendars),
            fork=fork,
            until=self._until_back(known),
        )

    def _until_back(self, known: VenueDegraded) -> Callable[[], Awaitable[None]]:
        async def until() -> None:
            while self._known() == known:
                await self._ctx.sleep(LOOK_S)

        return until

    def _is_up(self, engine: LiveEngine, parts: Parts) -> None:
        running = self._running
        if running is None:
            return
        running.engine, running.parts = engine, parts
        engine.on_lifecycle.append(self._lifecycle)
        # What came between is there already, and nobody says so again.
        self._feed(running)

    @staticmethod
    def _feed(running: _Running) -> None:
        """Say that there is more, unless nobody is there yet, or any more."""
        if running.engine is not None:
            with suppress(MailboxClosed, MailboxFull):
                running.engine.ref(FEED).tell(Grown())

    def _lifecycle(self, event: Lifecycle) -> None:
        if event.what in ("parked", "attention"):
            self._say(f"in the twin: {event.path}: {event.what}: {event.error}")

    def _say(self, text: str) -> None:
        self._plan.say(f"{self._venue}: {text}")


def _kept(directory: StateDir) -> Fork | None:
    if not directory.journal.exists():
        return None
    store = SqliteJournal(directory.journal, 0, read_only=True)
    try:
        return kept_fork(store.read())
    finally:
        store.close()


__all__ = ["Twin", "TwinPlan", "twins_of"]
