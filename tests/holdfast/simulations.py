"""Whole runs on the simulated engine, also of a process whose power is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.options import RunOptions
from holdfast.testing import Faults, TradingRun, TradingSystem
from holdfast_actors.feed import SLICES_MAX
from holdfast_actors.vetting import Limits
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain import events as ev
from holdfast_runtime import SimulatedEngine
from holdfast_runtime.testing import Fault


def add(faults: Faults, how: str, path: str, nth: int, on: type = object) -> Fault:
    """Add the death of an actor at its ``nth`` message, of four kinds."""
    if how in ("before", "after"):
        return faults.crash_on(path, on, nth, after=how == "after")
    fault = faults.kill(path, on, nth, at_once=how == "now")
    assert fault is not None
    return fault


def run(
    options: RunOptions,
    faults: Faults | None = None,
    *,
    seed: int = 0,
    limits: Limits | None = None,
    slices_max: int = SLICES_MAX,
    commit_s: float = 0.0,
    store: MemoryJournal | None = None,
    venue_path: Path | None = None,
    poke: Callable[[SimulatedEngine], None] | None = None,
) -> TradingRun:
    """Run to the end of the data, or until the power is cut."""
    system = TradingSystem(
        options, seed=seed, commit_s=commit_s, limits=limits, slices_max=slices_max
    )
    return system.run(faults, store=store, venue_path=venue_path, prepare=poke)


def wave(
    base: float, swing: float, speed: float, steps: int
) -> list[tuple[float, ...]]:
    """Bars that go up and down, with gaps between them."""
    rows: list[tuple[float, ...]] = []
    last = base
    for at in range(steps):
        close = round(base + swing * math.sin(at * speed) + (at * 7 % 5 - 2) * 0.3, 2)
        opening = round(last + (at * 3 % 4 - 1.5) * 0.2, 2)
        high, low = max(opening, close) + 0.5, min(opening, close) - 0.5
        rows.append((opening, high, low, close))
        last = close
    return rows


class PowerCut(BaseException):
    """The process ended here; nobody may catch it."""


class CutJournal(MemoryJournal):
    """A journal whose process ends at one of its appends."""

    def __init__(self, nth: int, *, written: bool) -> None:
        super().__init__()
        self._nth = nth
        self._written = written
        self.appends = 0
        self.ends: list[int] = []
        """The last record of each batch."""

    def cut_after(self, appends: int) -> None:
        """Let the power go at an append, counted from now; 0 is never."""
        self.appends, self._nth = 0, appends

    def append(self, batch: Sequence[ev.Entry]) -> None:
        """Append, unless this is where the power goes."""
        self.appends += 1
        if self.appends != self._nth or self._written:
            super().append(batch)
            self.ends.append(self.last_sequence)
        if self.appends == self._nth:
            raise PowerCut
