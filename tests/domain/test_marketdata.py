"""Several instruments on one timeline of steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, strategies as st

from holdfast_domain.growing import Fetched, GrowingData, Seen
from holdfast_domain.marketdata import (
    FIELDS,
    BarColumns,
    MarketData,
    us_of,
    utc_from_us,
)

T0 = datetime(2024, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000


def bars(symbol: str, *hours: int) -> BarColumns:
    """Return bars that end at ``hours``; prices tell which bar they are of."""
    frame = pl.DataFrame(
        {
            "timestamp": [T0 + timedelta(hours=hour) for hour in hours],
            **{
                name: [hour + at / 10 for hour in hours]
                for at, name in enumerate(FIELDS)
            },
        },
        schema={
            "timestamp": pl.Datetime("us", "UTC"),
            **dict.fromkeys(FIELDS, pl.Float64),
        },
    )
    return BarColumns(symbol, frame)


def test_each_moment_at_which_a_bar_ends_is_a_step() -> None:
    data = MarketData({"A": bars("A", 1, 2, 5), "B": bars("B", 2, 3)})

    assert [utc_from_us(each).hour for each in data.times_us] == [1, 2, 3, 5]
    assert [data.due(step) for step in range(4)] == [["A"], ["A", "B"], ["B"], ["A"]]
    assert [data.seen["A"][step] for step in range(4)] == [1, 2, 2, 3]
    assert [data.seen["B"][step] for step in range(4)] == [0, 1, 2, 2]
    assert (len(data), data.bars) == (4, 5)


def test_the_order_of_the_configuration_is_kept() -> None:
    data = MarketData({"B": bars("B", 1), "A": bars("A", 1)})

    assert data.due(0) == ["B", "A"]


def test_one_instrument_is_its_own_timeline() -> None:
    data = MarketData({"A": bars("A", 1, 4, 9)})

    assert [data.seen["A"][step] for step in range(3)] == [1, 2, 3]
    assert [data.due(step) for step in range(3)] == [["A"]] * 3


hours = st.lists(st.integers(0, 60), min_size=1, unique=True).map(sorted)


@given(st.lists(hours, min_size=1, max_size=4))
def test_seen_and_due_agree_with_a_plain_count(many: list[list[int]]) -> None:
    data = MarketData({f"S{at}": bars(f"S{at}", *row) for at, row in enumerate(many)})
    times = sorted({hour for row in many for hour in row})
    origin = int(T0.timestamp()) * 1_000_000

    assert data.times_us == [origin + hour * HOUR_US for hour in times]
    for step, hour in enumerate(times):
        for at, row in enumerate(many):
            assert data.seen[f"S{at}"][step] == sum(each <= hour for each in row)
        assert data.due(step) == [
            f"S{at}" for at, row in enumerate(many) if hour in row
        ]


def test_a_bar_is_made_of_its_columns() -> None:
    bar = bars("A", 1, 7).bar(1)

    assert (bar.instrument, bar.ended_at) == ("A", T0 + timedelta(hours=7))
    assert [getattr(bar, name) for name in FIELDS] == pytest.approx(
        [7.0, 7.1, 7.2, 7.3, 7.4]
    )


@pytest.mark.parametrize(
    ("ends", "hours"),
    [((1, 2, 3, 10, 11), 1), ((0, 2, 3, 5), 2), ((1, 4, 5, 8), 3), ((7,), 24)],
)
def test_the_interval_is_the_commonest_gap(ends: tuple[int, ...], hours: int) -> None:
    assert bars("A", *ends).interval_us == hours * HOUR_US


@given(st.integers(0, 4_102_444_800_000_000))
def test_a_moment_keeps_its_microseconds(time_us: int) -> None:
    moment = utc_from_us(time_us)

    assert moment.tzinfo is UTC
    seconds = int(moment.replace(microsecond=0).timestamp())
    assert seconds * 1_000_000 + moment.microsecond == time_us


def test_a_run_begins_behind_its_history_and_is_not_called_on_what_came_late() -> None:
    data = MarketData({"A": bars("A", 1, 2, 3, 4)}, begins=2, late=[3])
    assert data.span_us == (data.times_us[1], data.times_us[3])
    assert [data.acts(step) for step in range(4)] == [False, False, True, False]
    whole = MarketData({"A": bars("A", 1, 2)})
    assert whole.span_us[0] == whole.times_us[0] - 1
    assert whole.acts(0)


def test_data_that_grows_keeps_its_marks() -> None:
    data = GrowingData(["A"], HOUR_US)
    assert data.told_us == 0
    marks: list[Fetched] = ["before", "before", "", "late", "in time", "late"]
    for at, mark in enumerate(marks):
        bar = bars("A", at).bar(0)
        data.append(Seen(time_us=us_of(bar.ended_at), bars=(bar,), fetched=mark))
    assert [data.acts(step) for step in range(6)] == [
        mark in ("", "in time") for mark in marks
    ]
    assert (data.begins, list(data.late)) == (2, [3, 5])
    assert data.told_us == data.times_us[-1]
    assert data.span_us[0] == data.times_us[1]
    with pytest.raises(ValueError, match="the run to begin at step 2"):
        data.append(Seen(time_us=data.times_us[-1] + 1, fetched="before"))
