"""Every recorded payload parses, and no field or kind is dropped in silence."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from holdfast_adapters.binance import frames, wire
from holdfast_adapters.binance.userdata import Unread, heard

from .corpus import SHARED, spot_payloads

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recorded payloads are not beside the repository"
)

UNUSED: Final = {**wire.UNUSED, **frames.UNUSED_FRAMES}

BY_EVENT: Final[dict[str, type[msgspec.Struct]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        *typing.get_args(frames.UserFrame),
        *typing.get_args(frames.MarketFrame),
    )
}
BY_FIELDS: Final[tuple[tuple[type[msgspec.Struct], set[str]], ...]] = (
    (wire.ListReport, {"orderReports", "listClientOrderId"}),
    (wire.ChangeReport, {"cancelResult", "cancelResponse", "newOrderResponse"}),
    (wire.ChangeRefusal, {"code", "msg", "data"}),
    (wire.Refusal, {"code", "msg"}),
    (wire.ExchangeInfo, {"symbols", "rateLimits"}),
    (wire.OrderRow, {"clientOrderId", "updateTime", "isWorking"}),
    (wire.OrderReport, {"clientOrderId", "transactTime", "symbol"}),
    (wire.TradeRow, {"commission", "commissionAsset", "isBuyer", "id"}),
    (wire.Account, {"balances", "canTrade"}),
    (wire.ServerTime, {"serverTime"}),
    (wire.Depth, {"lastUpdateId", "bids", "asks"}),
    (frames.BookTicker, {"u", "b", "B", "a", "A"}),
)

NOT_ASKED: Final = (
    {"method"},  # a request
    {"listClientOrderId"},  # order lists
    {"amendedOrder"},
    {"origClientOrderId", "newClientOrderId", "executionId"},  # amendments
    {"standardCommission"},
    {"standardCommissionForOrder"},
    {"preventedMatchId", "takerOrderId"},
    {"allocationId"},
    {"exchangeFilters", "symbolFilters"},
    {"symbolRules"},
    {"referencePrice"},
    {"calculationType"},
    {"rateLimitType", "interval", "limit"},
    {"price", "qty", "isBuyerMaker"},  # public trades
    {"a", "p", "f", "l", "T"},  # aggregate trades
    {"mins", "price"},
    {"openPrice", "lastPrice", "volume"},
    {"openTime", "closeTime"},
    {"symbol", "price"},
    {"symbol", "bidPrice"},
    {"makerCommission", "symbol"},
    {"authorizedSince"},
    {"subscriptionId"},
    {"fixture"},  # says what a binary recording holds
    {"fixtures"},
)
"""Kinds that nobody here asks for, by fields that they have."""

EVENTS_NOT_ASKED: Final = {
    "referencePrice",
    "blockTrade",
    "24hrMiniTicker",
    "24hrTicker",
    "1hTicker",
    "avgPrice",
}


def messages(value: Any) -> Iterator[Any]:
    """The messages in ``value``, without lists and envelopes."""
    match value:
        case list():
            for each in value:
                yield from messages(each)
        case {"stream": _, "data": inner} | {"event": inner}:
            yield from messages(inner)
        case {"id": _, "status": int(), "result": inner}:
            yield from messages(inner)
        case {"id": _, "status": int(), "error": inner}:
            yield from messages(inner)
        case {"id": _, "result": _}:
            """An answer on a market stream, which holds nothing else."""
        case dict() if value:
            yield value
        case _:
            """Nothing is in it."""


def without_elisions(value: Any) -> Any:
    """What the documentation leaves out of a list stands there as ``{}``."""
    if isinstance(value, list):
        return [without_elisions(each) for each in value if each != {}]
    if isinstance(value, dict):
        return {name: without_elisions(inner) for name, inner in value.items()}
    return value


def kind_of(message: dict[str, Any]) -> type[msgspec.Struct] | None:
    if "e" in message and message["e"] in BY_EVENT:
        return BY_EVENT[message["e"]]
    if "authorizedSince" in message:
        return None
    if "retryAfter" in (message.get("data") or ()):
        return wire.LimitRefusal
    for kind, fields in BY_FIELDS:
        if fields <= message.keys():
            return kind
    return None


def strangers(message: Any, kind: Any, path: str = "") -> Iterator[str]:
    """The fields of ``message`` that ``kind`` neither has nor names as unused."""
    if isinstance(message, list):
        (inner,) = typing.get_args(kind)[:1] or (None,)
        for each in message:
            yield from strangers(each, inner, path)
    elif isinstance(message, dict) and is_struct(kind):
        known = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
        allowed = UNUSED.get(kind, frozenset()) | {"e"}
        for name, inner in message.items():
            if name in known:
                yield from strangers(inner, known[name], f"{path}.{name}")
            elif name not in allowed:
                yield f"{kind.__name__}{path}.{name}"


def is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def is_known_and_not_asked(message: dict[str, Any]) -> bool:
    if message.get("e") in EVENTS_NOT_ASKED:
        return True
    return any(fields <= message.keys() for fields in NOT_ASKED)


def test_each_payload_is_of_a_kind_that_is_parsed_or_named() -> None:
    unknown = [
        (place, message)
        for place, value in spot_payloads()
        for message in messages(without_elisions(value))
        if not isinstance(message, dict)
        or (kind_of(message) is None and not is_known_and_not_asked(message))
    ]
    assert unknown == []


def test_each_payload_parses() -> None:
    parsed, failures = 0, []
    for place, value in spot_payloads():
        for message in messages(without_elisions(value)):
            kind = kind_of(message)
            if kind is None:
                continue
            try:
                msgspec.json.decode(
                    msgspec.json.encode(message), type=kind, strict=False
                )
            except msgspec.ValidationError as error:
                failures.append((place, str(error), message))
            parsed += 1
    assert failures == []
    assert parsed > 1500


def test_no_field_is_dropped_that_is_not_named_as_unused() -> None:
    found = {
        stranger
        for _, value in spot_payloads()
        for message in messages(without_elisions(value))
        if (kind := kind_of(message)) is not None
        for stranger in strangers(message, kind)
    }
    assert found == set()


def test_each_user_event_says_something_that_is_known() -> None:
    events = [
        message
        for _, value in spot_payloads()
        for message in messages(without_elisions(value))
        if message.get("e")
        in {str(k.__struct_config__.tag) for k in typing.get_args(frames.UserFrame)}
    ]
    said = [heard(msgspec.json.encode({"event": event})) for event in events]
    assert [each for some in said for each in some if isinstance(each, Unread)] == []
    assert len(events) > 40
