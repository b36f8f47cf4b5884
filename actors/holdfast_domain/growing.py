"""Market data of a live feed: as `MarketData`, but there is always more to come.

A step is what was seen at one moment: the bars that have ended, or trades and quotes
that came in between. What is there never changes, so all that a replay knows of its
data holds here too.

In memory is what a day's bars take, and no more: nothing is kept for each step and
instrument, and trades and quotes only while they are new.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import Literal, TypeAlias, overload

import polars as pl
from msgspec import Struct

from holdfast_domain.marketdata import (
    FIELDS,
    Bar,
    BarColumns,
    MarketData,
    Quote,
    Trade,
    us_of,
)
from holdfast_domain.recent import KEPT, Recall, Recent

AHEAD_US = 366 * 86_400_000_000
"""How far ahead of the newest step schedules are looked at."""


Fetched: TypeAlias = Literal["", "before", "late", "in time"]
"""What is known of bars that were not heard, but asked of the venue.

Those from before the first start, those that came too late to act upon them, and those
that came as soon as they would have been heard. Empty: they were heard.
"""


class Seen(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One step of a live feed."""

    time_us: int
    """Market time at which it counts as seen, in µs UTC; it rises from step to step."""

    bars: tuple[Bar, ...] = ()
    """At most one of each instrument."""

    trades: tuple[Trade, ...] = ()
    quotes: tuple[Quote, ...] = ()
    fetched: Fetched = ""
    """Whether the bars were asked of the venue; such a step has nothing else."""


class _Steps(Collection[int]):
    """Numbers of steps, ascending; eight bytes each."""

    def __init__(self) -> None:
        self._steps = array("q")

    def append(self, step: int) -> None:
        self._steps.append(step)

    def __contains__(self, step: object) -> bool:
        assert isinstance(step, int)
        at = bisect_left(self._steps, step)
        return at < len(self._steps) and self._steps[at] == step

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


class GrowingColumns(BarColumns):
    """The bars of one instrument up to now; a row that is there stays as it is."""

    def __init__(self, symbol: str, interval_us: int) -> None:
        self.symbol = symbol
        self.ends_us = self._ends_us = array("q")
        self.interval_us = interval_us
        self.values = self._values = {name: array("d") for name in FIELDS}
        self.series = _Series(self._values)

    @property
    def frame(self) -> pl.DataFrame:  # type: ignore[override]
        """All rows up to now."""
        ends = pl.Series("timestamp", self.ends_us, dtype=pl.Int64)
        stamps = ends.cast(pl.Datetime("us", "UTC"))
        return pl.DataFrame([stamps, *(self.series[name] for name in FIELDS)])

    def append(self, bar: Bar) -> None:
        """Add the next bar."""
        self._ends_us.append(us_of(bar.ended_at))
        for name in FIELDS:
            self._values[name].append(getattr(bar, name))


class _Series(dict[str, pl.Series]):
    """The columns as Series, made again when there are more rows."""

    def __init__(self, values: dict[str, array[float]]) -> None:
        super().__init__()
        self._values = values

    def __getitem__(self, name: str) -> pl.Series:
        rows = self._values[name]
        made = self.get(name)
        if made is None or len(made) != len(rows):
            made = pl.Series(name, rows, dtype=pl.Float64)
            self[name] = made
        return made


class _Rows(Sequence[int]):
    """How many bars of an instrument had come by each step: kept by bar, not by step.

    A step without a bar of it, of which there are many, takes no memory.
    """

    def __init__(self, times_us: array[int]) -> None:
        self._times_us = times_us
        self._came_at = array("q")

    def append(self) -> None:
        """Count a bar that came at the step that is about to be added."""
        self._came_at.append(len(self._times_us))

    def __len__(self) -> int:
        return len(self._times_us)

    @overload
    def __getitem__(self, step: int) -> int: ...

    @overload
    def __getitem__(self, step: slice) -> Sequence[int]: ...

    def __getitem__(self, step: int | slice) -> int | Sequence[int]:
        if isinstance(step, slice):
            return [self[at] for at in range(*step.indices(len(self)))]
        came_at, count = self._came_at, len(self._times_us)
        if not -count <= step < count:
            raise IndexError(step)
        if step < 0:
            step += count
        if not came_at or came_at[-1] <= step:
            return len(came_at)
        return bisect_right(came_at, step)

    def __iter__(self) -> Iterator[int]:
        rows = 0
        for step in range(len(self)):
            while rows < len(self._came_at) and self._came_at[rows] <= step:
                rows += 1
            yield rows


class GrowingData(MarketData):
    """What a live feed has seen of several instruments, from its first start on."""

    grows = True

    def __init__(
        self,
        symbols: Sequence[str],
        interval_us: int,
        digest: str = "",
        *,
        tells_trades: bool = False,
        recall: Recall | None = None,
        kept: int = KEPT,
    ) -> None:
        """Take the instruments in the order of the configuration, without any bars.

        Of trades and quotes the newest ``kept`` stay in memory if those before them
        can be recalled.
        """
        self.tells_trades = tells_trades
        columns = {name: GrowingColumns(name, interval_us) for name in symbols}
        self._too_late = _Steps()
        super().__init__(columns, digest, late=self._too_late)
        self._columns = columns
        self.times_us = self._times_us = array("q")
        self._rows = {name: _Rows(self._times_us) for name in symbols}
        self.seen = {**self._rows}
        self._recent = Recent(symbols, recall, kept)

    def append(self, step: Seen, *, is_skimmed: bool = False) -> None:
        """Add the next step; it is durable, and may be acted upon.

        If it ``is_skimmed``, its trades and quotes are not there, and are recalled.

        Raises:
            ValueError: its time is not after that of the step before, or it is from
                before the run, which has begun.
        """
        if self.times_us and step.time_us <= self.times_us[-1]:
            message = f"expected a time after {self.times_us[-1]}, got {step.time_us}"
            raise ValueError(message)
        self._take_mark(step.fetched)
        for bar in step.bars:
            self._columns[bar.instrument].append(bar)
            self._rows[bar.instrument].append()
        self.bars += len(step.bars)
        if is_skimmed:
            self._recent.skim()
        else:
            self._recent.append(step.trades, step.quotes)
        self._times_us.append(step.time_us)

    def _take_mark(self, fetched: Fetched) -> None:
        if fetched == "before":
            if self.begins < len(self):
                message = f"expected the run to begin at step {self.begins}"
                raise ValueError(message)
            self.begins += 1
        elif fetched == "late":
            self._too_late.append(len(self))

    def end(self) -> None:
        """Say that nothing more comes: from now on it is recorded data."""
        self.grows = False

    @property
    def told_us(self) -> int:
        """The end of the newest bar of all instruments; 0 while there is none."""
        ends = (each.ends_us for each in self._columns.values())
        return max((each[-1] for each in ends if each), default=0)

    def news(self, step: int) -> tuple[tuple[Trade, ...], tuple[Quote, ...]]:
        """Return the trades and quotes of ``step``."""
        return self._recent.news(step)

    def last_trade(self, symbol: str, step: int) -> Trade | None:
        """Return the last trade of ``symbol`` that had come by ``step``."""
        return self._recent.last_trade(symbol, step)

    @property
    def span_us(self) -> tuple[int, int]:
        """Between which moments schedules are due; none are before the first step."""
        if not self.times_us:
            return 0, 0
        return self._since_us, self.times_us[-1] + AHEAD_US


__all__ = ["AHEAD_US", "Fetched", "GrowingColumns", "GrowingData", "Seen"]
