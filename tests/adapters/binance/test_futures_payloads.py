"""Recorded payloads of futures parse, and none of user data is dropped in silence."""

from __future__ import annotations

import typing
from collections import Counter
from typing import Any, Final

import msgspec
import pytest

from holdfast_adapters.binance import frames, wire
from holdfast_adapters.binance.futures import frames as own, wire as rows
from holdfast_adapters.binance.futures.userdata import heard
from holdfast_adapters.binance.userdata import Unread
from holdfast_domain.ports import Acked, Ended, Executed

from .corpus import SHARED, futures_payloads, user_stream
from .test_payloads import messages, without_elisions

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recorded payloads are not beside the repository"
)

UNUSED: Final[dict[type[msgspec.Struct], frozenset[str]]] = {
    **wire.UNUSED,
    **frames.UNUSED_FRAMES,
    **rows.UNUSED,
    **own.UNUSED_FRAMES,
    frames.DepthFrame: frozenset({"T", "ps", "st"}),
}
USER: Final[dict[str, type[msgspec.Struct]]] = {
    str(kind.__struct_config__.tag): kind for kind in typing.get_args(own.FuturesFrame)
}
MARKET: Final[dict[str, type[msgspec.Struct]]] = {
    "aggTrade": frames.AggregateFrame,
    "depthUpdate": frames.DepthFrame,
    "kline": frames.KlineFrame,
    "bookTicker": frames.BookTicker,
}
BY_FIELDS: Final[tuple[tuple[type[msgspec.Struct], set[str]], ...]] = (
    (wire.ExchangeInfo, {"symbols", "rateLimits", "futuresType"}),
    (rows.FuturesTrade, {"realizedPnl", "commission", "buyer", "positionSide"}),
    (wire.Depth, {"lastUpdateId", "bids", "asks"}),
)


def kind_of(message: dict[str, Any]) -> type[msgspec.Struct] | None:
    name = str(message.get("e", ""))
    if name:
        return USER.get(name) or MARKET.get(name)
    for kind, fields in BY_FIELDS:
        if fields <= message.keys():
            return kind
    return None


def parsed() -> list[tuple[type[msgspec.Struct], Any]]:
    return [
        (kind, message)
        for _, value in futures_payloads()
        for message in messages(without_elisions(value))
        if isinstance(message, dict) and (kind := kind_of(message)) is not None
    ]


def test_each_payload_parses() -> None:
    kinds: Counter[str] = Counter()
    for kind, message in parsed():
        msgspec.json.decode(msgspec.json.encode(message), type=kind, strict=False)
        kinds[kind.__name__] += 1
    assert len(kinds) >= 9
    assert kinds["OrderTradeUpdate"] > 20


def test_each_user_event_says_something_that_is_known() -> None:
    for kind, message in parsed():
        if kind in USER.values():
            said = heard(msgspec.json.encode(message))
            assert [each for each in said if isinstance(each, Unread)] == []


@pytest.mark.parametrize(
    ("name", "stories"),
    [
        ("WebSocketFutureLimitSubmittedFilled.json", [[Acked, Executed]]),
        ("WebSocketFutureMarketSubmittedFilled.json", [[Acked, Executed]]),
        ("WebSocketFutureLimitSubmittedCancelled.json", [[Acked, Ended]]),
        # A stop that becomes an order, and the end of another one.
        ("WebSocketFutureStopLimitSubmittedFilled.json", [[Acked, Executed], [Ended]]),
    ],
)
def test_a_recorded_stream_tells_the_lives_of_its_orders(
    name: str, stories: list[list[type]]
) -> None:
    said = [each for frame in user_stream(name) for each in heard(frame)]
    lives: dict[str, list[Any]] = {}
    for each in said:
        if isinstance(each, Acked | Executed | Ended):
            lives.setdefault(each.order_id, []).append(each)
    assert [[type(each) for each in life] for life in lives.values()] == stories
    for each in said:
        if isinstance(each, Executed):
            assert each.quantity == each.cumulative
            assert each.fee.currency == "USDT"
        if isinstance(each, Ended) and each.how == "rejected":
            assert each.reason == "margin not enough"


def strangers(kind: Any, message: Any) -> set[str]:
    """The fields of a message that are neither read nor named as unused."""
    if isinstance(message, list):
        (inner,) = typing.get_args(kind)[:1] or (None,)
        return {name for each in message for name in strangers(inner, each)}
    if not isinstance(message, dict) or not hasattr(kind, "__struct_fields__"):
        return set()
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    unread = message.keys() - known.keys() - UNUSED.get(kind, frozenset()) - {"e"}
    inside = (strangers(known[name], message[name]) for name in known & message.keys())
    return {f"{kind.__name__}.{name}" for name in unread}.union(*inside)


def test_no_field_of_user_data_is_dropped_in_silence() -> None:
    found = {
        name
        for kind, message in parsed()
        if kind in USER.values() or kind is rows.FuturesTrade
        for name in strangers(kind, message)
    }
    assert found == set()
