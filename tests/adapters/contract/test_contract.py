"""Every case on every venue that is able to it, judged by the venue's own record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sampling import some_of

from . import kinds, legs, life, lists, refusals, sessions, telling, wire  # noqa: F401 - they register their cases
from .cases import CASES, Case
from .face import Book
from .faces import ABLE, OPEN
from .judge import judge

ABLE_TO = {
    face: [case for case in CASES if case.needs <= able] for face, able in ABLE.items()
}
ALIKE = [case for case in ABLE_TO["futures"] if case in ABLE_TO["binance"]]
ALONE = [case for case in ABLE_TO["futures"] if case not in ALIKE]
ALWAYS = [*ABLE_TO["paper"], *ABLE_TO["binance"], *ALONE]
OF_IB = [case for case in ABLE_TO["ib"] if case not in ALWAYS]
TRIED = {
    **ABLE_TO,
    "futures": [*some_of(ALIKE), *ALONE],
    "ib": [*some_of([c for c in ABLE_TO["ib"] if c not in OF_IB]), *OF_IB],
    "ib-future": some_of(ABLE_TO["ib-future"][20:] + ABLE_TO["ib-future"][:20]),
    "ib-option": some_of(ABLE_TO["ib-option"][40:] + ABLE_TO["ib-option"][:40]),
    "ib-pair": some_of(ABLE_TO["ib-pair"][60:] + ABLE_TO["ib-pair"][:60]),
}
"""Futures share most of their adapter with spot: what both do is sampled.

IB needs a thread and a connection for each case, and is sampled, too: of each kind of
contract other cases. What it alone can do is always played.
"""

PLAYED = [
    pytest.param(face, case, id=f"{case.number:03}-{face}-{case.title}")
    for face in OPEN
    for case in sorted(TRIED[face], key=lambda each: each.number)
]


@pytest.mark.parametrize(("face", "case"), PLAYED)
async def test_case(face: str, case: Case, tmp_path: Path) -> None:
    async with OPEN[face](case.path, tmp_path / "venue.sqlite") as opened:
        await opened.market()
        await case.play(opened, Book(opened, case.path[0][0]))
        await judge(opened)


def test_each_case_is_played_by_some_venue() -> None:
    played = {case.number for cases in TRIED.values() for case in cases}
    assert played == {case.number for case in CASES}
