"""An account is traded by an engine that is killed, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .running import records_of, wait_for

COMMAND = [sys.executable, "-m", "holdfast"]
FLIP = """\
from holdfast import Strategy, param

class Flip(Strategy):
    size: float = param(0.5)

    def initialize(self, context):
        context.asset = self.symbol("BTCUSDT")
        context.bars = 0

    def handle_data(self, context, data):
        context.bars += 1
        size = self.size if context.bars % 4 < 2 else 0
        self.order_target_percent(context.asset, size)
"""
CONFIG = """\
mode: live
strategies:
  - {class: flip.py, name: one, params: {size: 0.5}, capital: 20000}
  - {class: flip.py, name: two, params: {size: 0.3}, capital: 20000}
venues:
  binance:
    adapter: binance
    symbols: [BTCUSDT]
    address: ${EXCHANGE}
    credentials: {key: "${KEY}", secret: "${SECRET}"}
engine: {state: state}
data: {interval: 1s, grace_s: 0.3}
"""
BRACKETS = """\
from holdfast import Strategy, param

class Brackets(Strategy):
    size: float = param(20_000)

    def initialize(self, context):
        context.asset = self.symbol("AAPL")

    def handle_data(self, context, data):
        if self.get_open_orders():
            return
        last = data.current(context.asset)
        self.order_bracket(
            context.asset,
            int(self.size),
            limit_price=round(last, 2),
            take_profit_price=round(last * 1.0005, 2),
            stop_loss_price=round(last * 0.9995, 2),
        )
"""
AT_IB = """\
mode: live
strategies:
  - {class: brackets.py, name: one, params: {size: 20000}, capital: 4000000}
  - {class: brackets.py, name: two, params: {size: 9000}, capital: 4000000}
venues:
  ib:
    adapter: ib
    symbols: [AAPL]
    address: ${TWS}
engine: {state: state}
data: {interval: 1s, trades: true, grace_s: 0.3}
"""
BINANCE = ("--balance", "USDT=100000", "--balance", "BTC=2")
TWS = ("--port", "0", "--cash", "10000000", "--exits", "resized")


@contextmanager
def exchange(
    folder: Path, *given: str, venue: str = "binance", told: str = "user_stream"
) -> Iterator[str]:
    """An exchange in a process of its own; its address."""
    words = ["--trades-per-s", "20", *given]
    faults = ["submit=lost_ack", f"{told}=closed"]
    words += [word for fault in faults for word in ("--fault", fault)]
    words += ["--record", str(folder / "exchange.sqlite")]
    command = [*COMMAND, "venue", venue, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)


@pytest.mark.soak
def test_an_engine_that_is_killed_loses_nothing(tmp_path: Path, sample: Any) -> None:
    (tmp_path / "flip.py").write_text(FLIP)
    (tmp_path / "live.yaml").write_text(CONFIG)
    with exchange(tmp_path, *BINANCE) as address:
        who = {"KEY": "desk-key", "SECRET": "desk-secret", "EXCHANGE": address}
        assert killed(tmp_path, "binance", who, sample) == {}


@pytest.mark.soak
def test_a_bracket_at_ib_outlives_engines_that_are_killed(
    tmp_path: Path, sample: Any
) -> None:
    pytest.importorskip("ib_async")
    (tmp_path / "brackets.py").write_text(BRACKETS)
    (tmp_path / "live.yaml").write_text(AT_IB)
    with exchange(tmp_path, *TWS, venue="ib", told="fills") as address:
        assert killed(tmp_path, "ib", {"TWS": address}, sample) == {}


def killed(
    folder: Path, venue: str, variables: dict[str, str], sample: Any
) -> dict[str, list[str]]:
    """Kill an engine thrice, stop it, and return what the auditor finds.

    What rests may be filled behind an engine that has ended: the next one books it, and
    what none of three has is lost.
    """
    state = folder / "state"
    environ = os.environ | variables | {"HOLDFAST_DATA_DIR": str(folder / "user")}
    command = [*COMMAND, "run", str(folder / "live.yaml"), "--live"]
    record = f"{venue}={folder / 'exchange.sqlite'}"
    checks: dict[str, list[str]] = {}
    for end in [signal.SIGKILL] * 3 + [signal.SIGTERM] * 3:
        wanted = records_of(state) + sample.randint(15, 40)
        with subprocess.Popen(command, env=environ, text=True) as engine:
            wait_for(engine, lambda: records_of(state) >= wanted)  # noqa: B023
            engine.send_signal(end)
        assert engine.returncode == (-end if end is signal.SIGKILL else 143)
        if end is signal.SIGTERM:
            audited = subprocess.run(
                [*COMMAND, "audit", str(state), "--record", record, "--json"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            checks = json.loads(audited.stdout)["checks"]
            if not any(checks.values()):
                break
    return {name: lines for name, lines in checks.items() if lines}
