"""What each answer of Binance means, by what one may do next."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast_adapters.binance.errors import Answer, Kind, Silence, Verdict, judge
from holdfast_domain.errors import (
    DuplicateOrder,
    NotSent,
    OutcomeUnknown,
    VenueRefused,
)
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side

from .corpus import SHARED, documented

recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recorded payloads are not beside the repository"
)
ID = "0000000a000000020000000000030001"
NOW_MS = 1_700_000_000_000


def terms(**changes: Any) -> OrderTerms:
    """A limit order to buy, with ``changes``."""
    made: dict[str, Any] = {
        "instrument": "BTCUSDT",
        "side": Side.BUY,
        "quantity": Quantity.of("0.5"),
        "type": OrderType.LIMIT,
        "limit_price": Price.of("100.10"),
    }
    return OrderTerms(**{**made, **changes})


def body(code: int, msg: str = "text") -> bytes:
    return json.dumps({"code": code, "msg": msg}).encode()


FUNDS = "Account has insufficient balance for requested action."
VERDICTS: list[tuple[int, bytes, Kind]] = [
    (400, body(-1013, "Filter failure: PRICE_FILTER"), Kind.REFUSED),
    (400, body(-2010, FUNDS), Kind.REFUSED),
    (400, body(-2010, "Market is closed."), Kind.REFUSED),
    (400, body(-2010, "Order would immediately match and take."), Kind.REFUSED),
    (400, body(-2010, "Duplicate order sent."), Kind.DUPLICATE),
    (400, body(-2011, "Unknown order sent."), Kind.REFUSED),
    (400, body(-2013, "Order does not exist."), Kind.REFUSED),
    (400, body(-1121, "Invalid symbol."), Kind.REFUSED),
    (400, body(-1111, "Precision is over the maximum"), Kind.REFUSED),
    (401, body(-2015, "Invalid API-key, IP, or permissions"), Kind.REFUSED),
    (400, body(-1022, "Signature for this request is not valid."), Kind.REFUSED),
    (400, body(-1021, "Timestamp outside of the recvWindow."), Kind.NOT_TAKEN),
    (400, body(-1015, "Too many new orders"), Kind.NOT_TAKEN),
    (429, body(-1003), Kind.NOT_TAKEN),
    (418, body(-1003), Kind.NOT_TAKEN),
    (429, b"<html>", Kind.NOT_TAKEN),
    (403, b"<html>blocked", Kind.REFUSED),
    (400, body(-1006), Kind.DOUBT),
    (400, body(-1007), Kind.DOUBT),
    (400, body(-1000), Kind.DOUBT),
    (400, body(-1001), Kind.DOUBT),
    (400, body(-1008), Kind.DOUBT),
    (500, body(-1000), Kind.DOUBT),
    (503, body(-1007), Kind.DOUBT),
    (503, body(-2010, FUNDS), Kind.DOUBT),
    (502, b"<html>502 Bad Gateway", Kind.DOUBT),
    (504, b"", Kind.DOUBT),
    (400, b"<html>", Kind.DOUBT),
    (404, b"{}", Kind.DOUBT),
    (200, b"{", Kind.DOUBT),
    (302, b"", Kind.DOUBT),
    (299, body(-2010, FUNDS), Kind.DOUBT),
]


@pytest.mark.parametrize(("status", "text", "kind"), VERDICTS)
def test_an_answer_means(status: int, text: bytes, kind: Kind) -> None:
    assert judge(Answer(status, text), NOW_MS).kind is kind


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.REFUSED, VenueRefused),
        (Kind.NOT_TAKEN, NotSent),
        (Kind.DUPLICATE, DuplicateOrder),
        (Kind.DOUBT, OutcomeUnknown),
    ],
)
def test_a_verdict_is_an_error_of_the_port(kind: Kind, error: type[Exception]) -> None:
    raised = Verdict(kind, "its words", -42).error("binance")
    assert type(raised) is error
    assert "its words" in str(raised)
    assert "-42" in str(raised)


@pytest.mark.parametrize(
    ("headers", "msg", "pause_s"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"retry-after": "120"}, f"banned until {NOW_MS + 9000}", 120.0),
        ({}, f"IP(1.2.3.4) banned until {NOW_MS + 9000}. Use", 9.0),
        ({}, f"banned until {NOW_MS - 9000}", 0.0),
        ({}, "Too much request weight used", 60.0),
        ({"Retry-After": "soon"}, "", 60.0),
        ({}, "Too many new orders; current limit is 1 orders per 10 SECOND.", 10.0),
    ],
)
def test_a_limit_says_for_how_long(
    headers: dict[str, str], msg: str, pause_s: float
) -> None:
    verdict = judge(Answer(418, body(-1003, msg), headers), NOW_MS)
    assert verdict.retry_after_s == pause_s


@recorded
def test_a_limit_of_the_websocket_api_says_for_how_long() -> None:
    (limited,) = (
        each["error"]
        for each in documented("web-socket-api")
        if isinstance(each, dict) and "retryAfter" in str(each)
    )
    verdict = judge(Answer(418, json.dumps(limited).encode()), NOW_MS)
    assert verdict.retry_after_s == (1659146400000 - 1659142907531) / 1000


@pytest.mark.parametrize(
    ("status", "code", "silence", "only_limits"),
    [
        (418, -1003, Silence.ALL, False),
        (429, -1003, Silence.QUESTIONS, True),
        (400, -1015, Silence.ORDERS, True),
        (400, -1021, Silence.NOTHING, False),
    ],
)
def test_a_limit_says_of_what(
    status: int, code: int, silence: Silence, *, only_limits: bool
) -> None:
    verdict = judge(Answer(status, body(code)), NOW_MS)
    error = verdict.error("binance")
    assert verdict.silence is silence
    assert error.only_limits is only_limits
    assert error.retry_after_s == (0.0 if silence is Silence.NOTHING else 60.0)
