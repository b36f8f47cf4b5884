"""What Binance says, in the port's words: answers, user data and rules."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from holdfast_adapters.binance.errors import Answer, judge
from holdfast_adapters.binance.rules import rules_of
from holdfast_adapters.binance.telling import (
    canceled,
    changed,
    decoded,
    half_changed,
    placed,
    story,
)
from holdfast_adapters.binance.userdata import (
    AccountChanged,
    StreamEnded,
    Unread,
    heard,
)
from holdfast_adapters.binance.wire import (
    ChangeReport,
    ExchangeInfo,
    OrderReport,
    OrderRow,
    Symbol,
    TradeRow,
)
from holdfast_domain.errors import (
    OutcomeUnknown,
)
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import Acked, Ended, Executed, Replaced

from .corpus import SHARED, documented, raw_lines, user_stream

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


def report(**changes: Any) -> bytes:
    made = {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "clientOrderId": ID,
        "transactTime": 1_507_725_176_595,
        "executedQty": "0.30000000",
        "status": "PARTIALLY_FILLED",
        "fills": [
            {
                "price": "99.5",
                "qty": quantity,
                "commission": "0.001",
                "commissionAsset": "BNB",
                "tradeId": trade,
            }
            for trade, quantity in ((56, "0.1"), (57, "0.2"))
        ],
    }
    return json.dumps({**made, **changes}).encode()


def test_an_answer_to_a_new_order_is_told_with_its_fills() -> None:
    acked, first, second = placed(ID, decoded(report(), OrderReport))
    assert acked == Acked(order_id=ID, venue_order_id="28")
    assert isinstance(first, Executed)
    assert isinstance(second, Executed)
    assert (first.execution_id, second.execution_id) == ("BTCUSDT-56", "BTCUSDT-57")
    assert (first.cumulative, second.cumulative) == (
        Quantity.of("0.1"),
        Quantity.of("0.3"),
    )
    assert first.fee == Money(Decimal("0.001"), "BNB")


@pytest.mark.parametrize(
    ("status", "how"),
    [("EXPIRED", "expired"), ("EXPIRED_IN_MATCH", "expired"), ("REJECTED", "rejected")],
)
def test_an_order_that_ended_at_once_is_told_as_ended(status: str, how: str) -> None:
    *_, last = placed(ID, decoded(report(status=status), OrderReport))
    assert isinstance(last, Ended)
    assert (last.how, last.cumulative) == (how, Quantity.of("0.3"))


def test_a_status_that_nobody_knows_is_a_doubt() -> None:
    with pytest.raises(OutcomeUnknown, match="SLEEPING"):
        placed(ID, decoded(report(status="SLEEPING"), OrderReport))


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"null", b'{"symbol": 1}', b"\xff"])
def test_an_answer_that_cannot_be_read_is_a_doubt(torn: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        decoded(torn, OrderReport)


def test_a_cancel_that_does_not_say_so_is_a_doubt() -> None:
    with pytest.raises(OutcomeUnknown, match="NEW"):
        canceled(ID, decoded(report(status="NEW"), OrderReport))


@recorded
def test_the_documented_changes_are_told() -> None:
    for each in documented("rest-api"):
        text = json.dumps(each).encode()
        if "cancelResult" in each:
            said = changed(ID, terms(), msgspec.json.decode(text, type=ChangeReport))
            assert said == [Replaced(order_id=ID, terms=terms())]
        elif "cancelResult" in str(each) and each["code"] == -2022:
            assert judge(Answer(400, text), NOW_MS).code == -2011
        elif "'newOrderResult': 'FAILURE'" in str(each):
            (ended,) = half_changed(ID, text)
            assert isinstance(ended, Ended)
            assert ended.code in {"-2010", "-1015"}


def test_a_change_whose_second_half_is_in_doubt_is_a_doubt() -> None:
    halves = {
        "cancelResult": "SUCCESS",
        "newOrderResult": "FAILURE",
        "cancelResponse": json.loads(report(status="CANCELED", fills=[])),
        "newOrderResponse": {"code": -1007, "msg": "Timeout"},
    }
    text = json.dumps({"code": -2021, "msg": "partially", "data": halves}).encode()
    with pytest.raises(OutcomeUnknown):
        half_changed(ID, text)


def test_a_story_ends_as_the_last_revision_stands() -> None:
    row = {
        "symbol": "BTCUSDT", "orderId": 1, "clientOrderId": ID, "price": "100",
        "origQty": "1", "executedQty": "0", "status": "CANCELED", "time": 1,
        "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "updateTime": 2,
    }  # fmt: skip
    trade = {
        "symbol": "BTCUSDT", "id": 7, "orderId": 2, "price": "99", "qty": "2",
        "commission": "0", "commissionAsset": "BTC", "time": 3, "isBuyer": True,
    }  # fmt: skip
    later = {**row, "orderId": 2, "clientOrderId": f"{ID}-001", "price": "101"}
    later |= {"origQty": "2", "executedQty": "2", "status": "FILLED"}
    first, last = (
        msgspec.convert(each, OrderRow, strict=False) for each in (row, later)
    )
    said = story(ID, first, last, [msgspec.convert(trade, TradeRow, strict=False)])
    assert [type(each) for each in said] == [Acked, Replaced, Executed]
    assert isinstance(said[1], Replaced)
    assert said[1].terms == terms(quantity=Quantity.of(2), limit_price=Price.of(101))


@recorded
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("WebSocketGlobalSpotLimitSubmittedFilled.json", [Acked, Executed]),
        ("WebSocketGlobalSpotMarketSubmittedFilled.json", [Acked, Executed]),
        ("WebSocketSpotLimitFillOrKillSubmittedExpired.json", [Acked, Ended]),
    ],
)
def test_a_recorded_user_stream_is_told(name: str, kinds: list[type]) -> None:
    said = [each for frame in user_stream(name) for each in heard(frame)]
    assert [type(each) for each in said] == kinds
    if kinds[-1] is Executed:
        last = said[-1]
        assert isinstance(last, Executed)
        assert last.fee == Money(Decimal("0.00000632"), "BNB")
        assert last.execution_id == "ACHUSDT-65044226"
        assert last.cumulative == last.quantity == Quantity.of(800)


def event(**changes: Any) -> str:
    made = {
        "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": ID, "C": "", "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": "1", "p": "100", "P": "0", "x": "NEW",
        "X": "NEW", "r": "NONE", "i": 7, "l": "0", "z": "0", "L": "0", "n": "0",
        "N": None, "T": 5, "t": -1,
    }  # fmt: skip
    return json.dumps({"subscriptionId": 0, "event": {**made, **changes}})


def test_the_cancel_of_a_change_is_not_told_as_the_end() -> None:
    gone = {"x": "CANCELED", "X": "CANCELED", "C": ID}
    assert heard(event(c=f"{ID}_001", **gone)) == []
    (ended,) = heard(event(c=f"{ID}_end", **gone))
    assert isinstance(ended, Ended)
    assert (ended.order_id, ended.how) == (ID, "canceled")
    (ended,) = heard(event(c="somebody else", **gone))
    assert isinstance(ended, Ended)


def test_a_new_revision_is_told_as_new_terms() -> None:
    (said,) = heard(event(c=f"{ID}-001", q="2"))
    new = terms(quantity=Quantity.of(2), limit_price=Price.of(100))
    assert said == Replaced(order_id=ID, terms=new)


@pytest.mark.parametrize(
    "frame",
    [
        event(X="SLEEPING"),
        event(x="WOKEN"),
        event(q="many"),
        '{"subscriptionId": 0, "event": {"e": "news"}}',
        '{"subscriptionId": 0',
        "[]",
        "{}",
        event(x="TRADE", l="1", n="0.1"),
    ],
)
def test_what_is_not_known_is_said_to_be_unread(frame: str) -> None:
    (said,) = heard(frame)
    assert isinstance(said, Unread)


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (
            '{"e":"balanceUpdate","E":1,"a":"BTC","d":"1","T":1}',
            AccountChanged(("BTC",)),
        ),
        (
            '{"e":"eventStreamTerminated","E":1}',
            StreamEnded("StreamTerminated"),
        ),
        ('{"e":"serverShutdown","E":1}', StreamEnded("ServerShutdown")),
    ],
)
def test_other_events_are_told(inner: str, said: object) -> None:
    assert heard(f'{{"event":{inner}}}') == [said]


@recorded
def test_recorded_filters_become_rules() -> None:
    (line,) = raw_lines("cryptofeed/BINANCE.0.gz", 1)
    info = msgspec.json.decode(line, type=ExchangeInfo)
    rules = {each.symbol: rules_of(each, "binance") for each in info.symbols}
    assert len(rules) > 1000
    ether = rules["ETHBTC"]
    assert ether.instrument.tick == Decimal("0.00000100")
    assert ether.instrument.lot == Decimal("0.00010000")
    assert ether.instrument.min_notional == Decimal("0.00010000")
    assert ether.instrument.currency == "BTC"
    assert ether.instrument.venue == "binance"
    shiba = rules["SHIBUSDT"]
    assert shiba.price.least == Decimal("0.00000001")
    assert shiba.instrument.lot == Decimal(1)
    bitcoin = rules["BTCUSDT"]
    assert bitcoin.instrument.tick == bitcoin.price.least == Decimal("0.01")
    assert bitcoin.quantity.least == Decimal("0.00001")
    assert bitcoin.notional.least == Decimal(10)
    assert ether.market_quantity.most == Decimal("873.90727776")
    band = ether.price_band(Side.BUY, Decimal("0.05"))
    assert Decimal("0.25") in band
    assert Decimal("0.2500001") not in band
    assert Decimal("0.0099999") not in band
    assert not all(each.trades for each in rules.values())


def test_each_filter_has_a_place_of_its_own() -> None:
    given = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "1",
            "maxPrice": "9",
            "tickSize": "2",
        },
        {"filterType": "LOT_SIZE", "minQty": "3", "maxQty": "4", "stepSize": "5"},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0",
            "maxQty": "6",
            "stepSize": "0",
        },
        {"filterType": "NOTIONAL", "minNotional": "7", "maxNotional": "8"},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "1.1",
            "bidMultiplierDown": "0.9",
            "askMultiplierUp": "1.2",
            "askMultiplierDown": "0.8",
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 11},
        {"filterType": "A_NEW_ONE", "limit": 1},
    ]
    symbol = {
        "symbol": "A", "status": "HALT", "baseAsset": "B", "quoteAsset": "Q",
        "orderTypes": [], "filters": given,
    }  # fmt: skip
    rules = rules_of(msgspec.convert(symbol, Symbol, strict=False), "here")
    ranges = (rules.price, rules.quantity, rules.market_quantity, rules.notional)
    limits = [number for each in ranges for number in (each.least, each.most)]
    assert limits == [Decimal(number) for number in (1, 9, 3, 4, 0, 6, 7, 8)]
    assert rules.instrument.tick == Decimal(2)
    assert rules.instrument.lot == Decimal(5)
    assert rules.instrument.min_notional == Decimal(7)
    assert rules.max_orders == 11
    assert not rules.trades
    buys, sells = (rules.price_band(side, Decimal(100)) for side in Side)
    bands = [buys.least, buys.most, sells.least, sells.most]
    assert bands == [Decimal(number) for number in (90, 110, 80, 120)]
