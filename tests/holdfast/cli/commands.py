"""The command line as a user has it: a process, its output, and small data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import attrs
from tests.forking import Ran, run_holdfast

HEADER = "timestamp,open,high,low,close,volume"

BUYER = """
from holdfast import Strategy, param


class Buyer(Strategy):
    units = param(3)

    def initialize(self, context):
        context.asset = self.symbol("bars")
        context.seen = 0

    def handle_data(self, context, data):
        context.seen += 1
        print("seen", context.seen)
        if context.seen % 5 == 2:
            self.order(context.asset, self.units)
"""


@attrs.frozen
class Desk:
    """A folder with data, a strategy, and a data directory of its own."""

    path: Path

    @property
    def state(self) -> Path:
        return self.path / "state"

    @property
    def environ(self) -> dict[str, str]:
        data = str(self.path / "data-directory")
        kept = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
        return {**kept, "HOLDFAST_DATA_DIR": data, "XDG_CACHE_HOME": str(self.path)}

    def write(self, name: str, text: str) -> str:
        file = self.path / name
        file.write_text(text)
        return str(file)

    def bars(self, count: int = 40) -> str:
        rows = [
            f"2024-{1 + day // 28:02}-{1 + day % 28:02}T21:00:00Z,"
            f"{10 + day},{11 + day},{9 + day},{10 + day},1000"
            for day in range(count)
        ]
        return self.write("bars.csv", "\n".join([HEADER, *rows]) + "\n")

    def buyer(self) -> str:
        return self.write("buyer.py", BUYER)

    def run(self, *arguments: str) -> Ran:
        return run_holdfast(*arguments, cwd=self.path, env=self.environ)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(*arguments),
            env=self.environ,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def paper(self, *more: str) -> tuple[str, ...]:
        run = ("paper", self.buyer(), "--data", self.bars(), "--json")
        return (*run, "--state", str(self.state), *more)

    def files(self) -> dict[str, bytes]:
        """What is in the state directory."""
        found = sorted(self.state.iterdir()) if self.state.exists() else []
        return {file.name: file.read_bytes() for file in found if file.is_file()}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "holdfast", *arguments]


def refused(ran: Ran, *words: str, status: int = 2) -> None:
    """One line on standard error that has the words, and nothing else."""
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("holdfast: ")
    assert ran.status == status, ran.err
    missing = [word for word in words if word not in lines[0]]
    assert not missing, lines[0]
