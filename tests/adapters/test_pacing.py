"""When a market is handed on: at once, unless it does not end; in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from holdfast_adapters.pacing import AT_ONCE, Pace

PULSE_S = 0.25


@asynccontextmanager
async def beating() -> AsyncIterator[Pace]:
    pace = Pace(PULSE_S)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pace.beat)
        try:
            yield pace
        finally:
            nursery.cancel_scope.cancel()


async def waited_s(pace: Pace, count: int, *, rings: bool = True) -> list[float]:
    """Return how long each of ``count`` times took to be handed on."""
    took_s = []
    for _ in range(count):
        began_s = trio.current_time()
        if rings:
            pace.ring()
        await pace.wait()
        took_s.append(trio.current_time() - began_s)
    return took_s


async def test_what_comes_now_and_then_waits_for_nothing(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    async with beating() as pace:
        for _ in range(2 * AT_ONCE):
            await pace.wait()
            await trio.sleep(PULSE_S / 3)
            assert await waited_s(pace, 1) == [0]


async def test_what_does_not_end_comes_by_the_pulse(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    async with beating() as pace:
        assert set(await waited_s(pace, AT_ONCE)) == {0}
        assert await waited_s(pace, 10) == [pytest.approx(PULSE_S)] * 10
        await trio.sleep(3.5 * PULSE_S)
        # What was not used since is there again.
        assert await waited_s(pace, 4) == [0, 0, 0, pytest.approx(PULSE_S / 2)]


async def test_time_goes_on_where_nothing_comes(autojump_clock: MockClock) -> None:
    del autojump_clock
    async with beating() as pace:
        took_s = await waited_s(pace, 2 * AT_ONCE, rings=False)
        assert took_s == [pytest.approx(PULSE_S)] * (2 * AT_ONCE)
        assert await waited_s(pace, 1) == [0]


async def test_what_comes_while_something_is_handed_on_is_not_forgotten(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    async with beating() as pace:
        pace.ring()
        await pace.wait()
        pace.ring()
        assert await waited_s(pace, 2, rings=False) == [0, pytest.approx(PULSE_S)]
