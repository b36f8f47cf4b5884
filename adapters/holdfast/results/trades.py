"""Tables of what was traded: every fill, and the round trips that fills make up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import attrs
import polars as pl

from holdfast.results.books import Booked
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO

_UTC = pl.Datetime("us", "UTC")

TRADES: dict[str, pl.DataType | type[pl.DataType]] = {
    "time": _UTC,
    "strategy": pl.String,
    "symbol": pl.String,
    "side": pl.String,
    "quantity": pl.Float64,
    "price": pl.Float64,
    "fee": pl.Float64,
    "order_id": pl.String,
}
"""The columns of the table of fills; exact numbers stay in the journal."""

ROUND_TRIPS: dict[str, pl.DataType | type[pl.DataType]] = {
    "strategy": pl.String,
    "symbol": pl.String,
    "side": pl.String,
    "quantity": pl.Float64,
    "entry_time": _UTC,
    "entry_price": pl.Float64,
    "exit_time": _UTC,
    "exit_price": pl.Float64,
    "fees": pl.Float64,
    "profit_and_loss": pl.Float64,
    "return": pl.Float64,
}
"""The columns of the table of round trips."""


def fill_table(
    fills: Iterable[Booked], instruments: Mapping[str, Instrument]
) -> pl.DataFrame:
    """Return one row for each fill (`TRADES`), in the order of the journal."""
    rows = [
        (
            fill.filled_at,
            fill.strategy,
            fill.instrument,
            fill.side.value,
            float(fill.quantity.value),
            float(fill.price.value),
            float(fill.fee_value(instruments[fill.instrument])),
            fill.order_id,
        )
        for fill in (booked.fill for booked in fills)
    ]
    return pl.DataFrame(rows, schema=TRADES, orient="row")


@attrs.define
class _Lot:
    """What is left of the units that one fill opened."""

    sign: int
    left: Decimal
    price: Decimal
    fee_per_unit: Decimal
    at: datetime


_Row = tuple[
    str, str, str, float, datetime, float, datetime, float, float, float, float | None
]


def round_trips(
    fills: Iterable[Booked], instruments: Mapping[str, Instrument]
) -> pl.DataFrame:
    """Return one row for each closed lot (`ROUND_TRIPS`), in the order of the exits.

    Units are closed first in, first out, for each strategy and symbol. Profit and loss
    is net of both fills' fees, ``return`` is it as a fraction of what the entry cost.
    """
    lots: dict[tuple[str, str], deque[_Lot]] = {}
    rows: list[_Row] = []
    for fill in (booked.fill for booked in fills):
        held = lots.setdefault((fill.strategy, fill.instrument), deque())
        rows.extend(_matched(fill, held, instruments[fill.instrument]))
    return pl.DataFrame(rows, schema=ROUND_TRIPS, orient="row")


def _matched(fill: Fill, held: deque[_Lot], instrument: Instrument) -> list[_Row]:
    """Close lots with ``fill``; what is left of it opens a new one."""
    sign, left = fill.side.sign, abs(fill.units(instrument))
    if not left:
        return []
    fee = fill.fee_value(instrument) / left
    rows = []
    while left and held and held[0].sign != sign:
        lot = held[0]
        units = min(left, lot.left)
        rows.append(_row(fill, lot, units, fee, instrument.multiplier))
        left -= units
        lot.left -= units
        if not lot.left:
            held.popleft()
    if left:
        held.append(_Lot(sign, left, fill.price.value, fee, fill.filled_at))
    return rows


def _row(fill: Fill, lot: _Lot, units: Decimal, fee: Decimal, size: Decimal) -> _Row:
    fees = (lot.fee_per_unit + fee) * units
    cost = lot.price * units * size
    gain = (fill.price.value - lot.price) * units * size * lot.sign - fees
    return (
        fill.strategy,
        fill.instrument,
        "long" if lot.sign > 0 else "short",
        float(units),
        lot.at,
        float(lot.price),
        fill.filled_at,
        float(fill.price.value),
        float(fees),
        float(gain),
        float(gain / abs(cost)) if cost != ZERO else None,
    )
