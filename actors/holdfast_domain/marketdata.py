"""Market data: columns that travel, and the objects they become on access."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate

import attrs
import polars as pl

from holdfast_domain.cursor import SLICE_SLOT, cursor_at, step_of

FIELDS = ("open", "high", "low", "close", "volume")
"""The fields of a bar, in the order of its columns."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def utc_from_us(time_us: int) -> datetime:
    """Return the UTC moment ``time_us`` microseconds after 1970."""
    # Multiplied, for a `timedelta` is slow to make of so large a number.
    return _EPOCH + time_us * _MICROSECOND


def us_of(moment: datetime) -> int:
    """Return the microseconds from 1970 to a UTC ``moment``, without rounding."""
    return (moment - _EPOCH) // _MICROSECOND


@attrs.frozen(kw_only=True)
class Bar:
    """One bar as an object; ``ended_at`` is the end of its interval, in UTC."""

    instrument: str
    ended_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


@attrs.frozen(kw_only=True)
class Quote:
    """The best bid and ask of an instrument at one moment."""

    instrument: str
    quoted_at: datetime
    bid: float
    ask: float
    bid_size: float
    ask_size: float


@attrs.frozen(kw_only=True)
class Trade:
    """A trade of the market (not of ours)."""

    instrument: str
    traded_at: datetime
    price: float
    size: float
    id: str = ""
    """The venue's id of it; empty where there is none."""

    is_buy: bool | None = None
    """Whether the buyer came to the book and took; None where it is not told."""


class BarColumns:
    """All bars of one instrument, as columns; immutable, ascending in time.

    ``ends_us`` holds the end of each bar in microseconds UTC. Lists give one value
    fast, `series` gives a polars Series (float64) to slice.
    """

    def __init__(self, symbol: str, frame: pl.DataFrame) -> None:
        """Take ``frame`` with ``timestamp`` (datetime, µs, UTC) and float `FIELDS`."""
        self.symbol = symbol
        self.frame = frame
        self.ends_us: Sequence[int] = frame["timestamp"].dt.epoch("us").to_list()
        self.series: dict[str, pl.Series] = {name: frame[name] for name in FIELDS}

    def __len__(self) -> int:
        return len(self.ends_us)

    @cached_property
    def values(self) -> Mapping[str, Sequence[float]]:
        """Each field as a list of floats."""
        return {name: column.to_list() for name, column in self.series.items()}

    @cached_property
    def interval_us(self) -> int:
        """The commonest gap between two bars; a day where there is only one bar."""
        gaps = self.frame["timestamp"].dt.epoch("us").diff().drop_nulls()
        return int(gaps.mode().min()) if len(gaps) else 86_400_000_000  # type: ignore[arg-type]

    def bar(self, row: int) -> Bar:
        """Return the bar at ``row`` as an object."""
        value = self.values
        return Bar(
            instrument=self.symbol,
            ended_at=utc_from_us(self.ends_us[row]),
            open=value["open"][row],
            high=value["high"][row],
            low=value["low"][row],
            close=value["close"][row],
            volume=value["volume"][row],
        )


class MarketData:
    """The bars of several instruments on one timeline of steps.

    A step is a moment at which at least one bar ends. ``times_us[step]`` is that
    moment. ``seen[symbol][step]`` counts the bars of the symbol that have ended at or
    before it, so the latest of them is row ``seen - 1``.
    """

    grows: bool = False
    """Whether more may come; see `GrowingData`."""

    tells_trades = False
    """Whether the trades are there of which the bars are made."""

    def __init__(
        self,
        columns: Mapping[str, BarColumns],
        digest: str = "",
        *,
        begins: int = 0,
        late: Collection[int] = (),
    ) -> None:
        """Take columns by symbol; their order is the order of the configuration.

        The first ``begins`` steps are history from before the run, and the steps in
        ``late`` came when it was too late to act upon them.
        """
        self.begins = begins
        """With which step the run begins: its clock starts at the one before."""

        self.late = late
        """Steps that came too late to act upon them."""

        self.columns = dict(columns)
        self.symbols: Sequence[str] = tuple(self.columns)
        self.digest = digest
        self.bars = sum(len(column) for column in self.columns.values())
        self.times_us: Sequence[int]
        self.seen: Mapping[str, Sequence[int]]
        self.times_us, self.seen = _timeline(self.columns)

    def __len__(self) -> int:
        return len(self.times_us)

    def slices(self, after: int, until: int) -> Iterator[tuple[int, int, int]]:
        """Yield (cursor, step, market time) of the slices in (after, until], in order.

        So the data of a replay is the `Tape` of its market data.
        """
        for step in range(max(0, step_of(after)), step_of(until) + 1):
            cursor = cursor_at(step, SLICE_SLOT)
            if after < cursor <= until:
                yield cursor, step, self.times_us[step]

    def news(self, step: int) -> tuple[tuple[Trade, ...], tuple[Quote, ...]]:
        """Return the trades and quotes that came at ``step``: here there are none."""
        del step
        return (), ()

    def last_trade(self, symbol: str, step: int) -> Trade | None:
        """Return the last trade of ``symbol`` that had come by ``step``; here none."""
        del symbol, step
        return None

    @property
    def span_us(self) -> tuple[int, int]:
        """Between which moments schedules are due: from after the one to the other.

        Nothing before the first bar is due: a replay begins with it.
        """
        return self._since_us, self.times_us[-1]

    @property
    def _since_us(self) -> int:
        if self.begins:
            return self.times_us[self.begins - 1]
        return self.times_us[0] - 1

    def acts(self, step: int) -> bool:
        """Tell whether strategies are called at ``step``.

        Else they find its bars in their history: those from before the run, and those
        that were asked of the venue when it was too late to act upon them.
        """
        return step >= self.begins and step not in self.late

    def due(self, step: int) -> list[str]:
        """Return the symbols whose bar ends at ``step``, in configured order."""
        return [
            symbol
            for symbol in self.symbols
            if self.seen[symbol][step] > (self.seen[symbol][step - 1] if step else 0)
        ]


def _timeline(
    columns: Mapping[str, BarColumns],
) -> tuple[Sequence[int], dict[str, Sequence[int]]]:
    if len(columns) == 1:
        ((symbol, only),) = columns.items()
        return only.ends_us, {symbol: range(1, len(only) + 1)}
    times = sorted({end for column in columns.values() for end in column.ends_us})
    seen: dict[str, Sequence[int]] = {}
    for symbol, column in columns.items():
        ends = set(column.ends_us)
        seen[symbol] = list(accumulate(int(time in ends) for time in times))
    return times, seen
