"""The codec: what goes in comes out, in a format that others can rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import fields, replace

from holdfast_adapters.journal.codec import KINDS, decode, encode
from holdfast_domain.errors import JournalError, JournalTooNew
from holdfast_domain.events import (
    Event,
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    RunFinished,
)
from holdfast_domain.fills import Fill
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.schedules import Schedule

ints = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
decimals = st.decimals(allow_nan=False, allow_infinity=False)
prices = decimals.map(Price)
quantities = decimals.filter(lambda value: value >= 0).map(Quantity)
limited = (OrderType.LIMIT, OrderType.STOP_LIMIT)
stopped = (OrderType.STOP, OrderType.STOP_LIMIT)


@st.composite
def terms(draw: st.DrawFn) -> OrderTerms:
    kind = draw(st.sampled_from(OrderType))
    force = draw(st.sampled_from(TimeInForce))
    trails = kind is OrderType.TRAILING_STOP
    far = draw(decimals.filter(lambda each: each > 0) | st.integers(1, 2**63 - 1))
    rests = kind is OrderType.LIMIT and force not in (TimeInForce.IOC, TimeInForce.FOK)
    return OrderTerms(
        instrument=draw(texts),
        side=draw(st.sampled_from(Side)),
        quantity=draw(quantities),
        type=kind,
        time_in_force=force,
        limit_price=draw(prices) if kind in limited else None,
        stop_price=draw(prices) if kind in stopped else None,
        reduce_only=draw(st.booleans()),
        post_only=rests and draw(st.booleans()),
        trail=Price(far) if trails and isinstance(far, Decimal) else None,
        trail_bps=far if trails and isinstance(far, int) else None,
        shown=draw(quantities) if rests and draw(st.booleans()) else None,
    )


def any_of(kind: type) -> st.SearchStrategy[Event]:
    parts = {field.name: st.from_type(field.type) for field in fields(kind)}
    return st.builds(kind, **parts)


st.register_type_strategy(int, ints)
st.register_type_strategy(str, texts)
st.register_type_strategy(Decimal, decimals)
st.register_type_strategy(Quantity, quantities)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(OrderTerms, terms())
for part in (Money, Schedule, Fill):
    st.register_type_strategy(part, any_of(part))

FILLED = OrderFilled(
    fill=Fill(
        execution_id="x-1",
        order_id="0" * 32,
        strategy="sma",
        instrument="AAPL",
        side=Side.BUY,
        quantity=Quantity.of(100),
        price=Price.of("101.250"),
        fee=Money(Decimal("1.5"), "USD"),
        filled_at=datetime(2001, 1, 2, 21, 0, 0, 5, tzinfo=UTC),
    ),
    complete=True,
)


@pytest.mark.parametrize("name", KINDS)
def test_every_event_comes_back_as_it_went_in(name: str) -> None:
    @given(any_of(KINDS[name]))
    def comes_back(event: Event) -> None:
        kind, body = encode(event)
        assert kind == name
        back = decode(kind, body)
        assert back == event
        # Decimals that are equal may still differ in their digits.
        assert encode(back) == (kind, body)

    comes_back()


def test_the_body_of_a_fill_is_readable_json_without_floats() -> None:
    kind, body = encode(FILLED)
    assert kind == "OrderFilled"
    assert json.loads(body) == {
        "fill": {
            "execution_id": "x-1",
            "order_id": "0" * 32,
            "strategy": "sma",
            "instrument": "AAPL",
            "side": "buy",
            "quantity": "100",
            "price": "101.250",
            "fee": {"amount": "1.5", "currency": "USD"},
            "filled_at": "2001-01-02T21:00:00.000005+00:00",
        },
        "complete": True,
    }


def test_fields_are_written_in_the_order_of_their_declaration() -> None:
    event = OrderAccepted(order_id="b", strategy="a", venue_order_id="c")
    assert list(json.loads(encode(event)[1])) == [
        "order_id",
        "strategy",
        "venue_order_id",
    ]


def test_unknown_fields_are_ignored() -> None:
    kind, body = encode(FILLED)
    raw = json.loads(body)
    raw["since_version_9"] = raw["fill"]["too"] = {"a": 1}
    assert decode(kind, json.dumps(raw)) == FILLED
    body = '{"order_id":"a","strategy":"s","venue_order_id":"v","later":1}'
    assert decode("OrderAccepted", body) == OrderAccepted(
        order_id="a", strategy="s", venue_order_id="v"
    )


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(JournalTooNew, match="'OrderTeleported'"):
        decode("OrderTeleported", "{}")


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw["fill"].pop("price"),
        lambda raw: raw["fill"].update(price=101.25),
        lambda raw: raw["fill"].update(price="cheap"),
        lambda raw: raw["fill"].update(quantity="-1"),
        lambda raw: raw["fill"].update(side="sideways"),
        lambda raw: raw["fill"].update(filled_at="2001-01-02T21:00:00"),
        lambda raw: raw.update(fill=None),
    ],
    ids=["missing", "float", "text", "negative", "enum", "naive", "null"],
)
def test_a_body_that_makes_no_sense_is_refused(change: Callable[[Any], object]) -> None:
    kind, body = encode(FILLED)
    raw = json.loads(body)
    change(raw)
    with pytest.raises(JournalError, match="OrderFilled"):
        decode(kind, json.dumps(raw))


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "7", "{}", b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(body: str | bytes) -> None:
    with pytest.raises(JournalError, match="OrderAccepted"):
        decode("OrderAccepted", body)


def test_a_naive_time_is_not_journaled() -> None:
    with pytest.raises(JournalError, match="zone"):
        encode(RunFinished(at=datetime(2001, 1, 2), bars=1))  # noqa: DTZ001


def test_text_that_utf8_cannot_hold_is_escaped_and_not_fatal() -> None:
    event = OrderRejected(order_id="a", strategy="s", reason="\udc80 é", code="")
    back = decode(*encode(event))
    assert back == replace(event, reason="\\udc80 é")
