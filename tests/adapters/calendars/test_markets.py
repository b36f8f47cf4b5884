"""Market calendars answer from tables, and a trading process imports no pandas."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast_adapters.calendars import MarketCalendars, TableCalendar
from holdfast_adapters.calendars.cache import file_name, table_calendar
from holdfast_adapters.calendars.names import calendar_names
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.schedules import Calendars, Schedule, triggers_between


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type,misc]


def listed(calendar: str | None, symbol: str = "SPY") -> dict[str, Instrument]:
    return {symbol: Instrument(symbol=symbol, calendar=calendar)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calendars")


@pytest.fixture(scope="module")
def new_york(folder: Path) -> TableCalendar:
    calendar = MarketCalendars(listed("XNYS"), folder).calendar_of("SPY")
    assert calendar is not None
    return calendar


def test_christmas_eve_is_a_half_day(new_york: TableCalendar) -> None:
    closes = new_york.closes_us(us(2015, 12, 23), us(2015, 12, 29))
    assert [utc_from_us(close) for close in closes] == [
        datetime(2015, 12, 23, 21, tzinfo=UTC),
        datetime(2015, 12, 24, 18, tzinfo=UTC),
        datetime(2015, 12, 28, 21, tzinfo=UTC),
    ]


def test_the_open_moves_with_the_clocks(new_york: TableCalendar) -> None:
    opens = new_york.opens_us(us(2008, 3, 7), us(2008, 3, 11))
    assert [utc_from_us(time) for time in opens] == [
        datetime(2008, 3, 7, 14, 30, tzinfo=UTC),
        datetime(2008, 3, 10, 13, 30, tzinfo=UTC),
    ]


def test_the_storm_of_2012_closed_the_exchange(new_york: TableCalendar) -> None:
    closes = new_york.closes_us(us(2012, 10, 26), us(2012, 11, 1))
    assert [utc_from_us(close).day for close in closes] == [26, 31]
    assert new_york.session_of(us(2012, 10, 29, 15)) is None
    assert new_york.close_after(us(2012, 10, 27)) == us(2012, 10, 31, 20)


def test_ranges_leave_out_their_start_and_include_their_end(
    new_york: TableCalendar,
) -> None:
    first, second = us(2012, 10, 25, 20), us(2012, 10, 26, 20)
    assert list(new_york.closes_us(first, second)) == [second]
    assert list(new_york.closes_us(first - 1, second - 1)) == [first]
    assert list(new_york.closes_us(second, first)) == []


def test_a_session_includes_its_open_and_its_close(new_york: TableCalendar) -> None:
    opened, closed = us(2012, 10, 26, 13, 30), us(2012, 10, 26, 20)
    assert new_york.session_of(opened - 1) is None
    for time in (opened, opened + 1, closed):
        assert new_york.session_of(time) == (opened, closed)
    assert new_york.session_of(closed + 1) is None
    assert new_york.close_after(closed - 1) == closed
    assert new_york.close_after(closed) == us(2012, 10, 31, 20)


def test_the_end_of_a_calendar_is_said(new_york: TableCalendar) -> None:
    with pytest.raises(InputError, match="install a newer exchange_calendars"):
        new_york.close_after(new_york.last_us)
    assert new_york.session_of(new_york.last_us + 1) is None


def test_only_an_instrument_with_a_calendar_has_sessions(folder: Path) -> None:
    calendars: Calendars = MarketCalendars(
        listed("XNYS") | listed(None, symbol="BTC"), folder
    )
    assert calendars.calendar_of("BTC") is None
    assert calendars.calendar_of("unheard of") is None
    schedule = Schedule(
        name="report", at="market_close", offset_minutes=-15, instrument="SPY"
    )
    due = triggers_between([schedule], calendars, us(2015, 12, 24), us(2015, 12, 25))
    assert [trigger.time_us for trigger in due] == [us(2015, 12, 24, 17, 45)]


@pytest.mark.parametrize("name", ["XXXX", "", "../../x", "N" * 500])
def test_an_unknown_calendar_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="a name that exchange_calendars knows"):
        MarketCalendars(listed(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a folder to write to"):
        MarketCalendars(listed("XNYS"), tmp_path / "file" / "cache")


def test_a_torn_table_is_computed_anew_and_a_whole_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / file_name("XNYS")
    path.write_text('{"opens": [1, 2', encoding="utf-8")
    assert table_calendar("XNYS", tmp_path).last_us > us(2040, 1, 1)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    path.write_text('{"opens": [1, 5], "closes": [2, 6]}', encoding="utf-8")
    assert table_calendar("XNYS", tmp_path).last_us == 6


def test_files_of_the_users_folder_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pandas.py").write_text("raise SystemExit(9)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert table_calendar("24/7", tmp_path / "cache").first_us == 0


def test_the_names_are_those_of_the_library() -> None:
    code = "import exchange_calendars as e; print(*e.get_calendar_names())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert calendar_names() == set(done.stdout.split())


def test_a_trading_process_imports_no_pandas(folder: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from holdfast_adapters.calendars import MarketCalendars
from holdfast_domain.instruments import Instrument
listed = {{"A": Instrument(symbol="A", calendar="XNYS"),
          "B": Instrument(symbol="B", calendar="24/7")}}
calendars = MarketCalendars(listed, Path({str(folder)!r}))
day = 86_400_000_000
print(len(calendars.calendar_of("A").closes_us(0, 365 * day)))
print(len(list(calendars.cron_us("0 9 * * *", "Asia/Tokyo", 0, 365 * day))))
print([name for name in ("pandas", "numpy") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["254", "365", "[]"]
