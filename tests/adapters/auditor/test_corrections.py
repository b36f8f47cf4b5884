"""Corrections, busts and a person's word: sound ones, and each defect by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .forge import (
    CASH,
    CORRECTIONS,
    DENIED,
    FIRST,
    GUESSES,
    LOST,
    POSITIONS,
    POSTINGS,
    SECOND,
    STRANGE,
    SUB_LEDGERS,
    WORDS,
    Forge,
    execution,
    failing,
    filled,
    of,
)


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


def corrected(forge: Forge) -> None:
    """Let the venue correct the first fill's price, and both sides know it."""
    now = {**FIRST, "price": "100"}
    forge.happenings.append(("corrected", "a", {**now, "correction_id": "K1"}))
    was, right = (filled("a", "alpha", "buy", each)["fill"] for each in (FIRST, now))
    names = of("a", correction_id="K1")
    forge.records.append((2, "FillCorrected", {**names, "was": was, "now": right}))


def busted(forge: Forge) -> None:
    """Let the venue take the second fill back, and both sides know it."""
    back = {"execution_id": "X2", "correction_id": "K2"}
    forge.happenings.append(("busted", "b", back))
    was = filled("b", "beta", "sell", SECOND)["fill"]
    names = {"order_id": "b", "strategy": "beta", **back}
    forge.records.append((2, "FillBusted", {**names, "was": was}))


def resolved(forge: Forge, quantity: str = "2", by: str = "me") -> None:
    """Let a person say what became of ``c``, of whose fill we were never told."""
    forge.happenings.append(("executed", "c", execution(3, "2", "102")))
    forge.records[-1] = (2, "OrderUnknown", of("c", why="no answer"))
    said = {
        "execution_id": "person:c:1",
        "quantity": quantity,
        "price": "102",
        "fee": {"amount": "0", "currency": "USD"},
    }
    word = of("c", outcome="filled", by=by, because="seen at the venue")
    forge.records += [
        (2, "OrderFilled", filled("c", "alpha", "buy", said)),
        (2, "OrderResolved", word),
    ]


def overruled(forge: Forge) -> None:
    """Let the venue tell of the fill after all: the person's is taken back."""
    resolved(forge)
    said = forge.records[-2][2]["fill"]
    names = of("c", correction_id="overruled:person:c:1", execution_id="person:c:1")
    forge.records += [
        (2, "FillBusted", {**names, "was": said}),
        (2, "OrderReopened", of("c", why="the venue says: executed")),
        (2, "OrderFilled", filled("c", "alpha", "buy", execution(3, "2", "102"))),
    ]


def told_before_it_was_booked(forge: Forge) -> None:
    """Let a bust and a correction come before what they are about."""
    busted(forge)
    forge.records[-1][2]["was"] = None
    del forge.records[forge.index("OrderFilled", "b")]
    corrected(forge)
    right = forge.records.pop()[2]["now"]
    at = forge.index("OrderFilled", "a")
    forge.records[at] = (1, "OrderFilled", {"fill": right, "complete": True})


@pytest.mark.parametrize(
    "change", [corrected, busted, resolved, overruled, told_before_it_was_booked]
)
def test_what_both_sides_know_of_a_changed_fill_is_no_finding(
    forge: Forge, change: Callable[[Forge], None]
) -> None:
    change(forge)
    assert failing(forge.audit()) == set()


def lose_a_correction(forge: Forge) -> None:
    corrected(forge)
    del forge.records[-1]


def lose_a_bust(forge: Forge) -> None:
    busted(forge)
    del forge.records[-1]


def book_a_correction_twice(forge: Forge) -> None:
    corrected(forge)
    forge.records.append(forge.records[-1])


def take_back_what_was_not_booked(forge: Forge) -> None:
    corrected(forge)
    forge.records[-1][2]["was"]["price"] = "99"


def bust_what_stands(forge: Forge) -> None:
    busted(forge)
    del forge.happenings[-1]


def correct_the_fill_of_a_sibling(forge: Forge) -> None:
    corrected(forge)
    forge.records[-1][2]["now"]["strategy"] = "beta"


def believe_a_wrong_word(forge: Forge) -> None:
    resolved(forge, quantity="1")


def resolve_without_a_name(forge: Forge) -> None:
    resolved(forge, by="")


def end_a_doubt_without_a_name(forge: Forge) -> None:
    resolved(forge, by="")
    del forge.records[-2], forge.happenings[-1]


def keep_a_word_that_was_overruled(forge: Forge) -> None:
    overruled(forge)
    del forge.records[-3]


def deny_by_a_person(forge: Forge) -> None:
    forge.records[-1] = (2, "OrderUnknown", of("c", why="no answer"))
    word = of("c", outcome="not_placed", by="me", because="not seen")
    forge.records.append((2, "OrderResolved", word))


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        (lose_a_correction, {CORRECTIONS, POSTINGS, CASH}),
        (lose_a_bust, {CORRECTIONS, POSTINGS, POSITIONS, CASH}),
        (book_a_correction_twice, {CORRECTIONS, POSTINGS, CASH}),
        (take_back_what_was_not_booked, {POSTINGS, CASH}),
        (bust_what_stands, {POSTINGS, POSITIONS, CASH}),
        (correct_the_fill_of_a_sibling, {SUB_LEDGERS}),
        (believe_a_wrong_word, {WORDS}),
        (resolve_without_a_name, {LOST, STRANGE, CASH}),
        (end_a_doubt_without_a_name, {GUESSES}),
        (keep_a_word_that_was_overruled, {STRANGE, POSITIONS, CASH}),
        (deny_by_a_person, {DENIED}),
    ],
)
def test_a_defect_of_a_changed_fill_fails_its_checks_and_no_other(
    forge: Forge, defect: Callable[[Forge], None], expected: set[str]
) -> None:
    defect(forge)
    assert failing(forge.audit()) == expected
