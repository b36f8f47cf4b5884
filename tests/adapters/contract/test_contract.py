"""Every case on every venue that is able to it, judged by the venue's own record."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import life, refusals, sessions, telling, wire  # noqa: F401 - they register their cases
from .cases import CASES, Case
from .face import Book
from .faces import ABLE, OPEN
from .judge import judge

PLAYED = [
    pytest.param(face, case, id=f"{case.number:03}-{face}-{case.title}")
    for case in sorted(CASES, key=lambda each: each.number)
    for face in OPEN
    if case.needs <= ABLE[face]
]


@pytest.mark.parametrize(("face", "case"), PLAYED)
async def test_case(face: str, case: Case, tmp_path: Path) -> None:
    async with OPEN[face](case.path, tmp_path / "venue.sqlite") as opened:
        await opened.market()
        await case.play(opened, Book(opened, case.path[0][0]))
        await judge(opened)


def test_each_case_is_played_by_some_venue() -> None:
    played = {
        case.number for case in CASES for able in ABLE.values() if case.needs <= able
    }
    assert played == {case.number for case in CASES}
