"""Our executions at the exchange: read on, read again, and whose they are."""

from __future__ import annotations

import pytest

from holdfast_adapters.simulators.binance.checks import asked_of
from holdfast_domain.errors import (
    VenueRefused,
)
from holdfast_domain.money import Quantity
from holdfast_domain.orders import OrderType, Side
from holdfast_domain.ports import Executed

from .desk import BTC, Desk, desk


async def filled(d: Desk, count: int) -> None:
    for _ in range(count):
        kind = {"type": OrderType.MARKET, "limit_price": None}
        await d.venue.submit(d.order(**kind, quantity=Quantity.of("0.01")))


async def test_executions_are_read_again_while_others_may_show_before_them() -> None:
    async with desk() as d:
        await filled(d, 2)
        first = await d.venue.executions_since("")
        assert [each.execution_id for each in first.events] == [
            "BTCUSDT-1",
            "BTCUSDT-2",
        ]
        again = await d.venue.executions_since(first.watermark)
        assert len(again.events) == 2
        d.clock.go_on(61)
        settled = await d.venue.executions_since(again.watermark)
        assert settled.watermark == "BTCUSDT:3"
        assert (await d.venue.executions_since(settled.watermark)).events == []
        await filled(d, 1)
        late = await d.venue.executions_since(settled.watermark)
        assert [each.execution_id for each in late.events] == ["BTCUSDT-3"]


async def test_an_order_is_asked_for_once_until_it_has_traded_again() -> None:
    async with desk() as d:
        await filled(d, 2)
        first = await d.venue.executions_since("")
        asked = len(d.asked("trades"))
        again = await d.venue.executions_since("")
        assert again.events == first.events
        assert len(d.asked("trades")) == asked + 1
        await d.venue.submit(d.order(quantity=Quantity.of("0.03")))
        for traded in ("0.01", "0.02", "0.03"):
            d.market(49_990, "0.01")
            last = (await d.venue.executions_since("")).events[-1]
            assert isinstance(last, Executed)
            assert last.cumulative == Quantity.of(traded)


async def test_history_begins_where_it_is_asked_to() -> None:
    async with desk() as d:
        await filled(d, 2)
        d.clock.go_on(10)
        later = d.new_venue()
        later._history._from_us = d.clock.us
        await later.connect()
        await filled(d, 1)
        said = await later.executions_since("")
        assert [each.execution_id for each in said.events] == ["BTCUSDT-3"]
        await later.close()


async def test_pages_follow_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_adapters.binance.history.PAGE", 2)
    async with desk() as d:
        await filled(d, 5)
        said = await d.venue.executions_since("")
        assert [each.execution_id for each in said.events] == [
            f"BTCUSDT-{number}" for number in range(1, 6)
        ]


@pytest.mark.parametrize("watermark", ["X7", "BTCUSDT:-1", "BTCUSDT", ":5", ","])
async def test_a_watermark_of_another_venue_is_refused(watermark: str) -> None:
    async with desk() as d:
        with pytest.raises(VenueRefused, match="watermark"):
            await d.venue.executions_since(watermark)


async def test_orders_of_others_are_shown_as_such() -> None:
    async with desk() as d:
        asked = {"symbol": BTC, "side": "SELL", "type": "MARKET", "quantity": "0.5"}
        d.exchange.place(asked_of(asked, "web_1"))
        limit = {**asked, "type": "LIMIT", "timeInForce": "GTC", "price": "60000"}
        d.exchange.place(asked_of(limit, "web_2"))
        (event,) = (await d.venue.executions_since("")).events
        assert (event.order_id, event.instrument, event.side) == (  # type: ignore[union-attr]
            "web_1",
            BTC,
            Side.SELL,
        )
        (open_,) = (await d.venue.open_orders()).orders
        assert open_.order_id == ""
