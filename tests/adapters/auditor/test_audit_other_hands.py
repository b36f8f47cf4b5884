"""What the auditor makes of adjustments, and of trades of other hands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast_adapters.auditor import AuditReport, audit_rows, happening, record

Body = dict[str, Any]

MOVED: Body = {"unit": "SPY", "amount": "-4", "is_cash": False}
ADJUSTED: Body = {
    "adjustment_id": "id",
    "venue": "paper",
    "subject": "position",
    "unit": "SPY",
    "amount": "-4",
    "price": None,
    "ordinal": 0,
}
TRADE: Body = {
    "execution_id": "X0h1",
    "quantity": "3",
    "price": "10",
    "fee": {"amount": "0", "currency": "USD"},
}
PLACED: Body = {"instrument": "SPY", "side": "buy", "quantity": "3", "placed_at_us": 0}
ADOPTED: Body = {
    "venue": "paper",
    "fill": {
        "order_id": "hand-1",
        "strategy": "external",
        "instrument": "SPY",
        "side": "buy",
        **TRADE,
    },
}
HAND = [("submitted", "hand-1", PLACED), ("executed", "hand-1", TRADE)]


def audited(
    records: list[tuple[str, Body]], venue: list[tuple[str, str, Body]], name: str = ""
) -> dict[str, list[str]]:
    """Return the findings of the checks that found something, but for the chain."""
    made = [
        record(number, 1, 0, 0, 0, kind, json.dumps(body), b"")
        for number, (kind, body) in enumerate(records, 1)
    ]
    seen = [
        happening(number, kind, order, json.dumps(body), name)
        for number, (kind, order, body) in enumerate(venue, 1)
    ]
    report: AuditReport = audit_rows(made, seen)
    return {
        check.name: list(check.findings)
        for check in report.checks
        if check.findings and "chain" not in check.name and "restarts" not in check.name
    }


@pytest.mark.parametrize("name", ["", "paper"])
def test_what_other_hands_did_and_we_adopted_is_sound(name: str) -> None:
    records = [("BooksAdjusted", ADJUSTED), ("ExternalFilled", ADOPTED)]

    assert audited(records, [("moved", "", MOVED), *HAND], name) == {}


def test_units_that_moved_and_were_not_adjusted_are_found() -> None:
    found = audited([], [("moved", "", MOVED)])

    assert found == {
        "positions that differ from the venue's": ["SPY: we hold 0, the venue says -4"]
    }


def test_an_adjustment_of_nothing_is_found() -> None:
    cash = {**ADJUSTED, "subject": "cash", "unit": "USD"}

    assert audited([("BooksAdjusted", cash)], []) == {
        "cash that differs from the venue's": ["USD: we hold -4, the venue says 0"]
    }


def test_an_adjustment_that_is_booked_twice_is_found() -> None:
    found = audited([("BooksAdjusted", ADJUSTED)] * 2, [("moved", "", MOVED)] * 2)

    assert found == {
        "adjustments booked twice": ["paper/position/SPY, number 0: booked 2 times"]
    }


def test_a_trade_of_another_hand_that_is_not_adopted_is_found() -> None:
    found = audited([], HAND)

    assert set(found) == {
        "fills lost",
        "orders at the venue that were not intended",
        "positions that differ from the venue's",
        "cash that differs from the venue's",
    }


def test_a_trade_of_another_hand_that_is_adopted_twice_is_found() -> None:
    found = audited([("ExternalFilled", ADOPTED)] * 2, HAND)

    assert found["fills booked twice"] == ["X0h1: booked 2 times"]


CAPITAL: Body = {"strategy": "one", "money": {"amount": "400", "currency": "USD"}}
OPENED: list[tuple[str, str, Body]] = [
    ("opened", "", {"unit": "USD", "amount": "1000", "symbols": []}),
    ("opened", "", {"unit": "COIN", "amount": "2", "symbols": ["COINUSD"]}),
]
FOUND: list[tuple[str, Body]] = [
    ("CapitalAllotted", CAPITAL),
    ("BooksAdjusted", {**ADJUSTED, "subject": "cash", "unit": "USD", "amount": "600"}),
    ("BooksAdjusted", {**ADJUSTED, "unit": "COINUSD", "amount": "2"}),
]


@pytest.mark.parametrize("name", ["", "paper"])
@pytest.mark.parametrize("several", [False, True])
def test_what_the_account_had_before_is_adjusted_to_the_last_unit(
    name: str, several: bool
) -> None:
    halves = {**CAPITAL, "money": {"amount": "200", "currency": "USD"}}
    capital = [("CapitalAllotted", halves)] * 2 if several else FOUND[:1]

    assert audited([*capital, *FOUND[1:]], OPENED, name) == {}


def test_what_the_account_had_before_is_nobodys_business_until_it_is_adjusted() -> None:
    assert audited(FOUND[:1], OPENED) == {}


def test_another_amount_than_the_account_had_is_found() -> None:
    cash = {**FOUND[1][1], "amount": "601"}

    assert audited([FOUND[0], ("BooksAdjusted", cash), FOUND[2]], OPENED) == {
        "cash that differs from the venue's": ["USD: we hold 601, the venue says 600"]
    }


def test_what_another_venue_had_is_no_reason() -> None:
    found = audited(FOUND, OPENED, "elsewhere")

    assert set(found) == {
        "cash that differs from the venue's",
        "positions that differ from the venue's",
    }
