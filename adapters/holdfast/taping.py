"""A live run's tape: how a start reads it, and what of it is let go while it runs."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path

from holdfast_adapters.tape import SqliteTape, let_go
from holdfast_domain.growing import GrowingData

DAY_US = 86_400_000_000
WHOLE = 1_024
"""The newest steps that a start reads with their trades and quotes; others are recalled
from the tape by whoever must be fed again from further back."""

WORTH_IT = 256
"""Steps that must have become old since the last time."""


def read_tape(tape: SqliteTape, data: GrowingData) -> None:
    """Put all steps of ``tape`` into ``data``; of what is old, bars and times alone.

    Raises:
        TapeDamaged: one of them is not as it was written, or not there.
    """
    whole_from = max(len(tape) - WHOLE, tape.let_go_before, 0)
    for number, step in enumerate(tape.read(whole_from=whole_from)):
        data.append(step, is_skimmed=number < whole_from)


class TapeTrimmer:
    """Lets go of old trades and quotes that no start needs; on any thread."""

    def __init__(
        self, path: Path, data: GrowingData, keep_us: int, worth_it: int = WORTH_IT
    ) -> None:
        """Keep what is younger than ``keep_us`` of market time, whoever needs it."""
        self._path = path
        self._data = data
        self._keep_us = keep_us
        self._worth_it = worth_it
        self._gone = 0

    @property
    def is_due(self) -> bool:
        """Whether there is enough that is old."""
        return self._old() - self._gone >= self._worth_it

    def let_go(self, needed_from: int) -> None:
        """Let go of what is old and before the step ``needed_from``; blocks.

        Raises:
            TapeDamaged, CommitFailed: see `holdfast_adapters.tape.let_go`.
        """
        self._gone = let_go(self._path, min(self._old(), needed_from))

    def _old(self) -> int:
        """Return the first step that is young."""
        times_us = self._data.times_us
        if not times_us:
            return 0
        return bisect_left(times_us, times_us[-1] - self._keep_us)
