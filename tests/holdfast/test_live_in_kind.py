"""An account whose fees are taken out of what is bought, as a spot exchange does it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import main
from holdfast_adapters.auditor import audit
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import EXAMPLE, Desk, desk, live_config
from .twins_at import live


def shown(here: Desk, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `holdfast ledger` tells of each strategy."""
    capsys.readouterr()
    assert main(["ledger", str(here.state), "--json"]) == 0
    return list(json.loads(capsys.readouterr().out)["strategies"].values())


def exits(here: Desk) -> int:
    """How many fills sold."""
    return sum(each.fill.side.sign < 0 for each in live(here, ev.OrderFilled))


def have_sold(here: Desk) -> bool:
    """Whether each of the siblings has sold something."""
    fills = [each.fill for each in live(here, ev.OrderFilled)]
    return len({fill.strategy for fill in fills if fill.side.sign < 0}) == 2


def held(books: list[dict[str, Any]]) -> Decimal:
    """How much all of them have; who never traded has nothing."""
    positions = [each["positions"].get("BTCUSDT") for each in books]
    return sum((Decimal(each["amount"]) for each in positions if each), Decimal(0))


async def test_all_that_is_held_can_be_sold_and_no_more_is_held_than_the_venue_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = live_config(tmp_path)
    async with desk(tmp_path / "state") as here:
        await here.run(path, lambda _: exits(here) >= 2)
        before = exits(here)
        await here.run(
            path,
            lambda _: exits(here) >= before + 4 and have_sold(here),
            settled=True,
        )
        record = {"binance": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        balance = here.simulator.exchange.balances["BTC"]
    assert [line for check in report.checks for line in check.findings] == []
    assert live(here, ev.OrderRejected) == []
    fees = [each.fill.fee for each in live(here, ev.OrderFilled)]
    assert {"BTC", "USDT"} == {fee.currency for fee in fees}

    books = shown(here, capsys)

    assert held(books) == balance.free + balance.locked
    assert [set(each["cash"]) for each in books] == [{"USDT"}, {"USDT"}]
    assert all(Decimal(each["fees"]["BTC"]) > 0 for each in books)


async def test_paper_takes_fees_as_the_exchange_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with desk(tmp_path / "state") as here:
        await here.run(EXAMPLE, lambda _: exits(here) >= 2)
        before = exits(here)
        await here.run(EXAMPLE, lambda _: exits(here) >= before + 2)

    assert here.complaints() == []
    fills = [each.fill for each in live(here, ev.OrderFilled)]
    buys = sum(each.quantity.value for each in fills if each.side.sign > 0)
    sells = sum(each.quantity.value for each in fills if each.side.sign < 0)
    fees = sum(each.fee.amount for each in fills if each.fee.currency == "BTC")
    assert fees > 0
    assert held(shown(here, capsys)) == buys - sells - fees
    assert live(here, ev.OrderRefused) == []
