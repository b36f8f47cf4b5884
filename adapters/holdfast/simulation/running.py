"""Many histories: here, or in workers that say a line for each history."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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

AHEAD: Final = 2
"""Seeds that a worker has at once, so that it need not wait for the next one."""


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


def here(seeds: Iterable[int], kinds: Sequence[str] | None) -> Iterator[Verdict]:
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
    """Yield verdicts as workers say them; who has said one is given the next seed.

    Histories are not equally long, and cores not equally fast: of two equal shares one
    would be done long before the other.
    """
    with contextlib.ExitStack() as ends:
        workers = [_Worker(kinds) for _ in range(jobs)]
        for worker in workers:
            ends.callback(worker.end)
        left = iter(seeds)
        for worker in workers * AHEAD:
            worker.play(next(left, None))
        yield from _listen(workers, left)


class _Worker:
    """A process that plays the seeds that it is given, in their order."""

    def __init__(self, kinds: Sequence[str] | None) -> None:
        names = [] if kinds is None else [",".join(kinds)]
        command = [sys.executable, "-m", "holdfast.simulation.worker", *names]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._seeds, self.says = self._process.stdin, self._process.stdout
        self._rest = b""

    def play(self, seed: int | None) -> None:
        """Give it one more seed; None is the end of them."""
        # Of one that has died, the end of what it says tells.
        with contextlib.suppress(BrokenPipeError):
            if seed is None:
                self._seeds.close()
            else:
                self._seeds.write(b"%d\n" % seed)
                self._seeds.flush()

    def hear(self) -> list[Verdict] | None:
        """Return what it has said since, which may be nothing yet; None at its end.

        Raises:
            ActorError: it ended before its work did.
        """
        read = os.read(self.says.fileno(), 65_536)
        if not read:
            status = self._process.wait()
            if status:
                message = f"a worker of the simulation: expected status 0, was {status}"
                raise ActorError(message)
            return None
        *lines, self._rest = (self._rest + read).split(b"\n")
        return [_verdict(line) for line in lines]

    def end(self) -> None:
        """End it wherever it is."""
        self._process.kill()
        self._process.wait()
        self.says.close()
        with contextlib.suppress(BrokenPipeError):
            self._seeds.close()


def _listen(workers: Sequence[_Worker], left: Iterator[int]) -> Iterator[Verdict]:
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.says, selectors.EVENT_READ, worker)
        while selector.get_map():
            for key, _ in selector.select():
                verdicts = key.data.hear()
                if verdicts is None:
                    selector.unregister(key.fileobj)
                    continue
                for verdict in verdicts:
                    key.data.play(next(left, None))
                    yield verdict


def _verdict(line: bytes) -> Verdict:
    values = json.loads(line)
    return Verdict(**values | {"violations": tuple(values["violations"])})
