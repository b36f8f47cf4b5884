"""The tape gives back what was written, and finds what was not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast_adapters.tape import SqliteTape, TapeReader
from holdfast_adapters.tape.store import BLOCK, TapeDamaged
from holdfast_domain.errors import CommitFailed, InputError
from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import Bar, Quote, Trade, utc_from_us

AT = utc_from_us(1_700_000_000_123_456)
STEPS = [
    Seen(
        time_us=1,
        bars=(
            Bar(
                instrument="A", ended_at=AT, open=0.1, high=0.3, low=1e-9, close=0.2,
                volume=3.0,
            ),
        ),
    ),
    Seen(
        time_us=2,
        trades=(Trade(instrument="A", traded_at=AT, price=0.1, size=2.0, is_buy=True),),
        quotes=(
            Quote(
                instrument="A", quoted_at=AT, bid=1.0, ask=2.0, bid_size=3.0,
                ask_size=4.0,
            ),
        ),
    ),
    Seen(time_us=3),
]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(SqliteTape(tmp_path / "tape.sqlite", "here")) as tape:
        tape.append(STEPS[:2])
        tape.append(STEPS[2:])
    return tmp_path / "tape.sqlite"


def test_what_was_written_is_read_from_any_step_on(path: Path) -> None:
    with closing(SqliteTape(path, "here")) as tape:
        assert len(tape) == 3
        assert [list(tape.read(first)) for first in range(4)] == [
            STEPS,
            STEPS[1:],
            STEPS[2:],
            [],
        ]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE steps SET body = replace(body, '0.3', '0.4') WHERE step = 0",
        "DELETE FROM steps WHERE step = 1",
        "UPDATE steps SET checksum = checksum + 1 WHERE step = 2",
    ],
)
def test_an_edit_is_found(path: Path, harm: str) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(harm)
    with closing(SqliteTape(path, "here")) as tape, pytest.raises(TapeDamaged):
        list(tape.read())


def test_a_tape_is_of_one_source(path: Path) -> None:
    with pytest.raises(InputError, match="a tape of there, got here"):
        SqliteTape(path, "there")


def test_what_is_no_tape_is_said(tmp_path: Path) -> None:
    (tmp_path / "tape").write_bytes(b"x" * 4096)
    with pytest.raises(TapeDamaged):
        SqliteTape(tmp_path / "tape", "here")


def test_a_second_writer_cannot_mix_its_steps_in(path: Path) -> None:
    with (
        closing(SqliteTape(path, "here")) as one,
        closing(SqliteTape(path, "here")) as late,
    ):
        one.append(STEPS[2:])
        with pytest.raises(CommitFailed):
            late.append(STEPS[:2])
        assert len(list(one.read())) == 4


def test_single_steps_are_read_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "tape.sqlite"
    steps = [Seen(time_us=1 + number) for number in range(2 * BLOCK + 9)]
    with closing(SqliteTape(path, "here")) as tape, closing(TapeReader(path)) as read:
        tape.append(steps[:BLOCK])
        assert read(BLOCK - 1) == steps[BLOCK - 1]
        with pytest.raises(TapeDamaged, match=f"step {BLOCK} is not there"):
            read(BLOCK)
        tape.append(steps[BLOCK:])
        for at in (BLOCK, len(steps) - 1, 0, BLOCK + 3):
            assert read(at) == steps[at]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE steps SET body = '{\"time_us\":7}' WHERE step = 5")
    with closing(TapeReader(path)) as read:
        assert read(BLOCK + 1) == steps[BLOCK + 1]
        with pytest.raises(TapeDamaged, match="step 5 is not as it was written"):
            read(9)


def test_a_history_after_which_nothing_was_heard_may_be_asked_for_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tape.sqlite"
    history = [replace(STEPS[0], fetched="before"), Seen(time_us=2, fetched="before")]
    with closing(SqliteTape(path, "here")) as tape:
        tape.append(history)
        tape.begin_anew()
        assert list(tape.read()) == []
        tape.append([*history, STEPS[2]])
        tape.begin_anew()
    with closing(SqliteTape(path, "here")) as tape:
        assert list(tape.read()) == [*history, STEPS[2]]
