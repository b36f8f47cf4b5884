"""Snapshots of a run: made while it runs and when it ends, read when it starts."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import attrs

from holdfast_actors.books import SubLedger
from holdfast_actors.folding import Fold
from holdfast_actors.keeping import Keeper, Trimmer
from holdfast_actors.recovery import Recovery
from holdfast_actors.snapshots import SnapshotPlan, Snapshots
from holdfast_actors.tree import LEDGER, Parts, strategy_path
from holdfast_adapters.files import written_whole
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.snapshots import SnapshotFiles
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import CommitFailed, InputError, SnapshotFailed
from holdfast_domain.money import ZERO
from holdfast_domain.ports import WallClock
from holdfast_runtime import ActorSpec, Context, EngineFailed
from holdfast_runtime.threads import PykkaThreadHost

STALE_AFTER_S = 3_600.0
CRASH_FORMAT = "holdfast crash dump"


@attrs.frozen
class Recovered:
    """What a start has read."""

    recovery: Recovery
    files: SnapshotFiles
    sequence: int
    """Of the snapshot; 0 if the whole journal is replayed."""

    last_wall_us: int
    """When the newest state that was found was written, by the host's clock."""

    def age_s(self, wall: WallClock) -> float:
        """Return how old that state is; 0 where there is none."""
        if not self.last_wall_us:
            return 0.0
        return max(0.0, (wall.now_us() - self.last_wall_us) / 1_000_000)


def ignore(_text: str) -> None:
    """Say nothing."""


def recover(store: SqliteJournal, directory: StateDir) -> Recovered:
    """Read the newest good snapshot and what follows it, once for all owners.

    Raises:
        JournalError: the journal is damaged, or of a newer version.
    """
    files = SnapshotFiles(directory.snapshots)
    recovery = Recovery(store, codec, files.newest_first)
    used = recovery.used()
    if used is not None:
        return Recovered(recovery, files, used.sequence, used.wall_time_us)
    last = next(iter(store.read(max(0, store.last_sequence - 1))), None)
    return Recovered(recovery, files, 0, 0 if last is None else last.wall_time_us)


def check_age(
    recovered: Recovered,
    wall: WallClock,
    say: Callable[[str], None],
    *,
    mode: str,
    where: Path,
    consent: bool = False,
) -> None:
    """Report state that is older than an hour, before anything trades on it.

    Raises:
        InputError: in the mode ``live``, without consent.
    """
    age_s = recovered.age_s(wall)
    if age_s <= STALE_AFTER_S:
        return
    sequence = recovered.sequence
    what = f"the snapshot of record {sequence}" if sequence else "the last record"
    said = f"{what} is {age_s / 3_600:.1f} h old"
    if mode == "live" and not consent:
        todo = "look with 'holdfast state show DIR', then start with --accept-stale"
        raise InputError(str(where), "state of at most 1 h", said, todo)
    say(f"{where}: {said}; what happened since is asked of the venue")


class Keeping:
    """The snapshots of one start: what makes them, when, and on which thread."""

    def __init__(
        self,
        store: SqliteJournal,
        directory: StateDir,
        recovered: Recovered,
        plan: SnapshotPlan,
        say: Callable[[str], None],
        tape: Trimmer | None = None,
    ) -> None:
        """``say`` is told of a snapshot that could not be made.

        What none of them needs of the ``tape`` any more is let go.
        """
        self.store = store
        self.recovered = recovered
        self._directory = directory
        self._plan = plan
        self._say = say
        self._tape = tape
        self._host = PykkaThreadHost()
        self._parts: Parts | None = None
        self._keeper: Keeper | None = None

    def attach(self, parts: Parts) -> Keeper:
        """Make snapshots of the engine that ``parts`` are of."""
        shape = parts.shape
        self._parts = parts
        self._keeper = Keeper(
            store=self.store,
            snapshots=self.recovered.files,
            recovery=self.recovered.recovery,
            fold=lambda: Fold(shape, codec),
            engine=parts.engine,
            wall=parts.wall,
            compact=self.store.compact,
            compact_after=self._plan.compact_after,
            tape=self._tape,
        )
        return self._keeper

    def spec(self) -> ActorSpec:
        """Return the actor that lets snapshots be made, as a child of trading."""
        return ActorSpec(name="snapshots", build=self._build, waits_for=())

    def _build(self, ctx: Context) -> Snapshots:
        parts, keeper = self._parts, self._keeper
        if parts is None or keeper is None:
            message = "attach comes before the tree is built"
            raise RuntimeError(message)
        return Snapshots(
            plan=self._plan,
            keeper=keeper,
            host=self._host,
            ledger=ctx.ref(LEDGER),
            strategies=[ctx.ref(strategy_path(each.name)) for each in parts.plans],
            worth=lambda ledgers: worth(ledgers, parts),
            sleep=ctx.sleep,
            now_s=ctx.now_s,
            failed=self._say,
        )

    def last_one(self) -> None:
        """Make a snapshot after the orderly end; blocks, and only says if it fails."""
        try:
            if self._keeper is not None:
                self._keeper.take("shutdown")
        except (SnapshotFailed, CommitFailed) as error:
            self._say(f"no snapshot was made: {error}")

    @contextlib.contextmanager
    def dumping(self, wall: WallClock) -> Iterator[None]:
        """Leave a dump for people if the engine gives up within the block."""
        try:
            yield
        except EngineFailed as error:
            with contextlib.suppress(OSError):
                path = dump_crash(
                    self._directory, wall, error, self.store.last_sequence
                )
                self._say(f"what is known of it: {path}")
            raise

    def close(self) -> None:
        """Give the thread back; idempotent."""
        self._host.close()


def worth(ledgers: Mapping[str, SubLedger], parts: Parts) -> Decimal:
    """Return cash and positions at the last prices, whatever their currency."""
    total = ZERO
    for ledger in ledgers.values():
        total += sum(ledger.cash.values(), ZERO)
        for symbol, held in ledger.positions.items():
            instrument = parts.instruments.get(symbol)
            if instrument is not None:  # one that was adopted may be of anything
                price = parts.prices.last(symbol) or held.cost_basis
                total += instrument.notional(price, held.amount)
    return total


def dump_crash(
    directory: StateDir, wall: WallClock, error: BaseException, last: int
) -> Path:
    """Write what is known of a crash, for people: nothing is ever restored from it."""
    path = directory.path / f"crash-{wall.now():%Y%m%dT%H%M%S%fZ}.json"
    document = {
        "format": CRASH_FORMAT,
        "wall_time": wall.now().isoformat(),
        "last_record": last,
        "error": "".join(traceback.format_exception(error)),
    }
    with written_whole(path) as file:
        json.dump(document, file, indent=1)
    return path
