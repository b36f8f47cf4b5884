"""`data`: the market as a strategy sees it, as of its current input."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Protocol, TypeAlias, overload

import polars as pl

from holdfast_actors.clock import PriceBoard
from holdfast_actors.strategy.history import FIELDS, Resampled, frequency_us
from holdfast_domain.errors import DomainError
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData

Assets: TypeAlias = Instrument | str | Sequence[Instrument | str]
Fields: TypeAlias = str | Sequence[str]


_Own: TypeAlias = tuple[pl.Series, Sequence[float], Sequence[int]]
"""A field as a Series and as a list, and the bars seen by step."""


class Moment(Protocol):
    """What knows market time, in microseconds."""

    now_us: int


class StaleData(DomainError):
    """A value is older than the strategy's declared limit; reading it is refused."""


class BarData:
    """Prices up to now, never beyond; values are float64."""

    def __init__(self, data: MarketData, shown: PriceBoard, at: Moment) -> None:
        """Show ``data`` up to the step of ``shown``, at the time of ``at``."""
        self._data = data
        self._shown = shown
        self._at = at
        self._columns = data.columns
        self._seen = data.seen
        self._keeps = not data.grows
        self._max_age_us: int | None = None
        self._intervals: dict[tuple[str, str], int] = {}
        self._resampled: dict[tuple[str, int], Resampled] = {}
        self._own: dict[tuple[str, str, str], _Own] = {}
        """Where a history is of the data's own bars."""

    def current(self, asset: Instrument | str, field: str = "close") -> float:
        """Return the latest value of ``field`` (open, high, low, close, volume).

        Raises:
            StaleData: it is older than `needs(max_age_s=...)` allows.
            DomainError: there is no bar yet; `can_trade` tells.
        """
        symbol = asset if isinstance(asset, str) else asset.symbol
        row = self._row(symbol)
        if field == "price":
            field = "close"
        values = self._columns[symbol].values.get(field)
        if values is None:
            message = f"expected one of {', '.join(FIELDS)}, got {field!r}"
            raise DomainError(message)
        return values[row]

    @overload
    def history(
        self, assets: Instrument | str, fields: str, count: int, frequency: str = ""
    ) -> pl.Series: ...
    @overload
    def history(
        self,
        assets: Instrument | str,
        fields: list[str] | tuple[str, ...],
        count: int,
        frequency: str = "",
    ) -> pl.DataFrame: ...
    @overload
    def history(
        self,
        assets: list[Instrument] | list[str] | tuple[Instrument | str, ...],
        fields: str,
        count: int,
        frequency: str = "",
    ) -> pl.DataFrame: ...
    def history(
        self, assets: Assets, fields: Fields, count: int, frequency: str = ""
    ) -> pl.Series | pl.DataFrame:
        """Return the last ``count`` values, oldest first, the current bar last.

        One asset and one field give a Series. Several fields give a DataFrame with a
        column for each field; several assets one with a column for each asset. It is
        shorter than asked while history is short.

        Raises:
            DomainError: a frequency that is finer than the data, or an unknown field.
        """
        kind = type(assets)
        if kind is Instrument or kind is str:
            symbol: str = assets if kind is str else assets.symbol  # type: ignore[assignment, union-attr]
            if type(fields) is str:
                own = self._own.get((symbol, fields, frequency))
                if own is None:
                    return self._tail(symbol, fields, count, frequency)
                series, _, bars = own
                seen = bars[self._shown.step]
                first = seen - count if seen > count else 0
                return series.slice(first, seen - first)
            return pl.DataFrame(
                [self._tail(symbol, field, count, frequency) for field in fields]
            )
        if not isinstance(fields, str):
            message = "expected one field where several assets are asked for"
            raise DomainError(message)
        every: Sequence[Instrument | str] = assets  # type: ignore[assignment]
        names = [each if isinstance(each, str) else each.symbol for each in every]
        tails = [self._tail(name, fields, count, frequency) for name in names]
        shortest = min((len(tail) for tail in tails), default=0)
        return pl.DataFrame(
            [
                tail.tail(shortest).alias(name)
                for name, tail in zip(names, tails, strict=True)
            ]
        )

    def mean(
        self, asset: Instrument | str, field: str, count: int, frequency: str = ""
    ) -> float:
        """Return the mean of the last ``count`` values; nan while there are fewer.

        It is the mean of `history`, in a fraction of the time.

        Raises:
            DomainError: as `history`, or ``count`` is not positive.
        """
        try:
            symbol = asset.symbol  # type: ignore[union-attr]
        except AttributeError:
            symbol = asset
        own = self._own.get((symbol, field, frequency))
        if own is not None:
            _, values, bars = own
            seen = bars[self._shown.step]
            first = seen - count
            if 0 <= first < seen:
                return sum(values[first:seen]) / count
        if count < 1:
            message = f"expected the mean of at least 1 value, got {count}"
            raise DomainError(message)
        last = self.history(asset, field, count, frequency).to_list()
        return sum(last) / count if len(last) == count else nan

    def can_trade(self, asset: Instrument | str) -> bool:
        """Tell whether there is a price of ``asset`` that is not stale."""
        symbol = asset if isinstance(asset, str) else asset.symbol
        step = self._shown.step
        return step >= 0 and self._seen[symbol][step] > 0 and not self.is_stale(symbol)

    def age(self, asset: Instrument | str) -> float:
        """Return the age of the latest bar, in seconds of market time."""
        symbol = asset if isinstance(asset, str) else asset.symbol
        end_us = self._columns[symbol].ends_us[self._last_row(symbol)]
        return (self._at.now_us - end_us) / 1_000_000

    def is_stale(self, asset: Instrument | str) -> bool:
        """Tell whether the latest bar is older than the declared limit."""
        if self._max_age_us is None:
            return False
        return self.age(asset) * 1_000_000 > self._max_age_us

    # --- for the actor -------------------------------------------------------

    def limit_age(self, max_age_s: float | None) -> None:
        """Refuse to read values that are older."""
        self._max_age_us = None if max_age_s is None else int(max_age_s * 1_000_000)
        self._own.clear()

    def _last_row(self, symbol: str) -> int:
        if symbol not in self._seen:
            message = f"expected one of {', '.join(self._seen)}, got {symbol!r}"
            raise DomainError(message)
        step = self._shown.step
        seen = self._seen[symbol][step] if step >= 0 else 0
        if not seen:
            message = f"there is no bar of {symbol} yet; ask data.can_trade first"
            raise DomainError(message)
        return seen - 1

    def _row(self, symbol: str) -> int:
        row = self._last_row(symbol)
        if self._max_age_us is not None and self.is_stale(symbol):
            message = f"{symbol} is {self.age(symbol)} s old, older than its limit"
            raise StaleData(message)
        return row

    def _tail(self, symbol: str, field: str, count: int, frequency: str) -> pl.Series:
        try:
            columns = self._columns[symbol]
            series = columns.series[field]
        except KeyError:
            message = f"expected a known symbol and field, got {symbol!r}, {field!r}"
            raise DomainError(message) from None
        if self._max_age_us is not None:
            self._row(symbol)
        step = self._shown.step
        seen = self._seen[symbol][step] if step >= 0 else 0
        every_us = self._every_us(symbol, frequency) if frequency else 0
        if every_us == 0:
            if self._keeps and self._max_age_us is None and step >= 0:
                values = columns.values[field]
                self._own[symbol, field, frequency] = series, values, self._seen[symbol]
            first = seen - count if seen > count else 0
            return series.slice(first, seen - first)
        resampled = self._resampled.get((symbol, every_us))
        if resampled is None:
            resampled = Resampled(columns, every_us)
            if self._keeps:
                self._resampled[symbol, every_us] = resampled
        return resampled.tail(field, count, seen)

    def _every_us(self, symbol: str, frequency: str) -> int:
        """Return the length of the buckets; 0 for the data's own bars."""
        known = self._intervals.get((symbol, frequency))
        if known is not None:
            return known
        wanted = frequency_us(frequency)
        interval = self._columns[symbol].interval_us
        if wanted < interval:
            message = (
                f"expected a frequency of at least {interval / 1_000_000:g} s, the "
                f"interval of the data of {symbol}, got {frequency}"
            )
            raise DomainError(message)
        found = 0 if wanted == interval else wanted
        self._intervals[symbol, frequency] = found
        return found
