"""Days of faults: a venue that plays a script, and an engine that trades there.

Each is a process of its own.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import yaml

from holdfast.paper import run_entries
from holdfast.scripts import read_script
from holdfast_actors.orderbook import OrderBook
from holdfast_adapters.simulators.binance.stage import KINDS as BINANCE
from holdfast_adapters.simulators.ib.stage import KINDS as IB
from holdfast_adapters.simulators.script import ScriptedFault
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.streams.recording import Recorder
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState

from .running import EXAMPLES, REPOSITORY, records_of, wait_for

PATIENCE_S = 180.0
"""For how long an engine may take to go on: six times what an absence takes at IB."""

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
STREAMING = ("closed", "reset", "flood", "maintenance", "half_open")
"""What strikes the streams of a market, too."""

CREDENTIALS = 'credentials: {key: "${KEY}", secret: "${SECRET}"}'


@attrs.frozen(kw_only=True)
class Day:
    """One day at one venue."""

    venue: str
    adapter: str
    symbol: str
    mode: str
    example: str = ""
    """The configuration of the examples that it runs, and not one of its own."""

    @property
    def siblings(self) -> tuple[str, str]:
        return ("fast", "slow") if self.example else ("one", "two")

    @property
    def at(self) -> str:
        """What the configuration calls the venue."""
        return self.venue if self.example else "desk"

    @property
    def faults(self) -> list[ScriptedFault]:
        """Those of the example that it can meet."""
        path = EXAMPLES / f"{self.venue}_day.yaml"
        return [each for each in read_script(path, self.kinds) if self.meets(each)]

    def meets(self, fault: ScriptedFault) -> bool:
        """Whether a run can meet a fault: on paper it asks for the market alone."""
        if self.mode == "live":
            return True
        return fault.of == "market" or fault.kind in STREAMING

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
EXAMPLE_DAYS = {
    f"{name} of the examples": attrs.evolve(day, example=f"{day.venue}_paper.yaml")
    for name, day in DAYS.items()
    if name in ("binance on paper", "ib")
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
    def address(self) -> str:
        return self.said[0].split()[-1]

    @property
    def is_over(self) -> bool:
        return "the script is over" in self.said


@contextmanager
def venue_of(day: Day, folder: Path, script: Path, market: Path) -> Iterator[Running]:
    words = ["--port", "0", "--script", str(script)]
    words += ["--record", str(folder / "venue.sqlite")]
    if day.venue == "binance":
        words += ["--replay", str(market), "--loop"]
        words += ["--balance", "USDT=100000", "--balance", "BTC=2"]
    else:
        words += ["--symbol", f"{day.symbol}=100"]
    if day.adapter == "binance_futures":
        words += ["--futures"]
    command, output = [*COMMAND, "venue", day.venue, *words], folder / "venue.out"
    with output.open("w") as told, ended(command, stdout=told) as process:
        venue = Running(process, output)
        wait_for(process, lambda: bool(venue.said))
        yield venue


@contextmanager
def ended(command: list[str], **how: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, whatever happens there."""
    with subprocess.Popen(command, text=True, **how) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def engine_of(day: Day, folder: Path, address: str) -> Iterator[subprocess.Popen[str]]:
    """An engine that trades at ``address``, and stops in order at the end."""
    config = EXAMPLES / day.example
    if not day.example:
        (folder / "flip.py").write_text(STRATEGY)
        config = folder / "day.yaml"
        config.write_text(day.config(address))
    environ = os.environ | {
        "KEY": "desk-key",
        "SECRET": "desk-secret",
        day.venue.upper(): address,
        "HOLDFAST_STATE": str(folder / "state"),
        "HOLDFAST_DATA_DIR": str(folder / "user"),
    }
    command = [*COMMAND, "run", str(config)]
    command += ["--live"] if day.mode == "live" else []
    with ended(command, env=environ) as engine:
        yield engine
    assert engine.returncode == 143


def entries(state: Path) -> list[ev.Entry]:
    return run_entries(StateDir(state)) if records_of(state) else []


def fills(state: Path) -> Counter[str]:
    events = [entry.event for entry in entries(state)]
    return Counter(e.fill.strategy for e in events if isinstance(e, ev.OrderFilled))


def book_of(state: Path) -> OrderBook:
    book = OrderBook()
    for entry in entries(state):
        book.apply(entry.event)
    return book


def doubts(state: Path) -> int:
    """How many orders nobody knows the outcome of."""
    rows = book_of(state).rows.values()
    return sum(row.state is OrderState.UNKNOWN for row in rows)


def trades_on(day: Day, engine: subprocess.Popen[str], state: Path) -> bool:
    """Return whether both trade on, and nothing stays in doubt; then all is settled.

    What the venue does while the engine ends, the audit would miss: so nothing new is
    ordered, and all that was ordered has ended. At IB a fill of which the commission is
    not told is booked after some seconds.
    """
    before, more = fills(state), 1 if day.example else 2

    def is_known() -> bool:
        now = fills(state)
        return all(now[n] >= before[n] + more for n in day.siblings) and not doubts(
            state
        )

    wait_for(engine, is_known, limit_s=PATIENCE_S, every_s=0.5)
    has_gone_on = is_known()
    halt = [*COMMAND, "halt", str(state), "--reason", "the day is over"]
    subprocess.run(halt, check=True, capture_output=True)
    wait_for(engine, lambda: not book_of(state).open, limit_s=PATIENCE_S, every_s=0.5)
    return has_gone_on


def audit(day: Day, folder: Path) -> None:
    """The journal agrees with what the venue has recorded."""
    words = (
        [f"--record={day.at}={folder / 'venue.sqlite'}"] if day.mode == "live" else []
    )
    audited = subprocess.run(
        [*COMMAND, "audit", str(folder / "state"), "--json", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    checks = json.loads(audited.stdout)["checks"]
    found = {name: lines for name, lines in checks.items() if lines}
    assert not found, found


def play(day: Day, folder: Path, faults: Sequence[ScriptedFault], market: Path) -> None:
    """Trade through a day, and on until all is known; each fault has struck."""
    script, state = write(faults, folder / "script.yaml"), folder / "state"
    with (
        venue_of(day, folder, script, market) as venue,
        engine_of(day, folder, venue.address) as engine,
    ):
        wait_for(engine, lambda: venue.is_over, every_s=0.2)
        assert venue.is_over, venue.said[-1]
        has_gone_on = trades_on(day, engine, state)
    audit(day, folder)
    assert has_gone_on
    assert not doubts(state)
    lines = [line.split("; on:")[0] for line in venue.said if "; on:" in line]
    assert lines == told(faults), lines
    report = venue.said[venue.said.index("the script is over") + 1 :]
    assert len(report) == len(faults), report
    spared = [line for line in report if line.endswith("struck nobody")]
    assert not spared, spared


def write(faults: Sequence[ScriptedFault], path: Path) -> Path:
    """Write a script."""
    names = {"kind": "fault"}
    rows = [
        {
            names.get(name, name): value
            for name, value in attrs.asdict(each).items()
            if value not in (None, "") and (name, value) != ("count", 1)
        }
        for each in faults
    ]
    path.write_text(yaml.safe_dump({"faults": rows}))
    return path


def told(faults: Sequence[ScriptedFault]) -> list[str]:
    """What the venue must say of the script: each beginning and end, in order."""
    lines = []
    for number, fault in enumerate(faults):
        lasts = fault.until_s is not None
        times = "strikes once" if fault.count == 1 else f"strikes {fault.count} times"
        word = "begins" if lasts else times
        lines.append((fault.at_s, 1, number, f"{fault.name} {word}"))
        if lasts:
            lines.append((fault.until_s or 0, 0, number, f"{fault.name} ends"))
    return [f"{at_s:g} s: {text}" for at_s, _, _, text in sorted(lines)]
