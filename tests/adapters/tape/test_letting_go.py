"""What is let go of a tape is trades and quotes; a death on the way loses nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from msgspec.structs import replace

from holdfast_adapters.tape import (
    Extent,
    SqliteTape,
    TapeCut,
    TapeReader,
    extent_of,
    let_go,
    store,
)
from holdfast_domain.errors import CommitFailed
from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import Bar, Quote, utc_from_us

AT = utc_from_us(1_700_000_000_123_456)
COUNT = 10


def step(number: int) -> Seen:
    bar = Bar(
        instrument="A", ended_at=AT, open=1.0, high=1.0, low=1.0, close=float(number),
        volume=1.0,
    )  # fmt: skip
    quote = Quote(
        instrument="A", quoted_at=AT, bid=number, ask=number + 1, bid_size=1.0,
        ask_size=1.0,
    )  # fmt: skip
    return Seen(
        time_us=number + 1, bars=(bar,) if number % 3 == 0 else (), quotes=(quote,),
        fetched="late" if number % 3 == 0 else "",
    )  # fmt: skip


STEPS = [step(number) for number in range(COUNT)]


def cut(before: int, steps: list[Seen]) -> list[Seen]:
    """``steps`` as a tape has them of which those before one were let go."""
    return [
        replace(each, quotes=()) if at < before else each
        for at, each in enumerate(steps)
    ]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "AT_ONCE", 2)
    with closing(SqliteTape(tmp_path / "tape.sqlite", "here")) as tape:
        tape.append(STEPS)
    return tmp_path / "tape.sqlite"


def all_of(path: Path) -> list[Seen]:
    with closing(SqliteTape(path, "here")) as tape:
        return list(tape.read())


def test_bars_times_and_marks_stay_and_the_tape_goes_on(path: Path) -> None:
    with closing(SqliteTape(path, "here")) as tape:
        assert let_go(path, 5) == 5
        assert list(tape.read()) == cut(5, STEPS)
        tape.append([step(COUNT)])
        assert let_go(path, 3) == 5
        assert let_go(path, 7) == 7
        assert tape.let_go_before == 7
    more = [*STEPS, step(COUNT)]
    with closing(SqliteTape(path, "here")) as tape:
        assert list(tape.read()) == cut(7, more)
        assert [list(tape.read(first)) for first in (6, 7, 8)] == [
            cut(7, more)[first:] for first in (6, 7, 8)
        ]


def test_who_appends_goes_on_from_the_last_step(path: Path) -> None:
    assert let_go(path, 1_000) == COUNT - 1
    with closing(SqliteTape(path, "here")) as tape:
        tape.append([step(COUNT)])
    assert all_of(path) == cut(COUNT - 1, [*STEPS, step(COUNT)])


def test_what_is_gone_is_not_recalled_as_if_nothing_had_been(path: Path) -> None:
    let_go(path, 5)
    with closing(TapeReader(path)) as reader:
        assert reader(5) == STEPS[5]
        with pytest.raises(TapeCut, match="step 4 are not kept"):
            reader(4)


def test_a_step_that_was_edited_is_found_on_both_sides(path: Path) -> None:
    let_go(path, 5)
    for number in (3, 7):
        with closing(sqlite3.connect(path)) as db:
            body = db.execute("SELECT body FROM steps WHERE step = ?", (number,))
            (old,) = body.fetchone()
            new = old.replace(b'"time_us":', b'"time_us":9')
            write = "UPDATE steps SET body = ? WHERE step = ?"
            db.execute(write, (new, number))
            db.commit()
            with pytest.raises(store.TapeDamaged, match=f"step {number} is not"):
                all_of(path)
            db.execute(write, (old, number))
            db.commit()
    assert all_of(path) == cut(5, STEPS)


def test_old_steps_are_skimmed(path: Path) -> None:
    with closing(SqliteTape(path, "here")) as tape:
        assert list(tape.read(whole_from=4)) == cut(4, STEPS)


def dying(monkeypatch: pytest.MonkeyPatch, at: int, die: Callable[[], None]) -> None:
    """Let whoever lets go die before its statement ``at``, or half-way in it."""
    count = 0

    class Mortal(sqlite3.Connection):
        def execute(self, *given: Any) -> sqlite3.Cursor:
            self._live()
            return super().execute(*given)

        def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
            self._live()
            return super().executemany(sql, self._each(rows))

        def _each(self, rows: Any) -> Any:
            for row in rows:
                self._live()
                yield row

        def _live(self) -> None:
            nonlocal count
            count += 1
            if count == at:
                die()

    made = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **k: made(*a, factory=Mortal, **k)
    )


def failing() -> None:
    message = "disk I/O error"
    raise sqlite3.OperationalError(message)


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_disk_that_fails_at_any_statement_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, reached = path.read_bytes(), set()
    for at in range(1, 200):
        path.write_bytes(whole)
        with monkeypatch.context() as patched:
            dying(patched, at, failing)
            try:
                let_go(path, 6)
                break
            except CommitFailed:
                pass
        with closing(SqliteTape(path, "here")) as tape:
            reached.add(tape.let_go_before)
            assert list(tape.read()) == cut(tape.let_go_before, STEPS), at
    assert reached >= {0, 2, 4}
    assert at > 20
    assert let_go(path, 6) == 6


def test_a_kill_at_any_statement_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, sample: Any
) -> None:
    for at in sample.sample(range(1, 25), 6):
        child = os.fork()
        if not child:
            dying(monkeypatch, at, killed)
            let_go(path, 6)
            os._exit(0)
        os.waitpid(child, 0)
        with closing(SqliteTape(path, "here")) as tape:
            gone = tape.let_go_before
            assert gone in (0, 2, 4, 6)
            assert list(tape.read()) == cut(gone, STEPS), at
            tape.append([])
    assert let_go(path, 6) == 6
    assert all_of(path) == cut(6, STEPS)


def test_it_is_known_from_where_a_tape_has_what(path: Path, tmp_path: Path) -> None:
    assert extent_of(tmp_path / "none", is_open=False) is None
    let_go(path, 5)
    files = sorted(tmp_path.iterdir())
    extent = Extent(
        steps=COUNT, history=0, first_us=1, last_us=COUNT, whole_from=5,
        whole_from_us=6,
    )  # fmt: skip
    assert extent_of(path, is_open=False) == extent
    assert sorted(tmp_path.iterdir()) == files
    with closing(SqliteTape(path, "here")) as tape:
        tape.append([step(COUNT)])
        assert extent_of(path, is_open=True) == attrs.evolve(
            extent, steps=COUNT + 1, last_us=COUNT + 1
        )


def test_after_a_death_what_was_written_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "tape.sqlite"
    child = os.fork()
    if not child:
        SqliteTape(path, "here").append(STEPS)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    files = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    found = extent_of(path, is_open=False)
    assert found is not None
    assert found.steps == COUNT
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == files


def test_history_is_counted(tmp_path: Path) -> None:
    with closing(SqliteTape(tmp_path / "tape.sqlite", "here")) as tape:
        tape.append([replace(each, fetched="before") for each in STEPS[:3]])
        tape.append(STEPS[3:])
    found = extent_of(tmp_path / "tape.sqlite", is_open=False)
    assert found is not None
    assert (found.history, found.steps) == (3, COUNT)
