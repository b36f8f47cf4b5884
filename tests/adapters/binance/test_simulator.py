"""The simulator speaks as the exchange does: its fields, its types and its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import open_websocket_url

from holdfast_adapters.binance import Credentials
from holdfast_adapters.simulators.binance import Fault
from holdfast_adapters.simulators.binance.faults import Faults

from .corpus import PAYLOADS, SHARED, documented, user_stream
from .desk import BTC, KEY, SECRET, Desk, desk

recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recorded payloads are not beside the repository"
)
WHO = Credentials(KEY, SECRET)
LIMIT: dict[str, Any] = {
    "symbol": BTC,
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.1",
    "price": "49000",
}
MARKET: dict[str, Any] = {
    "symbol": BTC,
    "side": "BUY",
    "type": "MARKET",
    "quantity": "0.1",
}


async def ask(
    d: Desk, method: str, path: str, who: Credentials = WHO, **asked: Any
) -> httpx.Response:
    """Ask the exchange as any client would, without the adapter."""
    asked.setdefault("timestamp", d.clock.us // 1000)
    address = f"http://127.0.0.1:{d.port}/api/v3/{path}?{who.signed(asked)}"
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return await client.request(method, address, headers={"X-MBX-APIKEY": who.key})


def shape(value: Any) -> Any:
    """The fields and types of a payload, without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return (
        "number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else type(value).__name__
    )


def example(of: str) -> Any:
    return json.loads((PAYLOADS / of).read_text())


SPOT = "nautilus-trader__crates__adapters__binance__test_data__spot__http_json__"
Getter = Callable[[], Any]
SHAPES: list[tuple[str, str, dict[str, Any], Getter]] = [
    ("POST", "order", MARKET, lambda: example(SPOT + "new_order_full_response.json")),
    (
        "DELETE",
        "order",
        {"symbol": BTC, "origClientOrderId": "mine"},
        lambda: example(SPOT + "cancel_order_response.json"),
    ),
    (
        "GET",
        "order",
        {"symbol": BTC, "origClientOrderId": "mine"},
        lambda: example(SPOT + "order_response.json"),
    ),
    ("GET", "openOrders", {}, lambda: example(SPOT + "open_orders_response.json")),
    (
        "GET",
        "myTrades",
        {"symbol": BTC},
        lambda: example(SPOT + "account_trades_response.json"),
    ),
    ("GET", "account", {}, lambda: example(SPOT + "account_response.json")),
    ("GET", "time", {}, lambda: example(SPOT + "server_time_response.json")),
    (
        "POST",
        "order/cancelReplace",
        {
            **LIMIT,
            "price": "48000",
            "cancelReplaceMode": "STOP_ON_FAILURE",
            "cancelOrigClientOrderId": "mine",
        },
        lambda: next(
            each for each in documented("rest-api") if "cancelResponse" in each
        ),
    ),
]


@recorded
@pytest.mark.parametrize(("method", "path", "asked", "real"), SHAPES)
async def test_answers_have_the_recorded_shape(
    method: str, path: str, asked: dict[str, Any], real: Getter
) -> None:
    async with desk() as d:
        await ask(d, "POST", "order", **MARKET)
        await ask(d, "POST", "order", **LIMIT, newClientOrderId="mine")
        said = shape((await ask(d, method, path, **asked)).json())
        wanted = shape(real())
        if path == "order/cancelReplace":
            said["newOrderResponse"]["fills"] = wanted["newOrderResponse"]["fills"]
        assert said == wanted


@recorded
async def test_rules_have_the_documented_fields() -> None:
    async with desk() as d:
        said = (await ask(d, "GET", "exchangeInfo")).json()
        real = next(each for each in documented("rest-api") if "symbols" in each)
        assert real.keys() - said.keys() <= {"sors"}
        assert shape(said["symbols"][0]).keys() == shape(real["symbols"][0]).keys()


@recorded
async def test_user_events_have_the_recorded_shape() -> None:
    async with desk() as d:
        heard: list[dict[str, Any]] = []
        d.exchange.on_user.append(heard.append)
        await ask(d, "POST", "order", **MARKET)
        reports = {each["x"]: each for each in heard if each["e"] == "executionReport"}
        real = [
            json.loads(frame)["event"]
            for frame in user_stream("WebSocketGlobalSpotMarketSubmittedFilled.json")
        ]
        for each in real:
            assert shape(reports[each["x"]]) == shape(each)
        position = next(
            each for each in heard if each["e"] == "outboundAccountPosition"
        )
        (documented_one,) = (
            each["event"]
            for each in documented("user-data-stream")
            if each["event"]["e"] == "outboundAccountPosition"
        )
        assert shape(position) == shape(documented_one)


# --- refusals -------------------------------------------------------------------


REFUSALS: list[tuple[dict[str, Any], int]] = [
    ({**LIMIT, "symbol": "NOPE"}, -1121),
    ({**LIMIT, "price": "49000.001"}, -1013),
    ({**LIMIT, "price": "1"}, -1013),
    ({**LIMIT, "price": "400000"}, -1013),
    ({**LIMIT, "quantity": "0.000001"}, -1013),
    ({**LIMIT, "quantity": "0.0000000001"}, -1111),
    ({**LIMIT, "quantity": "0.00002"}, -1013),
    ({**LIMIT, "quantity": "1e2"}, -1100),
    ({**LIMIT, "quantity": "90"}, -2010),
    ({**LIMIT, "type": "ODD"}, -1116),
    ({**LIMIT, "side": "HOLD"}, -1117),
    ({**LIMIT, "timeInForce": "DAY"}, -1115),
    ({**LIMIT, "stopPrice": "49000"}, -1106),
    ({**LIMIT, "newClientOrderId": "no spaces"}, -1100),
    ({**LIMIT, "newClientOrderId": "x" * 37}, -1100),
    ({k: v for k, v in LIMIT.items() if k != "price"}, -1102),
    ({**MARKET, "type": "STOP_LOSS", "stopPrice": "50000"}, -2010),
    (
        {**MARKET, "type": "LIMIT_MAKER", "price": "50020"},
        -2010,
    ),
]


@pytest.mark.parametrize(("asked", "code"), REFUSALS)
async def test_what_does_not_pass_is_refused(asked: dict[str, Any], code: int) -> None:
    async with desk() as d:
        said = await ask(d, "POST", "order", **asked)
        assert (said.status_code, said.json()["code"]) == (400, code)
        assert d.exchange.orders == []


async def test_signatures_and_time_stamps_are_checked() -> None:
    async with desk() as d:
        now_ms = d.clock.us // 1000
        codes = [
            (await ask(d, "GET", "account", who, timestamp=now_ms + ahead)).json()[
                "code"
            ]
            for who, ahead in (
                (Credentials("no", SECRET), 0),
                (Credentials(KEY, "no"), 0),
                (WHO, -5001),
                (WHO, 1000),
            )
        ]
        assert codes == [-2015, -1022, -1021, -1021]
        for ahead in (-5000, 999):
            said = await ask(d, "GET", "account", timestamp=now_ms + ahead)
            assert said.status_code == 200


async def test_an_id_is_taken_among_open_orders_only() -> None:
    async with desk() as d:
        await ask(d, "POST", "order", **LIMIT, newClientOrderId="mine")
        said = await ask(d, "POST", "order", **LIMIT, newClientOrderId="mine")
        assert said.json() == {"code": -2010, "msg": "Duplicate order sent."}
        await ask(d, "DELETE", "order", symbol=BTC, origClientOrderId="mine")
        said = await ask(d, "POST", "order", **LIMIT, newClientOrderId="mine")
        assert said.status_code == 200


async def test_a_market_order_takes_what_is_there_and_expires() -> None:
    async with desk() as d:
        d.market(50_000, "0.04")
        said = (await ask(d, "POST", "order", **MARKET)).json()
        assert (said["status"], said["executedQty"]) == ("EXPIRED", "0.04000000")
        assert d.exchange.balances["USDT"].locked == 0
        assert d.exchange.balances["USDT"].free == 98_000


# --- streams ----------------------------------------------------------------------


async def test_market_streams_say_what_is_subscribed() -> None:
    async with desk() as d:
        address = f"ws://127.0.0.1:{d.port}/stream?streams=btcusdt@trade"
        async with open_websocket_url(address) as socket:
            await socket.send_message(
                json.dumps(
                    {"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 1}
                )
            )
            assert json.loads(await socket.get_message()) == {"result": None, "id": 1}
            d.market(50_100, 2)
            trade = json.loads(await socket.get_message())
            quote = json.loads(await socket.get_message())
        assert (trade["stream"], trade["data"]["p"]) == (
            "btcusdt@trade",
            "50100.00000000",
        )
        assert (quote["data"]["b"], quote["data"]["a"]) == (
            "50099.99000000",
            "50100.01000000",
        )


def test_a_fault_strikes_after_those_that_pass() -> None:
    faults = Faults()
    faults.on("missing", "user_stream", skip=1, count=2)
    kinds = [
        fault.kind if isinstance(fault := faults.take("user_stream"), Fault) else ""
        for _ in range(4)
    ]
    assert kinds == ["", "missing", "missing", ""]
    with pytest.raises(ValueError, match="expected one of"):
        faults.on("nonsense", "submit")


async def test_a_peer_that_talks_nonsense_disturbs_nobody() -> None:
    async with desk() as d:
        for nonsense in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b""):
            stream = await trio.open_tcp_stream("127.0.0.1", d.port)
            if nonsense:
                await stream.send_all(nonsense)
            await stream.aclose()
        assert (await d.venue.open_orders()).orders == []
