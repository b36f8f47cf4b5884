"""What a paper venue is made of, apart from what happens there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

import attrs

from holdfast_adapters.matching.model import FillModel, SessionEnd, utc_day_end_us
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.positions import Position

OpenedAt: TypeAlias = Callable[[str, int], int]
"""(symbol, row) to the moment at which that bar opened, in µs UTC."""


@attrs.frozen(kw_only=True)
class World:
    """The market, its rules, and the account in it."""

    data: MarketData
    instruments: Mapping[str, Instrument]
    model: FillModel
    session_end_us: SessionEnd = utc_day_end_us
    opened_at_us: OpenedAt
    opening: Mapping[str, Decimal] = attrs.field(factory=dict)
    """The cash with which the account began, by currency."""

    held: Mapping[str, Position] = attrs.field(factory=dict)
    """What it held then, by instrument."""


def opened_at_us_of(data: MarketData) -> OpenedAt:
    """Return when a bar opened: an interval before its end, not before the last one.

    The interval is the commonest gap of the symbol's time stamps.
    """

    def opened_at_us(symbol: str, row: int) -> int:
        columns = data.columns[symbol]
        opened = columns.ends_us[row] - columns.interval_us
        return max(opened, columns.ends_us[row - 1]) if row else opened

    return opened_at_us
