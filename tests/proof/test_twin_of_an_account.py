"""An exchange loses what an account asks: a twin goes on on paper, whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.console.orders import orders_of
from holdfast_adapters.statedir import StateDir

from .running import wait_for

COMMAND = [sys.executable, "-m", "holdfast"]
EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def exchange(folder: Path) -> Iterator[str]:
    """An exchange that loses requests after some seconds, and tells its market."""
    words = ["--trades-per-s", "20", "--balance", "USDT=100000"]
    words += ["--script", str(EXAMPLES / "binance_away.yaml")]
    words += ["--record", "exchange.sqlite"]
    command = [*COMMAND, "venue", "binance", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, text=True, cwd=folder) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)


def asked(folder: Path, *words: str) -> str:
    command = [*COMMAND, *words]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    assert not ended.returncode, ended.stderr + ended.stdout
    return ended.stdout


def audited(folder: Path, *words: str) -> dict[str, Any]:
    checks = json.loads(asked(folder, "audit", *words, "--json"))["checks"]
    return {name: lines for name, lines in checks.items() if lines}


def fills(directory: Path) -> int:
    if not (directory / "journal.sqlite").exists():
        return 0
    return sum(row["filled"] != "0" for row in orders_of(StateDir(directory).journal))


@contextmanager
def engine(folder: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, "run", str(EXAMPLES / "binance_twin.yaml"), "--live"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environ, text=True, cwd=folder, stderr=pipe
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_twin_goes_on_over_a_kill_and_ends_when_a_person_takes_the_venue_back(
    tmp_path: Path,
) -> None:
    state, twin = tmp_path / "state", tmp_path / "state" / "paper" / "binance-1"
    with exchange(tmp_path) as address:
        who = {"KEY": "desk-key", "SECRET": "desk-secret", "BINANCE": address}
        user = str(tmp_path / "user")
        places = {"HOLDFAST_STATE": str(state), "HOLDFAST_DATA_DIR": user}
        environ = os.environ | who | places
        with engine(tmp_path, environ) as process:
            wait_for(process, lambda: fills(twin) >= 3)
            process.send_signal(signal.SIGKILL)
        before = fills(twin)
        with engine(tmp_path, environ) as process:
            wait_for(process, lambda: fills(twin) >= before + 3)
            shown = json.loads(asked(tmp_path, "status", "state", "--json"))
            of_live = asked(tmp_path, "orders", "list", "state", "--all", "--json")
            of_twin = asked(tmp_path, "orders", "list", str(twin), "--all", "--json")
            why = ["--reason", "seen", "--by", "ann", "--venue", "binance"]
            asked(tmp_path, "resume", "state", *why)
            wait_for(process, (twin / "ended.json").exists)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate()
        assert process.returncode == 143
    assert f"its twin goes on on paper, with its journal in {twin}" in said
    assert "the twin has ended, for the venue is not degraded any more:" in said
    assert shown["venues"]["binance"]["twin"]["fills"] >= 3
    live = {row["order_id"] for row in json.loads(of_live)}
    own = {row["order_id"] for row in json.loads(of_twin)} - live
    assert own
    assert not own & {row["order_id"] for row in orders_of(StateDir(state).journal)}
    assert audited(tmp_path, "state", "--record", "binance=exchange.sqlite") == {}
    assert audited(tmp_path, str(twin)) == {}
