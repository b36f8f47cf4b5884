"""Forge each defect into a sound pair of files, and see the auditor name it."""

from __future__ import annotations

import ast
import hashlib
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import holdfast_adapters.auditor
from holdfast_adapters.auditor import AuditReport, audit

Body = dict[str, Any]

LOST = "fills lost"
TWICE = "fills booked twice"
STRANGE = "fills unknown to the venue"
POSTINGS = "postings that do not sum to zero"
SUB_LEDGERS = "sub-ledgers that differ from the account"
POSITIONS = "positions that differ from the venue's"
CASH = "cash that differs from the venue's"
SENT_TWICE = "orders sent twice"
STRAYS = "orders at the venue that were not intended"
GUESSES = "UNKNOWN resolved without evidence"
DENIED = "orders denied that the venue has"
HALTED = "orders sent while halted"
STARTS = "restarts missing from the record"
CHAIN = "breaks of the hash chain"
GAPS = "gaps in the sequence"


def terms(side: str, quantity: str) -> Body:
    return {"instrument": "ES", "side": side, "quantity": quantity, "type": "market"}


def intended(order_id: str, strategy: str, decision: int, side: str) -> Body:
    return {
        "order_id": order_id,
        "strategy": strategy,
        "decision": decision,
        "index": 0,
        "terms": terms(side, "2"),
    }


def execution(number: int, quantity: str, price: str) -> Body:
    return {
        "execution_id": f"X{number}",
        "quantity": quantity,
        "price": price,
        "fee": {"amount": "1.25", "currency": "USD"},
        "filled_at": "2024-01-02T00:00:00+00:00",
    }


def filled(order_id: str, strategy: str, side: str, trade: Body) -> Body:
    of = {"order_id": order_id, "strategy": strategy, "instrument": "ES", "side": side}
    return {"fill": {**of, **trade}, "complete": True}


def of(order_id: str, **more: object) -> Body:
    return {"order_id": order_id, "strategy": "alpha", **more}


FIRST, SECOND = execution(1, "2", "100.5"), execution(2, "1", "101")


class Forge:
    """A sound run with two strategies, a restart, a halt and two orders in doubt."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.venue = folder / "journal.sqlite", folder / "venue.sqlite"
        self.records: list[tuple[int, str, Body]] = [
            (1, "EngineStarted", {"engine": 7, "mode": "paper", "pid": 1}),
            (1, "OrderIntended", intended("a", "alpha", 1, "buy")),
            (1, "OrderAccepted", of("a", venue_order_id="V1")),
            (1, "OrderIntended", intended("b", "beta", 1, "sell")),
            (1, "OrderFilled", filled("a", "alpha", "buy", FIRST)),
            (2, "EngineStarted", {"engine": 7, "mode": "paper", "pid": 2}),
            (2, "OrderUnknown", of("b", why="restart")),
            (2, "CancelRequested", of("b", by="user")),
            (2, "OrderFilled", filled("b", "beta", "sell", SECOND)),
            (2, "Halted", {"reason": "lunch", "by": "me", "generation": 1}),
            (2, "OrderCanceled", of("b", reason="on request")),
            (2, "Resumed", {"reason": "back", "by": "me"}),
            (2, "OrderIntended", intended("c", "alpha", 2, "buy")),
            (2, "OrderUnknown", of("c", why="session died")),
            (2, "OrderNotSent", of("c", proof="absent")),
            (2, "OrderReadmitted", of("c")),
            (2, "OrderAccepted", of("c", venue_order_id="V3")),
        ]
        self.happenings: list[tuple[str, str, Body]] = [
            ("submitted", "a", {**terms("buy", "2"), "placed_at_us": 0}),
            ("acked", "a", {"venue_order_id": "V1"}),
            ("submitted", "b", {**terms("sell", "2"), "placed_at_us": 0}),
            ("advanced", "", {"step": 1}),
            ("executed", "a", FIRST),
            ("executed", "b", SECOND),
            ("cancel_requested", "b", {}),
            ("ended", "b", {"how": "canceled"}),
            ("submitted", "c", {**terms("buy", "2"), "placed_at_us": 0}),
        ]

    def index(self, kind: str, order_id: str = "") -> int:
        """Where the first record of ``kind`` (about ``order_id``) is."""
        return next(
            number
            for number, (_, found, body) in enumerate(self.records)
            if found == kind
            and order_id
            in ("", body.get("order_id"), body.get("fill", body).get("order_id"))
        )

    def audit(self, tamper: str = "") -> AuditReport:
        """Write both files, tamper with the journal, and audit them."""
        with closing(sqlite3.connect(self.journal)) as file, file:
            file.execute(
                "CREATE TABLE records(sequence INTEGER PRIMARY KEY, epoch INTEGER, "
                "cursor INTEGER, market_time_us INTEGER, wall_time_us INTEGER, "
                "kind TEXT, body TEXT, hash BLOB)"
            )
            for row in chained(self.records):
                file.execute("INSERT INTO records VALUES (?,?,?,?,?,?,?,?)", row)
            if tamper:
                file.execute(tamper)
        with closing(sqlite3.connect(self.venue)) as file, file:
            file.execute(
                "CREATE TABLE events(number INTEGER PRIMARY KEY, cursor INTEGER, "
                "kind TEXT, order_id TEXT, body TEXT)"
            )
            for number, (kind, order_id, body) in enumerate(self.happenings, 1):
                row = (number, 0, kind, order_id, json.dumps(body))
                file.execute("INSERT INTO events VALUES (?,?,?,?,?)", row)
        return audit(self.journal, self.venue, multipliers={"ES": Decimal(50)})


def chained(records: list[tuple[int, str, Body]]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    previous = bytes(32)
    for sequence, (epoch, kind, fields) in enumerate(records, 1):
        body = json.dumps(fields)
        head = f"{sequence}|{epoch}|5|6|7|{kind}|"
        previous = hashlib.sha256(previous + head.encode() + body.encode()).digest()
        rows.append((sequence, epoch, 5, 6, 7, kind, body, previous))
    return rows


def failing(report: AuditReport) -> set[str]:
    return {check.name for check in report.checks if check.findings}


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


def test_a_sound_run_has_no_findings(forge: Forge) -> None:
    report = forge.audit()
    assert report.ok
    assert report.violations == 0
    assert report.summary_lines()[:2] == ["fills lost: 0", "fills booked twice: 0"]
    assert len(report.checks) == len(report.summary_lines()) == 15


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
