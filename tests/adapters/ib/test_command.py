"""TWS on the desk as a command: what a person starts, an adapter can trade at."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from holdfast.cli import main
from holdfast.clocks import SystemClock
from holdfast_adapters.auditor.reading import read_venue
from holdfast_adapters.ib import Address, ContractSpec, IBVenue, Line
from holdfast_adapters.simulators.ib import Exits, Parked, TwsSimulator
from holdfast_domain.errors import InputError
from holdfast_domain.ports import Found
from holdfast_runtime.threads import PykkaAsyncioHost

from .desk import office
from .test_venue import ZONE, order, venue_at

pytest.importorskip("ib_async")


@pytest.fixture
def tws(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "holdfast", "venue", "ib", "--port", "0"]
    command += ["--record", str(tmp_path / "venue.sqlite")]
    command += ["--fault", "submit=lost_ack"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


async def test_it_trades_and_keeps_a_record(
    tws: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert tws.stdout is not None
    address = Address.parse(tws.stdout.readline().split()[-1], "desk", live=False)
    host = PykkaAsyncioHost(name="ib")
    venue = IBVenue(
        host=host,
        line=Line(address=address, client_id=1, zone=ZONE),
        specs={"AAPL": ContractSpec.named("AAPL")},
        clock=SystemClock(),
    )
    await venue.connect()
    with pytest.raises(ConnectionError):
        await venue.submit(order())
    await venue.connect()
    assert isinstance(await venue.lookup(order().order_id), Found)
    await venue.close()
    host.close()
    rows = read_venue(tmp_path / "venue.sqlite")
    assert [each.kind for each in rows] == ["opened", "submitted"]
    assert rows[0].fields == {"unit": "USD", "amount": "100000", "symbols": []}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--port", "99999"], "--port: expected a number up to 65535, got 99999"),
        (["--symbol", "AAPL"], "--symbol: expected NAME=NUMBER, got 'AAPL'"),
        (["--cash", "0"], "--cash: expected a number above 0, got '0'"),
        (["--fault", "tea=cold"], "--fault: expected OPERATION=KIND with one of"),
        (["--fault", "fills=held"], "--fault: expected one of missing, duplicate"),
        (["--exits", "never"], "'never' is not one of 'wait', 'full', 'part'"),
    ],
)
def test_bad_options_are_one_line(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["venue", "ib", *given]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_it_plays_what_ib_may_do_with_brackets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[TwsSimulator] = []
    monkeypatch.setattr(trio, "run", lambda _serve, tws, *_: served.append(tws))
    assert main(["venue", "ib"]) == 0
    assert main(["venue", "ib", "--exits", "part", "--parked", "dropped"]) == 0
    rules = [each.desk.brackets for each in served]
    assert [each.exits for each in rules] == [Exits.WAIT, Exits.PART]
    assert [each.parked for each in rules] == [Parked.SHOWN, Parked.DROPPED]


async def test_without_the_library_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ib_async", None)
    async with office() as desk:
        with pytest.raises(InputError, match=r"pip install 'holdfast\[ib\]'"):
            await venue_at(desk).connect()
