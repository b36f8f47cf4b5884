"""Cron lines follow the wall clock, also when it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from holdfast_adapters.calendars import check_cron
from holdfast_adapters.calendars.cron import CronMoments
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import utc_from_us

NEW_YORK = "America/New_York"
MINUTE_US = 60_000_000


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type,misc]


def due(line: str, after: int, until: int, zone: str = NEW_YORK) -> list[str]:
    moments = CronMoments(line, zone).between(after, until)
    return [f"{utc_from_us(moment):%d %H:%M}" for moment in moments]


def test_a_line_is_read_in_its_zone() -> None:
    line = "45 15 * * MON-FRI"
    week = us(2008, 3, 6), us(2008, 3, 12)
    assert due(line, *week) == ["06 20:45", "07 20:45", "10 19:45", "11 19:45"]
    assert due(line, *week, zone="UTC")[0] == "06 15:45"


SPRING = us(2008, 3, 8, 12), us(2008, 3, 10, 12)
AUTUMN = us(2008, 11, 1, 12), us(2008, 11, 3, 12)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("30 2 * * *", ["09 07:00", "10 06:30"]),
        ("*/15 2 * * *", ["09 07:00", "10 06:00", "10 06:15", "10 06:30", "10 06:45"]),
        ("0 3 * * *", ["09 07:00", "10 07:00"]),
        ("30 2,3 * * *", ["09 07:00", "09 07:30", "10 06:30", "10 07:30"]),
        ("0 2,3 * * *", ["09 07:00", "10 06:00", "10 07:00"]),
        ("59 1 * * *", ["09 06:59", "10 05:59"]),
    ],
)
def test_skipped_local_times_are_due_once_when_the_clock_has_jumped(
    line: str, expected: list[str]
) -> None:
    assert due(line, *SPRING) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("30 1 * * *", ["02 05:30", "03 06:30"]),
        ("0 2 * * *", ["02 07:00", "03 07:00"]),
        ("0,59 1 * * *", ["02 05:00", "02 05:59", "03 06:00", "03 06:59"]),
    ],
)
def test_a_local_time_that_comes_twice_is_due_the_first_time(
    line: str, expected: list[str]
) -> None:
    assert due(line, *AUTUMN) == expected


def test_a_question_in_the_repeated_hour_knows_what_has_been() -> None:
    second_time = us(2008, 11, 2, 6, 10)
    assert due("30 1 * * *", second_time, us(2008, 11, 2, 12)) == []
    assert due("30 * * * *", second_time, us(2008, 11, 2, 7)) == ["02 06:30"]


@pytest.mark.parametrize("span", [SPRING, AUTUMN])
def test_lines_of_every_hour_run_by_elapsed_time(span: tuple[int, int]) -> None:
    moments = list(CronMoments("*/30 * * * *", NEW_YORK).between(*span))
    assert len(moments) == 96
    assert {later - time for time, later in pairwise(moments)} == {30 * MINUTE_US}


def test_asking_step_by_step_gives_the_same_as_asking_once() -> None:
    line, start = "5,35 9-16 * * 1-5", us(2008, 10, 30)
    until = start + timedelta(days=9) // timedelta(microseconds=1)
    steps = CronMoments(line, NEW_YORK)
    found = [
        moment
        for after in range(start, until, 7 * MINUTE_US)
        for moment in steps.between(after, min(after + 7 * MINUTE_US, until))
    ]
    once = list(CronMoments(line, NEW_YORK).between(start, until))
    assert found == once
    assert list(steps.between(start, until)) == once, "also after going back"
    assert len(once) == 7 * 16


def test_the_range_leaves_out_its_start_and_includes_its_end() -> None:
    moments = CronMoments("0 12 * * *", "UTC")
    first, second = us(2020, 1, 1, 12), us(2020, 1, 2, 12)
    assert list(moments.between(first, second)) == [second]
    assert list(moments.between(first - 1, second - 1)) == [first]
    assert list(moments.between(second, first)) == []


def test_a_long_span_is_read_as_it_is_taken() -> None:
    for line in ("* * * * *", "0 0 * * *"):
        forever = iter(CronMoments(line, NEW_YORK).between(us(2008, 1, 1), 2**70))
        assert next(forever) < next(forever) < us(2008, 1, 4)
    assert next(iter(CronMoments("0 0 * * *", NEW_YORK).between(-(2**70), 2**70))) < 0


def test_rare_days_are_found() -> None:
    moments = CronMoments("0 0 29 2 *", "UTC").between(us(2000, 1, 1), us(2012, 12, 31))
    assert [utc_from_us(moment).year for moment in moments] == [2000, 2004, 2008, 2012]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "*/0 * * * *",
        "a b c d e",
        "@daily",
        "0 0 30 2 *",
        "R R * * *",
        "H 9 * * *",
        "\0 * * * *",
        "9" * 5_000 + " * * * *",
    ],
)
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(InputError) as caught:
        check_cron(line)
    assert str(caught.value).isprintable()
    with pytest.raises(InputError, match="five fields"):
        CronMoments(line, "UTC")


@pytest.mark.parametrize(
    "line", ["* * * * *", "0 9 * * FRI", "0 9 L * *", "5,10-20/5 1 * JAN-MAR ?"]
)
def test_common_forms_are_cron_lines(line: str) -> None:
    check_cron(line)


def test_an_unknown_zone_of_a_line_is_refused() -> None:
    with pytest.raises(InputError, match="time zone of the cron line '0 9"):
        CronMoments("0 9 * * *", "Mars/Base")
