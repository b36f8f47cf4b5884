"""Bars of the past at IB: only what is over, slowly, and nothing for a quiet night."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast_adapters.ib import ContractSpec, IBBars, Line, Session
from holdfast_adapters.ib.addresses import Address
from holdfast_adapters.ib.bars import HistoryPacer, merged
from holdfast_domain.errors import VenueRefused
from holdfast_domain.marketdata import Bar, us_of

pytest.importorskip("ib_async")

from .desk import Office, office

S = 1_000_000


def bars_of(here: Office, interval_us: int) -> IBBars:
    @asynccontextmanager
    async def visit() -> AsyncIterator[Session]:
        address = Address.parse(f"127.0.0.1:{here.port}", "here", live=False)
        session = Session(
            host=here.host, line=Line(address=address, client_id=3, zone="UTC"),
            specs={"AAPL": ContractSpec.named("AAPL")}, clock=here.clock,
        )  # fmt: skip
        await session.connect()
        try:
            yield session
        finally:
            await session.close()

    async def sleep(seconds: float) -> None:
        here.clock.go_on(seconds)

    return IBBars(["AAPL"], interval_us, visit, here.clock, sleep)


def shown(bars: list[Bar], from_us: int) -> list[tuple[float, ...]]:
    return [
        ((us_of(b.ended_at) - from_us) / S, b.open, b.high, b.low, b.close, b.volume)
        for b in bars
    ]


async def test_bars_are_those_of_the_trades_and_only_what_is_over() -> None:
    async with office() as here:
        from_us = (here.clock.us // (120 * S) + 2) * 120 * S
        for at_s, price in ((0, 10), (70, 12), (119, 11), (121, 9), (250, 8)):
            here.clock.us = from_us + at_s * S
            here.desk.trade("AAPL", Decimal(price), Decimal(100))
        found = await bars_of(here, 120 * S).between(from_us, from_us + 240 * S)
        assert shown(found, from_us) == [
            (120, 10, 12, 10, 11, 300),
            (240, 9, 9, 9, 9, 100),
        ]
        asked = [each for each in here.simulator.heard if each[0] == "20"]
        assert asked[-1][16:18] == ["2 mins", "240 S"]
        # A quiet time is no error, and a minute that IB does not have is made up.
        later = from_us + 1200 * S
        here.clock.us = later + 60 * S
        assert await bars_of(here, 120 * S).between(from_us + 600 * S, later) == []
        (odd,) = await bars_of(here, 420 * S).last(1, from_us // (420 * S) * 420 * S)
        assert odd.volume > 0


async def test_a_question_waits_until_it_may_be_asked_again() -> None:
    async with office() as here:
        from_us = here.clock.us // (60 * S) * 60 * S
        here.clock.us = until_us = from_us + 60 * S
        asked = bars_of(here, 60 * S)
        first = await asked.between(from_us, until_us)
        before_us = here.clock.us
        assert await asked.between(from_us, until_us) == first
        assert here.clock.us - before_us >= 15 * S


async def test_a_refusal_is_told_and_asked_again_before() -> None:
    async with office() as here:
        until_us = here.clock.us // (60 * S) * 60 * S
        here.simulator.faults.on("refused", "history", count=3)
        with pytest.raises(VenueRefused):
            await bars_of(here, 60 * S).last(2, until_us)
        assert len([each for each in here.simulator.heard if each[0] == "20"]) == 3
        with pytest.raises(VenueRefused, match=r"no bars that make up 0\.5 s"):
            await bars_of(here, S // 2).last(2, until_us)


def test_no_more_are_asked_than_ib_answers() -> None:
    pacer = HistoryPacer()
    for number in range(60):
        assert not pacer.wait_s(number, float(number))
        pacer.note(number, float(number))
    assert pacer.wait_s(0, 60.0) == 540.0
    assert pacer.wait_s(59, 600.5) == 0.0
    pacer.note("same", 700.0)
    assert pacer.wait_s("same", 704.0) == 11.0
    assert pacer.wait_s("another", 704.0) == 0.0


RECORDED = Path(__file__).parents[4] / "shared/payloads/ib/rust-ibapi_raw_messages.json"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded payloads are not there")
def test_recorded_answers_are_bars_and_nothing_is_dropped() -> None:
    lines = {each.get("raw", "") for each in json.loads(RECORDED.read_text())}
    told = [line.split("|")[:-1] for line in sorted(lines) if line[:8] == "17|9000|"]
    answers = [fields for fields in told if len(fields[5]) > len("20230413")]
    assert sum(int(fields[4]) for fields in answers) >= 3
    for fields in answers:
        rows = heard(fields)
        bars = merged("AAPL", rows, 1200, 1200 * S, 0, 1 << 60)
        cells = [float(each) for each in fields[5:]]
        rest = [cells[at : at + 8] for at in range(0, len(cells), 8)]
        assert [
            [us_of(b.ended_at) / S - 1200, b.open, b.high, b.low, b.close, b.volume]
            for b in bars
        ] == [each[:6] for each in rest]


def heard(fields: list[str]) -> dict[int, Any]:
    """What ib_async's decoder makes of an answer, by the begin of each bar."""
    rows: dict[int, Any] = {}

    class Hears:
        def historicalData(self, _number: int, bar: Any) -> None:
            rows[int(bar.date)] = bar

        def historicalDataEnd(self, *_told: Any) -> None: ...

    decoder = pytest.importorskip("ib_async.decoder").Decoder(Hears(), 178)
    decoder.interpret(fields)
    return rows
