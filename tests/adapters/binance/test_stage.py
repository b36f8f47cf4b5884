"""The exchange as a script sees it."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked
from trio_websocket import open_websocket_url

from holdfast_adapters.simulators.binance.stage import BinanceStage
from holdfast_adapters.simulators.script import ScriptedFault, SkewedClock

from .desk import Desk, desk


def stage(here: Desk) -> BinanceStage:
    return BinanceStage(here.simulator, SkewedClock(here.clock))


async def test_a_script_begins_with_an_order_and_not_with_a_question() -> None:
    begun = trio.Event()

    async with desk() as here, trio.open_nursery() as nursery:

        async def begin() -> None:
            await stage(here).visited()
            begun.set()

        nursery.start_soon(begin)
        await here.venue.open_orders()
        await wait_all_tasks_blocked()
        assert not begun.is_set()
        await here.venue.submit(here.order())
        await begun.wait()


async def test_what_lasts_strikes_what_comes_while_it_is_on() -> None:
    fault = ScriptedFault(at_s=0, kind="skew", value=0.5, until_s=1)
    async with desk() as here, trio.open_nursery() as nursery:
        on = stage(here).begin(fault, nursery)
        assert on.struck == 0
        await here.venue.open_orders()
        await here.venue.open_orders()
        on.end()
        await here.venue.open_orders()
        assert on.struck == 2


async def test_what_strikes_streams_waits_for_one() -> None:
    async with desk() as here, trio.open_nursery() as nursery:
        on = stage(here).begin(ScriptedFault(at_s=0, kind="half_open"), nursery)
        await wait_all_tasks_blocked()
        assert on.struck == 0
        url = f"ws://127.0.0.1:{here.port}/ws/btcusdt@trade"
        async with open_websocket_url(url):
            while not all(each.is_mute for each in here.simulator.sockets):  # noqa: ASYNC110 - no one tells
                await trio.sleep(0.01)
            here.market(50_020)
            assert on.struck > 0
