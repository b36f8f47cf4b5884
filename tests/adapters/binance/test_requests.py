"""What is asked of Binance: signing, names and parameters."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from holdfast_adapters.binance.credentials import Credentials, encoded, plain
from holdfast_adapters.binance.naming import LAST_REVISION, Name, cancel_id, revision_id
from holdfast_adapters.binance.placing import canceling, changing, placing
from holdfast_domain.errors import (
    VenueRefused,
)
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

from .corpus import PAYLOADS, SHARED

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


@recorded
def test_signatures_are_those_that_the_venue_publishes() -> None:
    vectors = json.loads((PAYLOADS / "signing_vectors.json").read_text())
    who = Credentials(vectors["apiKey"], vectors["secretKey"])
    for case in vectors["cases"]:
        assert who.signature(case["payload"]) == case["signature"]


def test_a_query_is_percent_encoded_before_it_is_signed() -> None:
    who = Credentials("key", "secret")
    query = who.signed({"symbol": "\uff11\uff12\uff13", "quantity": Decimal("1E-8")})
    payload, _, signature = query.rpartition("&signature=")
    assert payload == "symbol=%EF%BC%91%EF%BC%92%EF%BC%93&quantity=0.00000001"
    assert signature == who.signature(payload)
    assert encoded({"a": "b c&d"}) == "a=b%20c%26d"


def test_a_frame_is_signed_with_its_names_in_order() -> None:
    who = Credentials("k", "s")
    frame = who.signed_frame({"timestamp": 1, "recvWindow": 2})
    assert frame["signature"] == who.signature("apiKey=k&recvWindow=2&timestamp=1")


def test_the_secret_is_never_shown() -> None:
    who = Credentials("abcdefghijklmnop", "topsecret")
    for text in (repr(who), str(who), f"{who}", repr([who])):
        assert "topsecret" not in text
        assert "efgh" not in text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_plain_and_the_same(value: Decimal) -> None:
    assert "E" not in plain(value).upper()
    assert Decimal(plain(value)) == value


@given(st.integers(0, LAST_REVISION))
def test_a_name_says_its_order_and_revision(revision: int) -> None:
    name = revision_id(ID, revision)
    assert Name.parse(name) == Name(ID, revision, cancels=False)
    assert len(name) <= 36
    assert Name.parse(cancel_id(ID, revision)) == Name(
        ID, revision, cancels=bool(revision)
    )


@given(st.text())
def test_a_name_of_others_is_taken_as_it_is(text: str) -> None:
    assert Name.parse(text) == Name(text)
    assert not Name.parse(text).is_ours


def test_a_limit_order_is_asked_for() -> None:
    assert encoded(placing(ID, terms())) == (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=100.10"
        f"&newClientOrderId={ID}&newOrderRespType=FULL"
    )


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"type": OrderType.MARKET, "limit_price": None}, {"type": "MARKET"}),
        (
            {"type": OrderType.STOP, "limit_price": None, "stop_price": Price.of(9)},
            {"type": "STOP_LOSS", "stopPrice": Decimal(9)},
        ),
        (
            {"type": OrderType.STOP_LIMIT, "stop_price": Price.of(9)},
            {
                "type": "STOP_LOSS_LIMIT",
                "stopPrice": Decimal(9),
                "timeInForce": "GTC",
                "price": Decimal("100.10"),
            },
        ),
        ({"post_only": True}, {"type": "LIMIT_MAKER", "price": Decimal("100.10")}),
        (
            {"time_in_force": TimeInForce.FOK, "side": Side.SELL},
            {
                "type": "LIMIT",
                "timeInForce": "FOK",
                "side": "SELL",
                "price": Decimal("100.10"),
            },
        ),
    ],
)
def test_each_kind_of_order_is_asked_for(
    changes: dict[str, Any], asked: dict[str, Any]
) -> None:
    made = placing(ID, terms(**changes))
    rest = {"symbol", "side", "quantity", "newClientOrderId", "newOrderRespType"}
    assert {name: made[name] for name in asked} == asked
    assert made.keys() - rest == asked.keys() - rest


@pytest.mark.parametrize(
    "changes",
    [
        {
            "type": OrderType.MARKET,
            "limit_price": None,
            "time_in_force": TimeInForce.FOK,
        },
        {
            "type": OrderType.STOP,
            "limit_price": None,
            "stop_price": Price.of(9),
            "time_in_force": TimeInForce.IOC,
        },
        {"reduce_only": True},
    ],
)
def test_what_the_exchange_does_not_have_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(VenueRefused):
        placing(ID, terms(**changes))


def test_a_change_names_both_halves_and_asks_for_an_order_without_fills() -> None:
    asked = changing(ID, 1, terms())
    assert asked["cancelOrigClientOrderId"] == f"{ID}-001"
    assert asked["newClientOrderId"] == f"{ID}-002"
    assert asked["cancelNewClientOrderId"] == f"{ID}_002"
    assert asked["cancelRestrictions"] == "ONLY_NEW"
    assert asked["cancelReplaceMode"] == "STOP_ON_FAILURE"
    assert canceling("BTCUSDT", ID, 2)["origClientOrderId"] == f"{ID}-002"


def test_an_order_that_was_changed_too_often_is_refused() -> None:
    with pytest.raises(VenueRefused):
        changing(ID, LAST_REVISION, terms())
