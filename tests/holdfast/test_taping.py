"""A start reads of a tape what it needs, and what nobody needs is let go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from holdfast import taping
from holdfast.taping import DAY_US, TapeTrimmer, read_tape
from holdfast_adapters.tape import SqliteTape, TapeCut, TapeReader
from holdfast_domain.growing import GrowingData, Seen
from holdfast_domain.marketdata import Quote, utc_from_us

COUNT = 20


def quotes(number: int) -> tuple[Quote, ...]:
    at = utc_from_us(number)
    return (
        Quote(instrument="A", quoted_at=at, bid=1, ask=2, bid_size=1, ask_size=1),
    )  # fmt: skip


STEPS = [
    Seen(time_us=(number + 1) * DAY_US, quotes=quotes(number))
    for number in range(COUNT)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(SqliteTape(tmp_path / "tape.sqlite", "here")) as tape:
        tape.append(STEPS)
    return tmp_path / "tape.sqlite"


@pytest.fixture
def data(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GrowingData]:
    monkeypatch.setattr(taping, "WHOLE", 4)
    with closing(TapeReader(path)) as recall:
        yield GrowingData(["A"], 60_000_000, recall=recall)


def read(path: Path, data: GrowingData) -> None:
    with closing(SqliteTape(path, "here")) as tape:
        read_tape(tape, data)


def test_what_a_start_passed_over_is_there_when_it_is_asked_for(
    path: Path, data: GrowingData
) -> None:
    read(path, data)
    assert len(data._recent._news) == 4
    assert [data.news(step)[1] for step in range(COUNT)] == [
        step.quotes for step in STEPS
    ]


def test_what_is_young_or_needed_is_not_let_go(path: Path, data: GrowingData) -> None:
    read(path, data)
    trimmer = TapeTrimmer(path, data, 5 * DAY_US, worth_it=3)
    assert trimmer.is_due
    trimmer.let_go(needed_from=6)
    with closing(SqliteTape(path, "here")) as tape:
        assert tape.let_go_before == 6
    assert data.news(6)[1] == STEPS[6].quotes
    trimmer.let_go(needed_from=COUNT)
    with closing(SqliteTape(path, "here")) as tape:
        assert tape.let_go_before == COUNT - 6
    lately = [trimmer, TapeTrimmer(path, data, 5 * DAY_US)]
    assert [each.is_due for each in lately] == [False, False]


def test_what_was_let_go_is_no_silence_of_the_market(
    path: Path, data: GrowingData
) -> None:
    read(path, data)
    TapeTrimmer(path, data, 1 * DAY_US).let_go(needed_from=COUNT - 2)
    again = GrowingData(["A"], 60_000_000, recall=TapeReader(path))
    read(path, again)
    with pytest.raises(TapeCut):
        again.news(COUNT - 3)
    assert again.news(COUNT - 2)[1] == STEPS[-2].quotes
