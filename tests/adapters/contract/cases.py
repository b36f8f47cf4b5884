"""The register of the suite: numbered cases, and what each of them needs of a venue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import attrs

from .face import Book, Face, Path_

Script: TypeAlias = Callable[[Face, Book], Awaitable[None]]

FLAT: Final[Path_] = [(100, 1000)] * 6
"""A market that stands still, with plenty to be had."""


@attrs.frozen
class Case:
    """One scripted case."""

    number: int
    title: str
    path: Path_
    needs: frozenset[str]
    play: Script


CASES: Final[list[Case]] = []


def case(
    number: int, title: str, path: Path_ = FLAT, *needs: str
) -> Callable[[Script], Script]:
    """Register a case; ``needs`` are words of `Face.can`.

    ``sessions``: it knows DAY orders. ``funds``: it refuses what cannot be paid.
    ``bands``: it refuses prices that are far off. ``wire``: faults can be switched on.
    ``http``: it is asked by HTTP, each time anew. ``posts``: it has post-only orders.
    ``reduces``: it has positions of either sign, and reduce-only orders.
    ``stream``: it tells of its own accord what happens to orders. ``frames``: it has a
    line for that alone, which goes on behind a frame that cannot be read.
    ``trails``: it has trailing stops by basis points, with ``trail_prices`` by a price,
    too; ``trail_limits``: both it and its symbols limit the distance; and
    ``trail_changes``: it may be changed. ``hides``: it has icebergs. ``auctions``: it
    has orders for the open and the close. ``ocos``, ``brackets``: it has such lists;
    ``parts``: a part of an exit ends the other one, and exits wait for all of their
    entry; ``around``: it refuses an OCO that does not have the price between its own;
    ``whole``: it takes a list whole or not at all, and with ``legs`` each leg alone.
    ``answers``: answers tell what was filled at once, too; without it nothing is left
    out, but what came of a request is looked up.
    """

    def register(play: Script) -> Script:
        assert number not in {each.number for each in CASES}, number
        CASES.append(Case(number, title, path, frozenset(needs), play))
        return play

    return register
