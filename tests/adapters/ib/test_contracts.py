"""Options, futures and pairs: which is meant, and the steps of its prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import pytest
from msgspec.structs import replace

from holdfast_adapters.ib import ContractSpec, IBVenue
from holdfast_adapters.simulators.ib import SimContract
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Band
from holdfast_domain.money import Price
from holdfast_domain.ports import Acked, VenueOrder

from .desk import Office, office
from .test_venue import order, terms, venue_at

D = Decimal
BANDS = ((D(0), D("0.05")), (D(3), D("0.1")))


def option(con_id: int, strike: int, right: str = "C") -> SimContract:
    return SimContract(
        con_id=con_id, symbol="SPX", kind="OPT", exchange="CBOE", primary="CBOE",
        local_symbol=f"SPX   260320{right}{strike:05}000", multiplier=D(100),
        expiry="20260320", strike=D(strike), right=right, trading_class="SPX",
        tick=D("0.05"), rule=110, bands=BANDS,
    )  # fmt: skip


def future(con_id: int, expiry: str, letter: str) -> SimContract:
    return SimContract(
        con_id=con_id, symbol="ES", kind="FUT", exchange="CME", primary="",
        local_symbol=f"ES{letter}6", multiplier=D(50), expiry=expiry, tick=D("0.05"),
        bands=((D(0), D("0.25")),),
        rule=67, trading_class="ES",
    )  # fmt: skip


EURUSD = SimContract(
    con_id=12087792, symbol="EUR", kind="CASH", exchange="IDEALPRO", primary="",
    local_symbol="EUR.USD", trading_class="EUR.USD", tick=D("0.00005"), rule=239,
    lot=D("0.01"), currency="USD",
)  # fmt: skip

THERE: Final = (
    option(1, 5800),
    option(2, 5800, "P"),
    option(3, 5900),
    future(4, "20260320", "H"),
    future(5, "20260618", "M"),
    EURUSD,
)
CALL = ContractSpec(
    symbol="SPX", kind="OPT", exchange="CBOE", expiry="20260320", strike=D(5800),
    right="C", multiplier="100",
)  # fmt: skip
MARCH = ContractSpec(symbol="ES", kind="FUT", exchange="CME", expiry="202603")
SPECS = {
    "SPX C5800": CALL,
    "ES": MARCH,
    "EUR.USD": ContractSpec.named("EUR.USD"),
    "AAPL": ContractSpec.named("AAPL"),
}


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Office, IBVenue]]:
    async with office(more=THERE) as desk:
        venue = venue_at(desk, specs=SPECS)
        await venue.connect()
        yield desk, venue
        await venue.close()


async def test_each_is_found_with_its_rules() -> None:
    async with connected() as (desk, venue):
        found = venue.instruments
        assert {name: each.contract.conId for name, each in venue.listed.items()} == {
            "SPX C5800": 1, "ES": 4, "EUR.USD": 12087792, "AAPL": 265598,
        }  # fmt: skip
        units = {name: each.multiplier for name, each in found.items()}
        assert units == {"SPX C5800": 100, "ES": 50, "EUR.USD": 1, "AAPL": 1}
        assert found["SPX C5800"].bands == (Band(*BANDS[0]), Band(*BANDS[1]))
        # One band alone is a tick, whatever the smallest step is elsewhere.
        assert [found[name].bands for name in ("ES", "EUR.USD", "AAPL")] == [()] * 3
        assert found["ES"].tick == D("0.25")
        assert (found["EUR.USD"].tick, found["EUR.USD"].lot) == (
            D("0.00005"), D("0.01"),
        )  # fmt: skip
        # Rules are asked for once, though the session connects again.
        await venue.close()
        await venue.connect()
        assert sum(asked[0] == "91" for asked in desk.simulator.heard) == 4


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            ContractSpec(symbol="ES", kind="FUT", exchange="CME"),
            "got 2: ESH6 FUT 20260320 x 50 CME USD (4); "
            "ESM6 FUT 20260618 x 50 CME USD (5); say more of it",
        ),
        (
            ContractSpec(symbol="SPX", kind="OPT", exchange="CBOE", right="C"),
            "got 2: SPX   260320C05800000 OPT 20260320 5800 C x 100 CBOE USD (1); ",
        ),
        (ContractSpec(symbol="SPX", kind="OPT", right="X"), "No security definition"),
        (
            ContractSpec(symbol="ES", kind="FUT", exchange="CME", multiplier="5"),
            "No security definition",
        ),
    ],
)
async def test_what_is_meant_by_none_or_by_several_is_told_apart(
    spec: ContractSpec, told: str
) -> None:
    async with office(more=THERE) as desk:
        with pytest.raises(VenueRefused) as caught:
            await venue_at(desk, specs={"x": spec}).connect()
        assert told in caught.value.reason
        assert caught.value.code == "200"


def placed(number: int, name: str, limit: str) -> VenueOrder:
    return replace(order(number), terms=replace(terms(limit, 1), instrument=name))


async def test_the_step_of_a_price_depends_on_it() -> None:
    async with connected() as (_, venue):
        rule = venue.instruments["SPX C5800"]
        for number, limit in enumerate(("2.95", "3.10", "0.05"), start=1):
            assert rule.is_on_tick(D(limit))
            (said, *_more) = await venue.submit(placed(number, "SPX C5800", limit))
            assert isinstance(said, Acked)
        for number, limit in enumerate(("2.97", "3.15"), start=4):
            assert not rule.is_on_tick(D(limit))
            with pytest.raises(VenueRefused) as caught:
                await venue.submit(placed(number, "SPX C5800", limit))
            assert caught.value.code == "110"
        assert rule.round_price(D("2.97")) == Price.of("2.95")
        assert rule.round_price(D("3.13")) == Price.of("3.1")


async def test_a_position_is_told_by_the_price_and_not_by_the_multiplier() -> None:
    async with connected() as (desk, venue):
        desk.clock.go_on(0.01)
        desk.desk.trade("ESH6", D("500.25"), D(10))
        await venue.submit(placed(1, "ES", "500.25"))
        (held,) = (await venue.positions()).positions
        assert (held.instrument, held.quantity, held.average_price) == (
            "ES", D(1), Price.of("500.25"),
        )  # fmt: skip
        values = await venue.account()
        worth = venue.instruments["ES"].notional(D("500.25"), D(1))
        assert values["GrossPositionValue"].amount == worth
