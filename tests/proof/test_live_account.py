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


@contextmanager
def exchange(folder: Path) -> Iterator[str]:
    """An exchange in a process of its own; its address."""
    words = ["--trades-per-s", "20", "--balance", "USDT=100000", "--balance", "BTC=2"]
    faults = ["submit=lost_ack", "user_stream=closed"]
    words += [word for fault in faults for word in ("--fault", fault)]
    words += ["--record", str(folder / "exchange.sqlite")]
    command = [*COMMAND, "venue", "binance", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)


@pytest.mark.soak
def test_an_engine_that_is_killed_loses_nothing(tmp_path: Path, sample: Any) -> None:
    (tmp_path / "flip.py").write_text(FLIP)
    (tmp_path / "live.yaml").write_text(CONFIG)
    state = tmp_path / "state"
    with exchange(tmp_path) as address:
        who = {"KEY": "desk-key", "SECRET": "desk-secret", "EXCHANGE": address}
        environ = os.environ | who | {"HOLDFAST_DATA_DIR": str(tmp_path / "user")}
        command = [*COMMAND, "run", str(tmp_path / "live.yaml"), "--live"]
        for end in (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
            wanted = records_of(state) + sample.randint(15, 40)
            with subprocess.Popen(command, env=environ, text=True) as engine:
                wait_for(engine, lambda: records_of(state) >= wanted)  # noqa: B023
                engine.send_signal(end)
            assert engine.returncode == (-end if end is signal.SIGKILL else 143)
        record = f"binance={tmp_path / 'exchange.sqlite'}"
        audited = subprocess.run(
            [*COMMAND, "audit", str(state), "--record", record, "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    checks = json.loads(audited.stdout)["checks"]
    assert {name: lines for name, lines in checks.items() if lines} == {}
