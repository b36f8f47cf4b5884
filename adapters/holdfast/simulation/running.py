"""Many histories: here, or in workers that say a line for each history."""

from __future__ import annotations

import gc
import json
import os
import selectors
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs

from holdfast.simulation.checks import Verdict, digest_of, judge
from holdfast.simulation.plan import Plan, draw
from holdfast.simulation.playing import play
from holdfast.simulation.shrinking import shrink
from holdfast_runtime import ActorError

TWICE_EVERY: Final = 16
"""One seed in so many is played twice, and must give the same journal."""

SHRUNK_MAX: Final = 3
"""How many failing seeds are shrunk; each takes some dozens of histories."""


@attrs.frozen(kw_only=True)
class Failure:
    """A seed with a violation, and the shortest list of faults that still shows one."""

    verdict: Verdict
    kept: tuple[int, ...] | None
    """Numbers of the plan's faults; None where nobody has shrunk it."""

    faults: tuple[str, ...]
    replay: str
    """The command that plays it again."""


@attrs.define(kw_only=True)
class Tally:
    """What many histories came to."""

    histories: int = 0
    wall_s: float = 0.0
    struck: Counter[str] = attrs.field(factory=Counter)
    restarts: int = 0
    resolved: Counter[str] = attrs.field(factory=Counter)
    open: int = 0
    failed: list[Verdict] = attrs.field(factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count one history."""
        self.histories += 1
        self.struck.update(verdict.struck)
        self.restarts += verdict.restarts
        self.resolved.update(verdict.resolved)
        self.open += verdict.open
        if verdict.violations:
            self.failed.append(verdict)

    @property
    def violations(self) -> int:
        """How many there were in all histories."""
        return sum(len(each.violations) for each in self.failed)

    @property
    def per_second(self) -> float:
        """Histories per second of the wall clock, on all cores together."""
        return self.histories / self.wall_s if self.wall_s else 0.0


def verdict_of(plan: Plan) -> Verdict:
    """Play ``plan`` and judge it; one seed in `TWICE_EVERY` twice."""
    verdict = judge(play(plan))
    if plan.seed % TWICE_EVERY:
        return verdict
    again = digest_of(play(plan))
    if again == verdict.digest:
        return verdict
    text = f"two journals of one seed: {verdict.digest[:16]} and {again[:16]}"
    return attrs.evolve(verdict, violations=(*verdict.violations, text))


def run_histories(
    seeds: range,
    kinds: Sequence[str] | None,
    *,
    jobs: int,
    progress: Callable[[int, int], None],
) -> Tally:
    """Play every seed, on ``jobs`` processes; ``progress`` is told done and total.

    Raises:
        ActorError: a worker ended before its work did.
    """
    tally = Tally()
    began_s = time.perf_counter()
    several = jobs > 1 and len(seeds) > jobs
    verdicts = _in_workers(seeds, kinds, jobs) if several else here(seeds, kinds)
    for verdict in verdicts:
        tally.add(verdict)
        progress(tally.histories, len(seeds))
    tally.wall_s = time.perf_counter() - began_s
    tally.failed.sort(key=lambda each: each.seed)
    return tally


def here(seeds: range, kinds: Sequence[str] | None) -> Iterator[Verdict]:
    """Yield the verdict of each seed, in order, in this process."""
    gc.collect()
    # What is there now stays, and need not be looked at again and again.
    gc.freeze()
    gc.disable()
    # A process that dies leaves coroutines behind, as it should.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited")
    try:
        for seed in seeds:
            yield verdict_of(draw(seed, kinds))
            # A history leaves whole engines of circles: looked at while they are small
            # enough for the processor's cache, and their memory is used again at once.
            gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()


def failures_of(
    tally: Tally, kinds: Sequence[str] | None, kept: Sequence[int] | None = None
) -> list[Failure]:
    """Return the failures of ``tally``; the first few of them shrunk."""
    failures = []
    for number, verdict in enumerate(tally.failed):
        numbers = kept
        if kept is None and number < SHRUNK_MAX:
            numbers = _shrunk(draw(verdict.seed, kinds))
        failures.append(_failure(verdict, kinds, numbers))
    return failures


def _shrunk(plan: Plan) -> list[int] | None:
    def fails(numbers: Sequence[int]) -> bool:
        return bool(verdict_of(plan.only(numbers)).violations)

    everything = range(len(plan.faults))
    # A violation that does not come again cannot be shrunk: it is one of determinism.
    return shrink(len(plan.faults), fails) if fails(everything) else None


def _failure(
    verdict: Verdict, kinds: Sequence[str] | None, kept: Sequence[int] | None
) -> Failure:
    plan = draw(verdict.seed, kinds)
    replay = f"holdfast sim --seeds 1 --from {verdict.seed}"
    if kinds is not None:
        replay += f" --faults {','.join(kinds)}"
    if kept is not None:
        replay += f" --keep {','.join(map(str, kept)) or 'none'}"
        plan = plan.only(kept)
    return Failure(
        verdict=verdict,
        kept=None if kept is None else tuple(kept),
        faults=tuple(str(fault) for fault in plan.faults),
        replay=replay,
    )


# --- workers -------------------------------------------------------------------------


def _in_workers(
    seeds: range, kinds: Sequence[str] | None, jobs: int
) -> Iterator[Verdict]:
    """Yield verdicts as workers say them; each has every ``jobs``-th seed."""
    workers = [_worker(seeds[at::jobs], kinds) for at in range(jobs)]
    try:
        yield from _listen(workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _worker(seeds: range, kinds: Sequence[str] | None) -> subprocess.Popen[bytes]:
    span = [str(each) for each in (seeds.start, seeds.stop, seeds.step)]
    names = [] if kinds is None else [",".join(kinds)]
    command = [sys.executable, "-m", "holdfast.simulation.worker", *span, *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _listen(workers: Sequence[subprocess.Popen[bytes]]) -> Iterator[Verdict]:
    rests = {worker.pid: b"" for worker in workers}
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            if worker.stdout is not None:
                selector.register(worker.stdout, selectors.EVENT_READ, worker)
        while selector.get_map():
            for key, _ in selector.select():
                worker = key.data
                read = os.read(key.fd, 65_536)
                if not read:
                    selector.unregister(key.fileobj)
                    _check_ended_well(worker)
                    continue
                *lines, rests[worker.pid] = (rests[worker.pid] + read).split(b"\n")
                for line in lines:
                    yield _verdict(line)


def _verdict(line: bytes) -> Verdict:
    values = json.loads(line)
    return Verdict(**values | {"violations": tuple(values["violations"])})


def _check_ended_well(worker: subprocess.Popen[bytes]) -> None:
    status = worker.wait()
    if status:
        message = f"a worker of the simulation: expected status 0, was {status}"
        raise ActorError(message)
