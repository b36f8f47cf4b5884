"""Market data of a live feed: as `MarketData`, but there is always more to come.

A step is what was seen at one moment: the bars that have ended, or trades and quotes
that came in between. What is there never changes, so all that a replay knows of its
data holds here too.
"""

from __future__ import annotations

from collections.abc import Sequence

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

AHEAD_US = 366 * 86_400_000_000
"""How far ahead of the newest step schedules are looked at."""


class Seen(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One step of a live feed."""

    time_us: int
    """Market time at which it counts as seen, in µs UTC; it rises from step to step."""

    bars: tuple[Bar, ...] = ()
    """At most one of each instrument."""

    trades: tuple[Trade, ...] = ()
    quotes: tuple[Quote, ...] = ()


class GrowingColumns(BarColumns):
    """The bars of one instrument up to now; a row that is there stays as it is."""

    def __init__(self, symbol: str, interval_us: int) -> None:
        self.symbol = symbol
        self.ends_us = []
        self.interval_us = interval_us
        self.values = {name: [] for name in FIELDS}
        self.series = _Series(self.values)

    @property
    def frame(self) -> pl.DataFrame:  # type: ignore[override]
        """All rows up to now."""
        ends = pl.Series("timestamp", self.ends_us, dtype=pl.Int64)
        stamps = ends.cast(pl.Datetime("us", "UTC"))
        return pl.DataFrame([stamps, *(self.series[name] for name in FIELDS)])

    def append(self, bar: Bar) -> None:
        """Add the next bar."""
        self.ends_us.append(us_of(bar.ended_at))
        for name in FIELDS:
            self.values[name].append(getattr(bar, name))


class _Series(dict[str, pl.Series]):
    """The columns as Series, made again when there are more rows."""

    def __init__(self, values: dict[str, list[float]]) -> None:
        super().__init__()
        self._values = values

    def __getitem__(self, name: str) -> pl.Series:
        rows = self._values[name]
        made = self.get(name)
        if made is None or len(made) != len(rows):
            made = pl.Series(name, rows, dtype=pl.Float64)
            self[name] = made
        return made


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
    ) -> None:
        """Take the instruments in the order of the configuration, without any bars."""
        self.tells_trades = tells_trades
        self._trades: dict[str, list[Trade | None]] = {name: [] for name in symbols}
        columns = {name: GrowingColumns(name, interval_us) for name in symbols}
        super().__init__(columns, digest)
        self._rows = columns
        self._seen: dict[str, list[int]] = {name: [] for name in symbols}
        self.times_us, self.seen = [], {**self._seen}
        self._news: list[tuple[tuple[Trade, ...], tuple[Quote, ...]]] = []

    def append(self, step: Seen) -> None:
        """Add the next step; it is durable, and may be acted upon.

        Raises:
            ValueError: its time is not after that of the step before.
        """
        if self.times_us and step.time_us <= self.times_us[-1]:
            message = f"expected a time after {self.times_us[-1]}, got {step.time_us}"
            raise ValueError(message)
        for bar in step.bars:
            self._rows[bar.instrument].append(bar)
        self.bars += len(step.bars)
        for name, seen in self._seen.items():
            seen.append(len(self._rows[name]))
        latest = {trade.instrument: trade for trade in step.trades}
        for name, trades in self._trades.items():
            trades.append(latest.get(name) or (trades[-1] if trades else None))
        self._news.append((step.trades, step.quotes))
        self.times_us.append(step.time_us)

    def news(self, step: int) -> tuple[tuple[Trade, ...], tuple[Quote, ...]]:
        """Return the trades and quotes of ``step``."""
        return self._news[step]

    def last_trade(self, symbol: str, step: int) -> Trade | None:
        """Return the last trade of ``symbol`` that had come by ``step``."""
        return self._trades[symbol][step]

    @property
    def span_us(self) -> tuple[int, int]:
        """Between which moments schedules are due; none are before the first step."""
        if not self.times_us:
            return 0, 0
        return self.times_us[0] - 1, self.times_us[-1] + AHEAD_US


__all__ = ["AHEAD_US", "GrowingColumns", "GrowingData", "Seen"]
