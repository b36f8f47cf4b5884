"""Two siblings trade through a scripted day of faults, each part in its own process.

A venue on the desk plays the script of the examples, over a recorded market where there
is one, while an engine trades there. What the engine booked, what it said, and what the
venue kept must then agree.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from holdfast.scripts import read_script
from holdfast_adapters.simulators.binance.stage import KINDS as BINANCE
from holdfast_adapters.simulators.ib.stage import KINDS as IB
from holdfast_adapters.streams.recording import Recorder
from holdfast_domain import events as ev

from .comparing import read
from .running import EXAMPLES, REPOSITORY, records_of, wait_for

COMMAND = [sys.executable, "-m", "holdfast"]
RECORDING = (
    REPOSITORY.parent / "shared/data/ws_raw/hftbacktest/spot/btcusdt_20240808.jsonl.gz"
)
SAMPLE = EXAMPLES / "streams" / "btcusdt"
STRATEGY = """\
from holdfast import Strategy, param


class Flip(Strategy):
    symbol_name: str = param("BTCUSDT")
    size: float = param(0.5)
    bars: int = param(2)

    def initialize(self, context):
        context.asset = self.symbol(self.symbol_name)
        context.seen = 0

    def handle_data(self, context, data):
        context.seen += 1
        if context.seen % self.bars == 0:
            holds = context.seen // self.bars % 2
            self.order_target_percent(context.asset, self.size if holds else 0)
"""
CONFIG = """\
mode: MODE
strategies:
  - class: flip.py
    name: one
    params: {symbol_name: SYMBOL, size: 0.5, bars: 1}
    capital: 20000
  - class: flip.py
    name: two
    params: {symbol_name: SYMBOL, size: 0.3, bars: 2}
    capital: 20000
venues:
  desk: {adapter: ADAPTER, symbols: [SYMBOL], address: "ADDRESS", VENUE}
engine: {state: state}
data: {interval: 1s, trades: true, grace_s: 0.3, pulse_s: 0.05}
"""
CREDENTIALS = 'credentials: {key: "${KEY}", secret: "${SECRET}"}'


@attrs.frozen(kw_only=True)
class Day:
    """One day at one venue."""

    venue: str
    adapter: str
    symbol: str
    mode: str

    @property
    def script(self) -> Path:
        return EXAMPLES / f"{self.venue}_day.yaml"

    @property
    def kinds(self) -> Any:
        return BINANCE if self.venue == "binance" else IB

    def config(self, address: str) -> str:
        venue = CREDENTIALS if self.venue == "binance" else "client_id: 7"
        words = {
            "MODE": self.mode,
            "ADAPTER": self.adapter,
            "SYMBOL": self.symbol,
            "ADDRESS": address,
            "VENUE": venue,
        }
        text = CONFIG
        for name, word in words.items():
            text = text.replace(name, word)
        return text


DAYS = {
    "binance on paper": Day(
        venue="binance", adapter="binance", symbol="BTCUSDT", mode="paper"
    ),
    "binance": Day(venue="binance", adapter="binance", symbol="BTCUSDT", mode="live"),
    "futures": Day(
        venue="binance", adapter="binance_futures", symbol="BTCUSDT", mode="live"
    ),
    "ib": Day(venue="ib", adapter="ib", symbol="AAPL", mode="live"),
}


def recording(folder: Path) -> Path:
    """A recorded market: what others heard of Binance, or our own sample."""
    if not RECORDING.exists():
        return SAMPLE
    folder.mkdir()
    at_ns = 0
    recorder = Recorder(folder, lambda: at_ns)
    with gzip.open(RECORDING, "rb") as lines:
        for line in lines:
            time, _, frame = line.partition(b" ")
            if b'"trade"' in frame:
                at_ns = int(time)
                recorder.heard(1, frame.strip())
    recorder.close()
    return folder


@attrs.frozen
class Running:
    """A venue in a process of its own, and what it says."""

    process: subprocess.Popen[str]
    output: Path

    @property
    def said(self) -> list[str]:
        return self.output.read_text().splitlines()

    @property
    def is_over(self) -> bool:
        return "the script is over" in self.said


@contextmanager
def venue_of(
    day: Day, folder: Path, script: Path, speed: float, market: Path
) -> Iterator[Running]:
    words = ["--port", "0", "--script", str(script), "--speed", str(speed)]
    words += ["--record", str(folder / "venue.sqlite")]
    if day.venue == "binance":
        words += ["--replay", str(market), "--loop"]
        words += ["--balance", "USDT=100000", "--balance", "BTC=2"]
    else:
        words += ["--symbol", f"{day.symbol}=100"]
    if day.adapter == "binance_futures":
        words += ["--futures"]
    command, output = [*COMMAND, "venue", day.venue, *words], folder / "venue.out"
    with (
        output.open("w") as told,
        subprocess.Popen(command, stdout=told, text=True) as process,
    ):
        venue = Running(process, output)
        wait_for(process, lambda: bool(venue.said))
        try:
            yield venue
        finally:
            process.send_signal(signal.SIGTERM)


def fills(state: Path) -> Counter[str]:
    if not records_of(state):
        return Counter()
    events = [entry.event for entry in read(state / "journal.sqlite")]
    return Counter(e.fill.strategy for e in events if isinstance(e, ev.OrderFilled))


def play(
    day: Day, folder: Path, script: Path, *, market: Path, speed: float = 1
) -> list[str]:
    """Trade through a day, and a little on; return what the venue said."""
    (folder / "flip.py").write_text(STRATEGY)
    state, config = folder / "state", folder / "day.yaml"
    who = {"KEY": "desk-key", "SECRET": "desk-secret"}
    environ = os.environ | who | {"HOLDFAST_DATA_DIR": str(folder / "user")}
    with venue_of(day, folder, script, speed, market) as venue:
        config.write_text(day.config(venue.said[0].split()[-1]))
        command = [*COMMAND, "run", str(config)]
        command += ["--live"] if day.mode == "live" else []
        with subprocess.Popen(command, env=environ, text=True) as engine:
            wait_for(engine, lambda: venue.is_over, every_s=0.2)
            before = fills(state)
            wait_for(
                engine,
                lambda: all(fills(state)[n] >= before[n] + 2 for n in ("one", "two")),
                every_s=0.5,
            )
            engine.send_signal(signal.SIGTERM)
        assert engine.returncode == 143
        more = fills(state) - before
        assert min(more["one"], more["two"]) >= 2
    record = f"desk={folder / 'venue.sqlite'}"
    words = ["--record", record] if day.mode == "live" else []
    audited = subprocess.run(
        [*COMMAND, "audit", str(state), "--json", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    checks = json.loads(audited.stdout)["checks"]
    assert {name: lines for name, lines in checks.items() if lines} == {}
    return venue.said


def told(day: Day, script: Path) -> list[str]:
    """What the venue must say of the script: each beginning and end, in order."""
    lines = []
    for number, fault in enumerate(read_script(script, day.kinds)):
        lasts = fault.until_s is not None
        times = "strikes once" if fault.count == 1 else f"strikes {fault.count} times"
        word = "begins" if lasts else times
        lines.append((fault.at_s, 1, number, f"{fault.name} {word}"))
        if lasts:
            lines.append((fault.until_s or 0, 0, number, f"{fault.name} ends"))
    return [f"{at_s:g} s: {text}" for at_s, _, _, text in sorted(lines)]


@pytest.mark.soak
@pytest.mark.parametrize("name", DAYS)
def test_two_siblings_trade_through_the_day_of_the_examples(
    name: str, tmp_path: Path
) -> None:
    day = DAYS[name]
    market = recording(tmp_path / "recording")
    said = play(day, tmp_path, day.script, market=market)
    assert [line.split("; on:")[0] for line in said[2:-1]] == told(day, day.script)


@pytest.mark.soak
@pytest.mark.parametrize("name", DAYS)
def test_two_siblings_trade_through_a_short_day(name: str, tmp_path: Path) -> None:
    """The day, thirty times faster: what takes a minute is out."""
    day = DAYS[name]
    script = tmp_path / "short.yaml"
    lines = day.script.read_text().splitlines()
    script.write_text("\n".join(each for each in lines if "half_open" not in each))
    said = play(day, tmp_path, script, market=SAMPLE, speed=30)
    assert [line.split("; on:")[0] for line in said[2:-1]] == told(day, script)
