"""What a person is shown of a venue."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.cli.venuelines import venue_lines

WELL: dict[str, Any] = {
    "state": "running",
    "restarts": 0,
    "away_s": None,
    "blocked_s": 0.0,
    "cancels_blocked_s": 0.0,
    "limiter": None,
    "degraded": None,
    "breaker": {"state": "closed", "failures": 0, "left_s": 0.0},
    "silent_s": {"BTCUSDT trades": 1.0, "account": None},
}


def test_of_what_is_well_there_is_one_line() -> None:
    said = str(venue_lines({"one": WELL, "two": {**WELL, "restarts": 2}}))
    assert said == "one running, restarts 0\ntwo running, restarts 2"
    assert str(venue_lines({})) == "none"


LIMITER = {
    "used": 40, "limit": 100, "window_s": 60.0, "for_orders": 20, "for_cancels": 10,
}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"degraded": {"words": "away, for 60 s: orders go on"}},
         "DEGRADED: away, for 60 s: orders go on"),
        ({"away_s": 12.4}, "away for 12 s"),
        ({"breaker": {"state": "closed", "failures": 3, "left_s": 0.0}},
         "breaker closed, 3 questions failed in a row"),
        ({"breaker": {"state": "open", "failures": 5, "left_s": 59.6}},
         "breaker open for 60 s more, 5 questions failed in a row"),
        ({"breaker": {"state": "half_open", "failures": 5, "left_s": 0.0}},
         "breaker half open, 5 questions failed in a row"),
        ({"blocked_s": 9.0}, "wants to hear nothing for 9 s, but for cancels"),
        ({"blocked_s": 9.0, "cancels_blocked_s": 9.0},
         "wants to hear nothing for 9 s, cancels too"),
        ({"limiter": LIMITER},
         "used 40 of 100 in 60 s, 20 kept for orders, 10 of them for cancels"),
        ({"limiter": {**LIMITER, "limit": None}}, "used 40 of a limit not known yet"),
        ({"silent_s": {"BTCUSDT trades": 31.0, "ETHUSDT trades": 0.2, "account": 90.0}},
         "last heard: BTCUSDT trades 31 s ago, account 90 s ago"),
        ({"deadman": {"cancels_in_s": 7.6, "why": ""}},
         "cancels all orders in 8 s unless put off"),
        ({"deadman": {"cancels_in_s": None, "why": "ActorDown"}},
         "may cancel all orders, ActorDown"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_said(what: dict[str, Any], words: str) -> None:
    said = str(venue_lines({"one": {**WELL, **what}}))
    assert said == f"one running, restarts 0, {words}"
