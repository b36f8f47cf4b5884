"""Small markets, made from a number; made once and used again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random  # noqa: TID251 - seeded here, with the market's number

import attrs
import polars as pl

from holdfast.options import RunOptions, read_options
from holdfast.simulation.strategies import ALL
from holdfast_adapters.matching import FillAt
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData

MARKETS = 8
"""How many there are."""

BAR_S = 60
GAP_RATE = 0.05
SYMBOLS = ("AAA", "BBB")
_START = datetime(2024, 1, 2, 9, tzinfo=UTC)


@cache
def market(number: int) -> MarketData:
    """Return two instruments with 20 to 36 minute bars."""
    dice = Random(f"market/{number}")
    bars = dice.randrange(20, 37)
    return MarketData({name: _columns(name, bars, dice) for name in SYMBOLS})


def _columns(name: str, bars: int, dice: Random) -> BarColumns:
    price, rows, times = 50.0, [], []
    for at in range(bars):
        if at and dice.random() < GAP_RATE:  # a bar that never came
            continue
        close = round(price * (1 + dice.gauss(0, 0.006)), 2)
        high = round(max(price, close) + dice.random() / 4, 2)
        low = round(min(price, close) - dice.random() / 4, 2)
        rows.append((price, high, low, close))
        times.append(_START + timedelta(seconds=BAR_S * at))
        price = close
    frame = pl.DataFrame(
        {
            "timestamp": times,
            **{kind: [row[at] for row in rows] for at, kind in enumerate(FIELDS[:4])},
            "volume": [100.0] * len(rows),
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return BarColumns(name, frame)


def _listed(*, two: bool, in_kind: bool) -> dict[str, Instrument] | None:
    """Return what is listed, where it is no more than the names of the data.

    ``in_kind`` is a spot market, which takes its fees out of what is bought.
    """
    if not two and not in_kind:
        return None
    return {
        "AAA": Instrument(symbol="AAA", base="A" if in_kind else ""),
        "BBB": Instrument(symbol="BBB", venue="second" if two else ""),
    }


@cache
def options_of(
    number: int, strategies: int, fill: str, *, partial: bool, venues: int
) -> RunOptions:
    """Return the options of a run; with ``partial``, a bar fills a part of an order.

    Every fourth market takes fees in kind.
    """
    in_kind = number % 4 == 3  # noqa: PLR2004 - every fourth
    options = read_options(
        list(ALL[:strategies]),
        data=market(number),
        capital=10_000 * strategies,
        commission="0.001",
        fill=FillAt(fill).value,
        instruments=_listed(two=venues > 1, in_kind=in_kind),
    )
    if not partial:
        return options
    model = attrs.evolve(options.model, participation=Decimal("0.05"))
    return attrs.evolve(options, model=model)
