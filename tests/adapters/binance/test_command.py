"""The exchange as a command: what a person starts, an adapter can trade at."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from holdfast.cli import main
from holdfast.clocks import SystemClock
from holdfast_adapters.auditor.reading import read_venue
from holdfast_adapters.binance import BinanceSpot, Credentials
from holdfast_domain.errors import OutcomeUnknown
from holdfast_domain.ports import Found, VenueOrder

from .desk import BTC, terms

ORDER_ID = "00000007000000010000000000010001"


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "holdfast", "venue", "binance"]
    command += [
        "--record",
        str(tmp_path / "venue.sqlite"),
        "--fault",
        "submit=lost_ack",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


async def test_it_trades_and_keeps_a_record(
    exchange: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert exchange.stdout is not None
    address = exchange.stdout.readline().split()[-1]
    venue = BinanceSpot(
        symbols=[BTC],
        credentials=Credentials("desk-key", "desk-secret"),
        address=address,
        clock=SystemClock(),
        sleep=trio.sleep,
    )
    await venue.connect()
    at_us = round(datetime.now(UTC).timestamp() * 1e6)
    order = VenueOrder(order_id=ORDER_ID, terms=terms(), placed_at_us=at_us)
    with pytest.raises(OutcomeUnknown):
        await venue.submit(order)
    found = await venue.lookup(ORDER_ID)
    assert isinstance(found, Found)
    assert found.instrument == BTC
    await venue.close()
    rows = read_venue(tmp_path / "venue.sqlite")
    opened = [each.fields for each in rows if each.kind == "opened"]
    assert opened == [{"unit": "USDT", "amount": "100000", "symbols": []}]
    assert (rows[1].kind, rows[1].order_id) == ("submitted", ORDER_ID)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--port", "x"], "--port"),
        (["--port", "70000"], "up to 65535"),
        (["--symbol", "X=1"], "ends with"),
        (["--symbol", "BTCUSDT"], "NAME=NUMBER"),
        (["--balance", "USDT=-1"], "above 0"),
        (["--trades-per-s", "0"], "above 0"),
        (["--seed", "x"], "--seed"),
        (["--replay", "nowhere"], "recorded trades of BTCUSDT"),
        (["--replay", "nowhere", "--speed", "0"], "above 0"),
        (["--fault", "submit=x"], "expected one of"),
        (["--fault", "x"], "OPERATION=KIND"),
    ],
)
def test_bad_input_is_one_line(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["venue", "binance", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
