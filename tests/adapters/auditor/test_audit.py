"""Forge each defect into a sound pair of files, and see the auditor name it."""

from __future__ import annotations

import ast
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import holdfast_adapters.auditor
from holdfast_adapters.auditor import audit

from .forge import (
    CASH,
    CHAIN,
    DENIED,
    FIRST,
    GAPS,
    GUESSES,
    HALTED,
    LOST,
    POSITIONS,
    POSTINGS,
    SENT_TWICE,
    STARTS,
    STRANGE,
    STRAYS,
    SUB_LEDGERS,
    TWICE,
    Forge,
    execution,
    failing,
    filled,
    intended,
    of,
    terms,
)


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


def test_a_sound_run_has_no_findings(forge: Forge) -> None:
    report = forge.audit()
    assert report.ok
    assert report.violations == 0
    assert report.summary_lines()[:2] == ["fills lost: 0", "fills booked twice: 0"]
    assert len(report.checks) == len(report.summary_lines()) == 20


def lose_a_fill(forge: Forge) -> None:
    del forge.records[forge.index("OrderFilled", "a")]


def book_a_fill_twice(forge: Forge) -> None:
    forge.records.append((2, *forge.records[forge.index("OrderFilled", "a")][1:]))


def invent_a_fill(forge: Forge) -> None:
    trade = {**execution(9, "1", "100"), "fee": {"amount": "0", "currency": "USD"}}
    forge.records.append((2, "OrderFilled", filled("a", "alpha", "buy", trade)))


def misprice_a_fill(forge: Forge) -> None:
    at = forge.index("OrderFilled", "a")
    wrong = {**FIRST, "price": "100"}
    forge.records[at] = (1, "OrderFilled", filled("a", "alpha", "buy", wrong))


def miscount_a_fill(forge: Forge) -> None:
    at = forge.index("OrderFilled", "a")
    wrong = {**FIRST, "quantity": "3"}
    forge.records[at] = (1, "OrderFilled", filled("a", "alpha", "buy", wrong))


def book_a_fill_to_a_sibling(forge: Forge) -> None:
    at = forge.index("OrderFilled", "a")
    forge.records[at] = (1, "OrderFilled", filled("a", "beta", "buy", FIRST))


def submit_an_order_again(forge: Forge) -> None:
    forge.happenings.append(forge.happenings[0])


def give_a_decision_two_orders(forge: Forge) -> None:
    forge.records.append((2, "OrderIntended", intended("d", "alpha", 2, "buy")))


def send_without_an_intent(forge: Forge) -> None:
    forge.happenings.append(("submitted", "z", {**terms("buy", "2")}))


def guess_that_an_order_is_gone(forge: Forge) -> None:
    at = forge.index("OrderNotSent", "c")
    forge.records[at] = (2, "OrderNotPlaced", of("c", reason="no answer"))


def send_again_what_is_unknown(forge: Forge) -> None:
    del forge.records[forge.index("OrderNotSent", "c")]


def deny_an_order(forge: Forge) -> None:
    forge.records[-1] = (2, "OrderNotSent", of("c", proof="absent"))


def send_while_halted(forge: Forge) -> None:
    at = forge.index("Halted") + 1
    forge.records.insert(at, (2, "OrderIntended", intended("d", "alpha", 3, "buy")))
    forge.happenings.append(("submitted", "d", {**terms("buy", "2")}))


def send_while_its_venue_is_degraded(forge: Forge) -> None:
    event = {"venue": "paper", "policy": "cancel"}
    forge.records.insert(forge.index("OrderReadmitted"), (2, "VenueDegraded", event))


def readmit_while_halted(forge: Forge) -> None:
    forge.records.insert(forge.index("OrderReadmitted"), (2, "Halted", {}))


def restart_unseen(forge: Forge) -> None:
    del forge.records[forge.index("OrderUnknown", "b") - 1]


def go_back_an_epoch(forge: Forge) -> None:
    forge.records.append((1, "EngineStarted", {}))


def start_inside_an_epoch(forge: Forge) -> None:
    forge.records.append((2, "EngineStarted", {}))


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        (lose_a_fill, {LOST, POSITIONS, CASH}),
        (book_a_fill_twice, {TWICE, POSITIONS, CASH}),
        (invent_a_fill, {STRANGE, POSITIONS, CASH}),
        (misprice_a_fill, {POSTINGS, CASH}),
        (miscount_a_fill, {POSTINGS, POSITIONS, CASH}),
        (book_a_fill_to_a_sibling, {SUB_LEDGERS}),
        (submit_an_order_again, {SENT_TWICE}),
        (give_a_decision_two_orders, {SENT_TWICE}),
        (send_without_an_intent, {STRAYS}),
        (guess_that_an_order_is_gone, {GUESSES}),
        (send_again_what_is_unknown, {GUESSES}),
        (deny_an_order, {DENIED}),
        (send_while_halted, {HALTED}),
        (readmit_while_halted, {HALTED}),
        (send_while_its_venue_is_degraded, {HALTED}),
        (restart_unseen, {STARTS}),
        (go_back_an_epoch, {STARTS}),
        (start_inside_an_epoch, {STARTS}),
    ],
)
def test_a_defect_fails_its_checks_and_no_other(
    forge: Forge, defect: Callable[[Forge], None], expected: set[str]
) -> None:
    defect(forge)
    report = forge.audit()
    assert failing(report) == expected
    assert report.violations >= len(expected)
    assert not report.ok


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        ("UPDATE records SET wall_time_us = 8 WHERE sequence = 3", {CHAIN}),
        ("UPDATE records SET hash = zeroblob(32) WHERE sequence = 3", {CHAIN}),
        ("UPDATE records SET body = '{' WHERE sequence = 3", {CHAIN}),
        ("DELETE FROM records WHERE sequence = 3", {CHAIN, GAPS}),
    ],
)
def test_an_edited_journal_is_found(
    forge: Forge, tamper: str, expected: set[str]
) -> None:
    assert failing(forge.audit(tamper)) == expected


def test_an_intent_of_a_halt_that_never_left_is_no_finding(forge: Forge) -> None:
    at = forge.index("Halted") + 1
    forge.records.insert(at, (2, "OrderIntended", intended("d", "alpha", 3, "buy")))

    assert forge.audit().ok


def test_an_edited_record_is_named_and_no_other(forge: Forge) -> None:
    report = forge.audit("UPDATE records SET body = '{}' WHERE sequence = 3")
    assert report.findings(CHAIN) == ["record 3: it does not match its hash"]


def test_a_finding_says_which_fill_and_where(forge: Forge) -> None:
    lose_a_fill(forge)
    report = forge.audit()
    assert report.findings(LOST) == ["X1: order a, 2 ES at 100.5"]
    assert report.findings(POSITIONS) == ["ES: we hold -1, the venue says 1"]
    assert report.findings(CASH) == ["USD: we hold 5048.75, the venue says -5002.50"]


def test_an_audit_changes_and_creates_nothing(forge: Forge, tmp_path: Path) -> None:
    forge.audit()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    audit(forge.journal, forge.venue)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(sqlite3.Error):
        audit(tmp_path / "absent.sqlite", forge.venue)


def test_the_auditor_imports_the_standard_library_and_itself_alone() -> None:
    folder = Path(holdfast_adapters.auditor.__file__).parent
    own = {path.stem for path in folder.glob("*.py")}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
                assert names <= sys.stdlib_module_names, path.name
            elif isinstance(node, ast.ImportFrom):
                name = (node.module or "").split(".")[0]
                known = own if node.level == 1 else sys.stdlib_module_names
                assert name in known, path.name
                assert node.level <= 1, path.name


@pytest.mark.parametrize(
    "event",
    [
        {"venue": "paper", "policy": "keep"},
        {"venue": "elsewhere", "policy": "halt"},
    ],
)
def test_a_venue_that_is_degraded_halts_itself_alone_and_only_if_it_is_to(
    forge: Forge, event: dict[str, str]
) -> None:
    forge.records.insert(forge.index("OrderReadmitted"), (2, "VenueDegraded", event))
    assert failing(forge.audit()) == set()
