"""The lives of an engine and of its venue, each killed with SIGKILL, and born again.

``python -m tests.proof.lives PLAN.json`` plays one history: both are processes of their
own on real files. It imports once and forks each life, which makes them cheap; nothing
that has threads is made before. At which record a life ends is decided by a store that
this script alone composes: the product knows nothing of it.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

import holdfast.running
from holdfast.cli.venue import serve_paper
from holdfast.options import read_market, read_options
from holdfast.paper import Elsewhere, run_paper
from holdfast.venues import VENUE
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.paper import venue as paper_venue
from holdfast_adapters.paper.codec import encode
from holdfast_adapters.paper.store import EventStore
from holdfast_adapters.statedir import StateDir

LIFE_MAX_S = 600.0
FINISHED = 3
"""The exit status of an engine that came to the end of its data."""

AT_RANDOM = "(at random)"


@attrs.frozen
class Shot:
    """When a life ends: at the n-th record of a kind, or after so many records."""

    kind: str
    nth: int
    """Counted from 1; 0 is the first one, and at no other moment."""

    is_durable: bool
    """Whether the record is in the file by then, or is about to be written."""

    records_max: int
    """The life ends here if it did not before."""


@attrs.frozen
class Plan:
    """One history."""

    seed: int
    folder: str
    market: dict[str, Any]
    files: list[str]
    chain: list[tuple[str, bool, bool]]
    """At which kinds the first lives end, in this order: durable or not, and whether
    the life goes on for as long as it takes to get there.
    """

    last: list[tuple[str, bool, bool]]
    """The same, when there are as many kills as wanted."""

    kinds: list[str]
    """At which kinds the others may."""

    venue_kinds: list[str]
    kills: int
    records: int
    """Of the undisturbed run."""

    venue_kills: int


class Aim:
    """Counts what a store is given, and ends the process where the shot says."""

    def __init__(self, shot: Shot, said: int) -> None:
        self._shot = shot
        self._said = said
        self._seen = 0
        self._records = 0

    def at(self, kinds: Sequence[str], commit: Callable[[], None]) -> None:
        """Commit, and die before or after it, if it is time."""
        shot = self._shot
        self._seen += kinds.count(shot.kind)
        self._records += len(kinds)
        is_hit = shot.kind in kinds and self._seen >= shot.nth
        if is_hit or self._records >= shot.records_max:
            if shot.is_durable:
                commit()
            os.write(self._said, f"{shot.kind if is_hit else kinds[-1]}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        commit()


def run_engine(plan: Plan, shot: Shot | None, said: int) -> int:
    """Be the engine, until the end of the data or of this life."""
    if shot is not None:
        aim = Aim(shot, said)

        class Aimed(SqliteJournal):
            def append(self, batch: Sequence[Any]) -> None:
                kinds = [type(entry.event).__name__ for entry in batch]
                aim.at(kinds, lambda: SqliteJournal.append(self, batch))

        setattr(holdfast.running, "SqliteJournal", Aimed)  # noqa: B010 - for mypy
    folder = Path(plan.folder)
    options = read_options(plan.files, **plan.market)
    run = functools.partial(
        run_paper,
        snapshots=SnapshotPlan(every_s=0.2, compact_after=100),
        elsewhere=Elsewhere({VENUE: folder / "v.sock"}),
    )
    with StateDir.open(folder / "state", os.getpid()) as directory:
        ended = trio.run(run, options, directory, None)
    return FINISHED if ended.finished and not ended.parked else 1


def run_venue(plan: Plan, shot: Shot | None, said: int) -> int:
    """Be the venue, until this life ends, or SIGTERM comes."""
    if shot is not None:
        aim = Aim(shot, said)

        class Aimed(EventStore):
            def append(self, first: int, rows: Sequence[Any]) -> None:
                kinds = [encode(record)[0] for _, record in rows]
                aim.at(kinds, lambda: EventStore.append(self, first, rows))

        setattr(paper_venue, "EventStore", Aimed)  # noqa: B010 - for mypy
    folder = Path(plan.folder)
    with StateDir.open(folder / "venue", os.getpid()) as directory:
        trio.run(serve_paper, read_market(**plan.market), directory, folder / "v.sock")
    return 0


@attrs.define
class Tally:
    """What became of a history."""

    kills: Counter[str] = attrs.field(factory=Counter)
    """Of the engine, by the kind of the record at which it was."""

    venue_kills: Counter[str] = attrs.field(factory=Counter)
    lives: int = 0


class Words:
    """What a life says last: the kind of the record at which it ends."""

    def __init__(self) -> None:
        self.heard, self.said = os.pipe()
        os.set_blocking(self.heard, False)

    def last(self) -> str:
        try:
            return os.read(self.heard, 4096).decode().strip()
        except BlockingIOError:
            return ""


class Stage:
    """Where the two processes live; SIGCHLD is blocked, and waited for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sample = random.Random(plan.seed)
        self.tally = Tally()
        self.chain, self.last = list(plan.chain), list(plan.last)
        self.venue_pid = 0
        self.engine_words, self.venue_words = Words(), Words()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})

    def fork(
        self,
        run: Callable[[Plan, Shot | None, int], int],
        shot: Shot | None,
        words: Words,
    ) -> int:
        """Begin a life; return its pid."""
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        status = 70
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            os.dup2(2, 1)
            status = run(self.plan, shot, words.said)
        except BaseException:  # noqa: BLE001 - said here, for this process ends
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def play(self) -> Tally:
        """Let the engine live and die until it has come to its end."""
        self._begin_venue()
        try:
            while not self._live():
                pass
        finally:
            os.kill(self.venue_pid, signal.SIGTERM)
            os.waitpid(self.venue_pid, 0)
        return self.tally

    def _live(self) -> bool:
        """Live once; return whether the engine has come to its end."""
        self.tally.lives += 1
        shot = self._shot()
        # A part of the kills come at any moment at all, in a start or in a replay too.
        after_s = self.sample.uniform(0.0, 1.0)
        at_random = shot is not None and shot.nth > 0 and self.sample.random() < 0.25
        pid = self.fork(run_engine, shot, self.engine_words)
        status = self._end_of(pid, after_s if at_random else None)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, status
            self.tally.kills[self.engine_words.last() or AT_RANDOM] += 1
            return False
        assert os.WEXITSTATUS(status) == FINISHED, status
        return True

    def _shot(self) -> Shot | None:
        plan, sample = self.plan, self.sample
        share = max(4, plan.records // plan.kills)
        is_over = self.tally.kills.total() >= plan.kills
        wanted = self.last if is_over else self.chain
        if wanted:
            kind, is_durable, is_far = wanted.pop(0)
            return Shot(kind, 0, is_durable, 1 << 30 if is_far else 4 * share)
        if is_over:
            return None
        kind = sample.choice(plan.kinds)
        return Shot(kind, sample.randint(1, 4), sample.random() < 0.5, share)

    def _begin_venue(self) -> None:
        plan, sample, shot = self.plan, self.sample, None
        if self.tally.venue_kills.total() < plan.venue_kills:
            kind = sample.choice(plan.venue_kinds)
            most = sample.randint(10, 60)
            shot = Shot(kind, sample.randint(1, 3), sample.random() < 0.5, most)
        self.venue_pid = self.fork(run_venue, shot, self.venue_words)

    def _end_of(self, engine: int, after_s: float | None) -> int:
        """Return how the engine ended; a venue that dies meanwhile is born again."""
        until_s = time.monotonic() + (LIFE_MAX_S if after_s is None else after_s)
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                assert after_s is not None, "the engine does not come to its end"
                os.kill(engine, signal.SIGKILL)
                left_s, until_s = 1.0, time.monotonic() + LIFE_MAX_S
            signal.sigtimedwait({signal.SIGCHLD}, left_s)
            for pid, status in self._ended():
                if pid == engine:
                    return status
                assert os.WIFSIGNALED(status), f"the venue ended: {status}"
                self.tally.venue_kills[self.venue_words.last()] += 1
                self._begin_venue()

    @staticmethod
    def _ended() -> Iterator[tuple[int, int]]:
        """Yield who has ended, and how; the venue lives for as long as we do."""
        pid, status = os.waitpid(-1, os.WNOHANG)
        while pid:
            yield pid, status
            pid, status = os.waitpid(-1, os.WNOHANG)


def main() -> None:
    """Play the history in the file that the command line names."""
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    tally = Stage(plan).play()
    print(json.dumps(attrs.asdict(tally)))


if __name__ == "__main__":
    main()
