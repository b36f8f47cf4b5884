"""The market as TWS tells it, and what it does not tell any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
import trio

from holdfast_adapters.ib import Address, ContractSpec, Hub, IBMarket, Line, Session
from holdfast_adapters.ib.ticks import RT_VOLUME, Tick, trade_of
from holdfast_domain.errors import DomainError
from holdfast_domain.ports import Events
from holdfast_domain.stepping import News

from .desk import Office, office
from .test_venue import TIMING, ZONE

pytest.importorskip("ib_async")


def session_at(desk: Office, hub: Hub, kind: type[Session] = Session) -> Session:
    return kind(
        host=desk.host,
        line=Line(address=Address("127.0.0.1", desk.port), client_id=4, zone=ZONE),
        specs={"AAPL": ContractSpec.named("AAPL")},
        clock=desk.clock,
        hub=hub,
        timing=TIMING,
    )


async def test_it_is_heard_again_after_each_hole() -> None:
    async with office() as desk, trio.open_nursery() as nursery:
        hub, said, heard = Hub(), list[str](), list[News]()
        listens = {1: trio.Event(), 2: trio.Event()}

        def says(text: str) -> None:
            said.append(text)
            if text == "the market is heard":
                listens[said.count(text)].set()

        session = session_at(desk, hub)
        market = IBMarket(
            session, hub, desk.clock, quotes=True, pulse_s=0.01, said=says
        )
        came = trio.Event()

        async def take(news: News) -> None:
            if news.trades or news.quotes:
                heard.append(news)
            if news.trades:
                came.set()

        nursery.start_soon(market.run, take)
        for number, price in enumerate((101, 102), start=1):
            await listens[number].wait()
            desk.market(price, 7)
            await came.wait()
            came = trio.Event()
            (trade,) = [each for news in heard for each in news.trades]
            assert (trade.price, trade.size) == (price, 7)
            quote = [each for news in heard for each in news.quotes][-1]
            assert (quote.bid, quote.ask) == (price - 0.01, price + 0.01)
            assert heard[-1].whole_from_us is not None
            heard.clear()
            if number == 1:  # TWS subscribes to nothing again by itself
                desk.simulator.lose_connectivity()
                desk.simulator.restore_connectivity(lost=True)
        # The line went and came, and which of both was told last does not matter.
        assert said[1].startswith("the market is not heard: TWS has")
        nursery.cancel_scope.cancel()


async def test_time_stands_still_while_what_came_is_not_read() -> None:
    async with office() as desk, trio.open_nursery() as nursery:
        hub, heard, listens = Hub(), list[News](), trio.Event()
        session = session_at(desk, hub)
        market = IBMarket(
            session, hub, desk.clock, pulse_s=0.01, said=lambda _text: listens.set()
        )
        is_held, goes_on = trio.Event(), threading.Event()
        token, due_us = trio.lowlevel.current_trio_token(), list[int]()

        async def hold_up() -> None:
            token.run_sync_soon(is_held.set)
            goes_on.wait()

        async def take(news: News) -> None:
            heard.append(news)
            if due_us and news.now_us == due_us[0]:
                nursery.cancel_scope.cancel()

        nursery.cancel_scope.deadline = trio.current_time() + 60
        nursery.start_soon(market.run, take)
        await listens.wait()
        nursery.start_soon(partial(desk.host.run, hold_up, deadline_s=60.0))
        await is_held.wait()
        desk.market(101, 7)
        desk.clock.go_on(3600)
        due_us.append(desk.clock.us)
        try:
            await trio.sleep(0.1)  # some pulses
        finally:
            goes_on.set()
    assert [heard[-1].now_us] == due_us
    assert sum(len(news.trades) for news in heard) == 1


async def test_market_data_that_is_refused_is_said() -> None:
    async with office() as desk, trio.open_nursery() as nursery:
        hub, said = Hub(), list[str]()
        session = session_at(desk, hub)
        market = IBMarket(session, hub, desk.clock, pulse_s=0.01, said=said.append)
        desk.simulator.faults.on("refused", "market", value=354)

        async def take(_news: News) -> None:
            if any("354" in each for each in said):
                nursery.cancel_scope.cancel()

        nursery.start_soon(market.run, take)


async def test_a_refusal_before_all_is_subscribed_to_is_said() -> None:
    async with office() as desk, trio.open_nursery() as nursery:
        hub, said = Hub(), list[str]()

        class RefusedAtOnce(Session):
            async def listen(self, heard: Callable[[Tick], None]) -> Events[Tick]:
                events = await super().listen(heard)
                hub.miss("354 of the first contract")
                return events

        session = session_at(desk, hub, RefusedAtOnce)
        market = IBMarket(session, hub, desk.clock, pulse_s=0.01, said=said.append)

        async def take(news: News) -> None:
            assert news.whole_from_us is None
            nursery.cancel_scope.cancel()

        nursery.start_soon(market.run, take)
    assert "the market is not heard: 354 of the first contract" in said


def test_nonsense_is_no_trade() -> None:
    with pytest.raises(DomainError, match="expected a trade of AAPL, got '1;2'"):
        trade_of("AAPL", Tick(1, RT_VOLUME, text="1;2"))
    assert trade_of("AAPL", Tick(1, RT_VOLUME, text=";0;1;2;3;true")) is None
