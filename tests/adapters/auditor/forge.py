"""A sound journal and a sound record of a venue, to forge defects into."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from holdfast_adapters.auditor import AuditReport, audit

Body = dict[str, Any]

LOST = "fills lost"
TWICE = "fills booked twice"
STRANGE = "fills unknown to the venue"
CORRECTIONS = "corrections lost or booked twice"
WORDS = "a person's word that the venue contradicts"
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
        "venue": "paper",
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
