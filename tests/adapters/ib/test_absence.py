"""What it proves that TWS does not show an order: something of its own day alone."""

from __future__ import annotations

import pytest

from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.ports import NotFound

from .test_venue import order, trading

HOUR_US = 3_600_000_000


async def test_what_is_of_another_day_is_not_denied() -> None:
    async with trading() as (desk, venue, _):
        with pytest.raises(OutcomeUnknown, match="a day that TWS does not show"):
            await venue.lookup(order().order_id)
        desk.simulator.faults.on("refused", "submit", value=201)
        with pytest.raises(VenueRefused):
            await venue.submit(order())
        assert isinstance(await venue.lookup(order().order_id), NotFound)
        desk.clock.go_on(86_400)
        with pytest.raises(OutcomeUnknown, match="a day that TWS does not show"):
            await venue.lookup(order().order_id)


async def test_what_was_meant_on_the_day_that_is_shown_is_denied() -> None:
    async with trading() as (desk, venue, _):
        order_id, now_us = order().order_id, desk.clock.us
        assert isinstance(await venue.lookup(order_id, now_us), NotFound)
        midnight_us = now_us - 10 * HOUR_US
        almost = midnight_us + 1_000_000
        for meant_us in (0, now_us - 24 * HOUR_US, midnight_us, almost):
            with pytest.raises(OutcomeUnknown, match="a day that TWS does not show"):
                await venue.lookup(order_id, meant_us)
        assert isinstance(await venue.lookup(order_id, almost + 1_000_000), NotFound)


async def test_a_day_of_tws_that_may_have_begun_denies_nothing_of_the_one_before() -> (
    None
):
    async with trading() as (desk, venue, _):
        desk.clock.us += 14 * HOUR_US - 1_000_000
        with pytest.raises(OutcomeUnknown, match="a day that TWS does not show"):
            await venue.lookup(order().order_id, desk.clock.us)
