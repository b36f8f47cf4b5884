"""The desk speaks as TWS does: ib_async itself trades there, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast_adapters.simulators.ib import messages
from holdfast_adapters.simulators.ib.layouts import COMPLETED_ORDER, OPEN_ORDER

from .desk import LONG_S, Office, office

ib_async = pytest.importorskip("ib_async")

SHARED = Path(__file__).parents[4] / "shared"
RECORDED = SHARED / "payloads" / "ib" / "rust-ibapi_raw_messages.json"
"""Beside the repository, where there is one; not part of it."""

VERSION = 173
"""Of the server that was recorded."""


class Client:
    """ib_async as its users have it; lives in the host's loop."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.said: list[object] = []
        self.stock = ib_async.Stock("AAPL", "SMART", "USD")

    async def connect(self, client_id: int = 3) -> int:
        # ib_async remembers the first loop of the process for ever: forget it.
        ib_async.util.getLoop.cache_clear()
        self.ib = ib_async.IB()
        self.ib.errorEvent += lambda *about: self.said.append(about[1])
        self.ib.execDetailsEvent += lambda _, fill: self.said.append(
            (fill.execution.orderRef, fill.execution.shares, fill.execution.price)
        )
        self.ib.commissionReportEvent += lambda *about: self.said.append(
            about[2].commission
        )
        await self.ib.connectAsync(
            "127.0.0.1", self.office.port, client_id, timeout=30, raiseSyncErrors=True
        )
        return int(self.ib.client.serverVersion())

    async def order(self, name: str, limit: float | None = None) -> Any:
        made = (
            ib_async.MarketOrder("BUY", 10, orderRef=name, tif="GTC")
            if limit is None
            else ib_async.LimitOrder("BUY", 10, limit, orderRef=name, tif="GTC")
        )
        trade = self.ib.placeOrder(self.stock, made)
        await self.settle()
        return trade

    async def change(self, trade: Any, limit: float) -> None:
        trade.order.lmtPrice = limit
        self.ib.placeOrder(self.stock, trade.order)
        await self.settle()

    async def cancel(self, trade: Any) -> None:
        self.ib.cancelOrder(trade.order)
        await self.settle()

    async def settle(self) -> None:
        """Wait for an answer: what was said before it has come by then."""
        await self.ib.reqCurrentTimeAsync()

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        return await question(self.ib)

    async def close(self) -> None:
        self.ib.disconnect()


@pytest.mark.parametrize("version", [157, 163, 170, 178])
async def test_orders_live_and_end(version: int) -> None:
    async with office(version=version) as desk:
        client, run = Client(desk), desk.host.run
        assert await run(client.connect, deadline_s=LONG_S) == version
        filled = await run(client.order, "first", deadline_s=LONG_S)
        assert filled.orderStatus.status == "Filled"
        assert client.said[-2:] == [("first", 10.0, 100.0), 1.0]
        resting = await run(client.order, "second", 90.0, deadline_s=LONG_S)
        assert resting.orderStatus.status == "Submitted"
        await run(client.change, resting, 91.0, deadline_s=LONG_S)
        (listed,) = await run(
            client.ask, lambda ib: ib.reqAllOpenOrdersAsync(), deadline_s=LONG_S
        )
        assert (listed.order.orderRef, listed.order.lmtPrice) == ("second", 91.0)
        await run(client.cancel, resting, deadline_s=LONG_S)
        assert resting.orderStatus.status == "Cancelled"
        ended = await run(
            client.ask, lambda ib: ib.reqCompletedOrdersAsync(False), deadline_s=LONG_S
        )
        assert [(each.order.orderRef, each.orderStatus.status) for each in ended] == [
            ("first", "Filled"),
            ("second", "Cancelled"),
        ]
        (fill,) = await run(
            client.ask, lambda ib: ib.reqExecutionsAsync(), deadline_s=LONG_S
        )
        assert fill.execution.time.timestamp() == desk.clock.us // 1_000_000
        (position,) = client.ib.positions()
        assert (position.position, position.avgCost) == (10.0, 100.0)
        await run(client.close, deadline_s=LONG_S)


async def test_a_client_id_is_used_once() -> None:
    async with office() as desk:
        first, second = Client(desk), Client(desk)
        await desk.host.run(first.connect, deadline_s=LONG_S)
        with pytest.raises(TimeoutError):
            await desk.host.run(second.connect, deadline_s=0.5)
        assert 326 in second.said
        await desk.host.run(first.close, deadline_s=LONG_S)


async def test_too_many_messages_are_turned_away_and_then_cut_off() -> None:
    async with office(messages_per_s=20) as desk:
        client = Client(desk)
        await desk.host.run(client.connect, deadline_s=LONG_S)

        async def flood(_: Any) -> None:
            for _number in range(30):
                client.ib.client.reqCurrentTime()
            await client.ib.disconnectedEvent

        await desk.host.run(client.ask, flood, deadline_s=LONG_S)
        assert client.said.count(100) == 3


async def test_a_contract_that_is_not_there() -> None:
    async with office() as desk:
        client = Client(desk)
        await desk.host.run(client.connect, deadline_s=LONG_S)
        stock = ib_async.Stock("NOPE", "SMART", "USD")
        found = await desk.host.run(
            client.ask, lambda ib: ib.reqContractDetailsAsync(stock), deadline_s=LONG_S
        )
        assert (found, client.said[-1]) == ([], 200)
        await desk.host.run(client.close, deadline_s=LONG_S)


def recorded(begin: str) -> list[str]:
    """Return the fields of a recorded message."""
    if not RECORDED.exists():
        pytest.skip(f"{RECORDED} is not here")
    rows = json.loads(RECORDED.read_text())
    return next(
        row["raw"].split("|")[:-1] for row in rows if row["raw"].startswith(begin)
    )


async def test_an_open_order_is_written_as_a_recorded_one() -> None:
    real = recorded("5|5|265598|AAPL|STK||0|?||SMART|USD|AAPL|NMS|BUY|100|MKT")[1:]
    by_name = OPEN_ORDER.read(VERSION, real)
    assert len(real) == len(by_name)
    assert (by_name["status"], by_name["perm_id"]) == ("PreSubmitted", "600745656")
    async with office() as desk:
        client = Client(desk)
        await desk.host.run(client.connect, deadline_s=LONG_S)
        await desk.host.run(client.order, "mine", deadline_s=LONG_S)
        await desk.host.run(client.close, deadline_s=LONG_S)
        (order,) = desk.desk.orders.values()
    ours = OPEN_ORDER.read(VERSION, _fields(messages.open_order(VERSION, order)))
    differs = {name for name, value in ours.items() if value != by_name[name]}
    assert differs <= {
        "order_id", "right", "quantity", "account", "order_ref", "client_id", "perm_id",
        "tif", "good_till", "rule_80a", "shares_allocation", "status",
    }  # fmt: skip


def test_a_completed_order_is_read_as_it_was_recorded() -> None:
    real = recorded("101|265598|AAPL|STK||0|?||SMART|USD|AAPL|NMS|BUY|0|MKT")[1:]
    by_name = COMPLETED_ORDER.read(164, real)
    assert len(real) == len(by_name)
    assert (by_name["status"], by_name["filled"]) == ("Filled", "100")
    assert by_name["completed_status"] == "Filled Size: 100"


def _fields(data: bytes) -> list[str]:
    return data[4:].decode().split("\0")[1:-1]
