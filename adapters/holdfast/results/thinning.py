"""Long series made short for a chart, without losing an extreme."""

from __future__ import annotations

import polars as pl

POINTS_MAX = 4_000
"""About how many points of a series a chart gets."""


def thinned(frame: pl.DataFrame, column: str, points: int = POINTS_MAX) -> pl.DataFrame:
    """Return at most about ``points`` rows of ``frame``, in order.

    The rows are cut into buckets of equal length, and the lowest and the highest value
    of ``column`` in each are kept, as are the first and the last row of all.
    """
    rows = len(frame)
    if rows <= points:
        return frame
    row = pl.int_range(pl.len())
    value = pl.col(column)
    ends = (
        frame.select(value, row=row, bucket=row * (points // 2) // rows)
        .group_by("bucket")
        .agg(
            low=pl.col("row").get(value.arg_min()),
            high=pl.col("row").get(value.arg_max()),
        )
    )
    edges = pl.Series([0, rows - 1], dtype=pl.Int64)
    kept = pl.concat([ends["low"], ends["high"], edges]).drop_nulls().unique().sort()
    return frame[kept]


def evenly(frame: pl.DataFrame, rows_max: int) -> pl.DataFrame:
    """Return at most ``rows_max`` rows of ``frame``, evenly spread."""
    step = -(-len(frame) // rows_max)
    return frame if step <= 1 else frame.gather_every(step)
