"""The auditor on order lists: whole or not there, and bound by what was entered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast_adapters.auditor import audit_rows, happening, record

Body = dict[str, Any]
Rows = list[tuple[str, str, Body]]

WHOLE = "lists at the venue that are not whole"
BEYOND = "exits filled beyond what binds them"
BRACKET = {"e": "entry", "p": "take_profit", "s": "stop_loss"}
OCO = {"p": "take_profit", "s": "stop_loss"}


def leg(order: str, roles: dict[str, str]) -> Body:
    kind = "bracket" if "e" in roles else "oco"
    return {"list_id": next(iter(roles)), "kind": kind, "role": roles[order]}


def intents(roles: dict[str, str]) -> list[tuple[str, Body]]:
    return [
        ("OrderIntended", {"order_id": name, "leg": leg(name, roles)}) for name in roles
    ]


def placed(roles: dict[str, str]) -> Rows:
    return [
        ("submitted", name, {"quantity": "10", "leg": leg(name, roles)})
        for name in roles
    ]


def fill(order: str, quantity: str, number: int) -> tuple[str, str, Body]:
    return ("executed", order, {"execution_id": f"X{number}", "quantity": quantity})


def found(records: list[tuple[str, Body]], venue: Rows) -> dict[str, list[str]]:
    made = [
        record(number, 1, 0, 0, 0, kind, json.dumps(body), b"")
        for number, (kind, body) in enumerate(records, 1)
    ]
    seen = [
        happening(number, kind, order, json.dumps(body))
        for number, (kind, order, body) in enumerate(venue, 1)
    ]
    report = audit_rows(made, seen)
    return {
        check.name: list(check.findings)
        for check in report.checks
        if check.findings and check.name in (WHOLE, BEYOND)
    }


@pytest.mark.parametrize(
    "trades",
    [
        [],
        [fill("e", "10", 1), fill("p", "4", 2), fill("p", "6", 3)],
        [fill("e", "4", 1), fill("s", "4", 2)],
        [fill("e", "10", 1), fill("s", "10", 2), fill("s", "1", 3)],
    ],
    ids=["none", "in parts", "a part of it", "an over-fill is counted elsewhere"],
)
def test_what_a_bracket_may_do_is_sound(trades: Rows) -> None:
    assert found(intents(BRACKET), [*placed(BRACKET), *trades]) == {}


def test_an_exit_before_its_entry_is_found() -> None:
    trades = [fill("e", "4", 1), fill("p", "5", 2), fill("e", "6", 3)]

    assert found(intents(BRACKET), [*placed(BRACKET), *trades]) == {
        BEYOND: ["e: event 5 makes its exits 5, and 4 binds them"]
    }


def test_an_oco_that_fills_on_both_sides_is_found() -> None:
    trades = [fill("p", "6", 1), fill("s", "5", 2)]

    assert found(intents(OCO), [*placed(OCO), *trades]) == {
        BEYOND: ["p: event 4 makes its exits 11, and 10 binds them"]
    }


def test_a_list_that_is_there_in_part_is_found() -> None:
    assert found(intents(BRACKET), placed(BRACKET)[:2]) == {
        WHOLE: ["e: the venue has 2 of 3 legs"]
    }


def test_legs_that_were_sent_one_by_one_are_found() -> None:
    alone: Rows = [("submitted", name, {"quantity": "10"}) for name in OCO]

    (findings,) = found(intents(OCO), alone).values()

    assert len(findings) == 2
    assert findings[0].startswith("p: intended as {")
    assert findings[0].endswith("at the venue as None")
