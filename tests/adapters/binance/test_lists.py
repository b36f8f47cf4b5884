"""Order lists at Binance spot: what is asked for, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast_adapters.binance.placinglists import (
    leg_canceled,
    list_placed,
    placing_list,
)
from holdfast_adapters.binance.userdata import heard
from holdfast_domain.errors import OutcomeUnknown
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import Acked, Ended, VenueOrder

IDS = ("0" * 31 + "1", "0" * 31 + "2", "0" * 31 + "3")


def terms(side: Side, kind: OrderType, limit: int = 0, stop: int = 0) -> OrderTerms:
    return OrderTerms(
        instrument="BTCUSDT",
        side=side,
        quantity=Quantity.of("0.5"),
        type=kind,
        limit_price=Price.of(limit) if limit else None,
        stop_price=Price.of(stop) if stop else None,
    )


def bound(kind: ListKind, *legs: OrderTerms) -> list[VenueOrder]:
    return [
        VenueOrder(
            order_id=name,
            terms=each,
            placed_at_us=0,
            leg=Leg(list_id=IDS[0], kind=kind, role=role),
        )
        for name, each, role in zip(IDS, legs, ROLES[kind], strict=False)
    ]


SELL_OCO = bound(
    ListKind.OCO,
    terms(Side.SELL, OrderType.LIMIT, limit=110),
    terms(Side.SELL, OrderType.STOP_LIMIT, limit=89, stop=90),
)


def words(asked: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in asked.items()}


def test_an_oco_that_sells_has_its_take_profit_above() -> None:
    path, asked = placing_list(SELL_OCO)

    assert path == "/api/v3/orderList/oco"
    assert words(asked) == {
        "symbol": "BTCUSDT",
        "listClientOrderId": f"{IDS[0]}_lst",
        "newOrderRespType": "FULL",
        "side": "SELL",
        "quantity": "0.5",
        "aboveType": "LIMIT_MAKER",
        "aboveClientOrderId": IDS[0],
        "abovePrice": "110",
        "belowType": "STOP_LOSS_LIMIT",
        "belowClientOrderId": IDS[1],
        "belowPrice": "89",
        "belowTimeInForce": "GTC",
        "belowStopPrice": "90",
    }


def test_a_bracket_that_sells_short_has_its_stop_above() -> None:
    path, asked = placing_list(
        bound(
            ListKind.BRACKET,
            terms(Side.SELL, OrderType.LIMIT, limit=100),
            terms(Side.BUY, OrderType.LIMIT, limit=90),
            terms(Side.BUY, OrderType.STOP, stop=110),
        )
    )

    assert path == "/api/v3/orderList/otoco"
    assert words(asked) == {
        "symbol": "BTCUSDT",
        "listClientOrderId": f"{IDS[0]}_lst",
        "newOrderRespType": "FULL",
        "workingType": "LIMIT",
        "workingClientOrderId": IDS[0],
        "workingPrice": "100",
        "workingTimeInForce": "GTC",
        "workingSide": "SELL",
        "workingQuantity": "0.5",
        "pendingSide": "BUY",
        "pendingQuantity": "0.5",
        "pendingAboveType": "STOP_LOSS",
        "pendingAboveClientOrderId": IDS[2],
        "pendingAboveStopPrice": "110",
        "pendingBelowType": "LIMIT_MAKER",
        "pendingBelowClientOrderId": IDS[1],
        "pendingBelowPrice": "90",
    }


def report(order_id: str, status: str, **more: object) -> dict[str, object]:
    named = {"clientOrderId": order_id, "status": status, **more}
    return {"symbol": "BTCUSDT", "orderId": 7, "executedQty": "0.0", **named}


def answer(*reports: dict[str, object]) -> bytes:
    return json.dumps({"orderListId": 1, "orderReports": reports}).encode()


def test_each_order_of_an_answer_is_told_whatever_their_order() -> None:
    body = answer(report(IDS[1], "PENDING_NEW"), report(IDS[0], "NEW"))

    said = list_placed(SELL_OCO, body)

    assert [(type(e), e.order_id) for e in said] == [(Acked, IDS[0]), (Acked, IDS[1])]


@pytest.mark.parametrize(
    "body",
    [
        answer(report(IDS[0], "NEW")),
        answer(report(IDS[0], "NEW"), report(IDS[1], "SORT_OF_NEW")),
        b"<html>",
        json.dumps({"orderListId": 1}).encode(),
    ],
    ids=["of one alone", "a status that nobody knows", "a page", "without reports"],
)
def test_an_answer_that_does_not_speak_of_all_is_in_doubt(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        list_placed(SELL_OCO, body)


def test_a_cancel_ends_what_its_answer_says_of_the_list() -> None:
    body = answer(
        report("c", "FILLED", origClientOrderId=IDS[0], executedQty="0.5"),
        report("c", "CANCELED", origClientOrderId=IDS[1]),
        report("c", "CANCELED", origClientOrderId=IDS[2]),
    )

    said = leg_canceled(IDS[2], body)

    assert [(e.order_id, e.how) for e in said if isinstance(e, Ended)] == [
        (IDS[1], "canceled"),
        (IDS[2], "canceled"),
    ]
    with pytest.raises(OutcomeUnknown):
        leg_canceled(IDS[0], body)


def test_a_cancel_of_an_order_alone_is_read_as_before() -> None:
    body = json.dumps(report("c", "CANCELED", origClientOrderId=IDS[0])).encode()

    (ended,) = leg_canceled(IDS[0], body)

    assert isinstance(ended, Ended)


@pytest.mark.parametrize(("list_id", "how"), [(4, "canceled"), (-1, "expired")])
def test_a_leg_that_another_one_canceled_has_not_run_out_of_time(
    list_id: int, how: str
) -> None:
    event = {
        "e": "executionReport", "s": "BTCUSDT", "c": IDS[1], "C": "", "S": "SELL",
        "o": "STOP_LOSS", "f": "GTC", "q": "0.5", "p": "0", "P": "90", "x": "EXPIRED",
        "X": "EXPIRED", "r": "NONE", "i": 8, "l": "0", "z": "0", "L": "0", "n": "0",
        "N": None, "T": 1, "t": -1, "g": list_id,
    }  # fmt: skip

    (ended,) = heard(json.dumps({"subscriptionId": 0, "event": event}))

    assert isinstance(ended, Ended)
    assert (ended.order_id, ended.how) == (IDS[1], how)
