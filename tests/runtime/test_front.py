"""The front of the package fits on one screen, and the page has all of it."""

from __future__ import annotations

import re
from pathlib import Path

import holdfast_runtime

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "runtime-names.md"
SCREEN = 50


def test_the_page_has_each_name_on_a_line_of_its_own() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    named = [row[1] for row in (re.match(r"\| `(\w+)` \| \S", x) for x in lines) if row]
    assert sorted(named) == sorted(holdfast_runtime.__all__)
    assert len(lines) <= SCREEN


def test_the_front_has_each_name_and_nothing_of_it_twice() -> None:
    names = holdfast_runtime.__all__
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(holdfast_runtime, name)] == []
