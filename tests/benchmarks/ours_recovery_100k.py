"""Holdfast: 100 000 journal records to a tree that is up, with no snapshot to help.

With the argument ``--snapshot``: from a snapshot in which all but 1 000 are.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import trio
from journaled import RECORDS_PER_ORDER, entries, records
from live import SYMBOL, two_bars

from holdfast import Strategy
from holdfast.clocks import SystemClock
from holdfast.compose import VENUE
from holdfast.options import RunOptions, read_options
from holdfast.paper import run_paper
from holdfast_actors.folding import Fold, Shape
from holdfast_actors.keeping import Keeper
from holdfast_actors.recovery import Recovery
from holdfast_actors.tree import strategy_path
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.snapshots import SnapshotFiles
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.money import Money

RECORDS = 100_000
TAIL = 1_000


class Busy(Strategy):
    """Has decided often."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol(SYMBOL)
        context.count = 0

    def handle_data(self, context: Any, data: Any) -> None:
        """Nothing: it is its past that counts."""


class Up(BaseException):
    """The tree is up."""


def write(directory: StateDir, options: RunOptions, *, snapshot: bool) -> None:
    store = SqliteJournal(directory.journal, 1)
    opening: list[ev.Event] = [
        ev.EngineStarted(engine=1, mode="paper", pid=1, options=options.identity()),
        ev.CapitalAllotted(strategy="Busy", money=Money(Decimal(100_000), "USD")),
    ]
    rest = records((RECORDS - 2) // RECORDS_PER_ORDER, "Busy", SYMBOL)
    every = entries(iter([*opening, *rest]))
    store.append(every[:-TAIL])
    if snapshot:
        shape = Shape(
            instruments=options.instruments,
            venue=VENUE,
            recent_us=0,
            strategies={"Busy": strategy_path("Busy")},
        )
        Keeper(
            store=store,
            snapshots=SnapshotFiles(directory.snapshots),
            recovery=Recovery(store, codec),
            fold=lambda: Fold(shape, codec),
            engine=1,
            wall=SystemClock(),
        ).take("timer")
    store.append(every[-TAIL:])
    store.close()


def measure(path: Path, *, snapshot: bool) -> float:
    options = read_options(Busy, data=two_bars())
    with StateDir.open(path, os.getpid()) as directory:
        write(directory, options, snapshot=snapshot)
        ended_s = 0.0

        def up(*_: object) -> None:
            nonlocal ended_s
            ended_s = time.perf_counter()
            raise Up

        began_s = time.perf_counter()
        try:
            trio.run(partial(run_paper, options, directory, None, up))
        except* Up:
            pass
        return ended_s - began_s


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        took_s = measure(Path(name), snapshot="--snapshot" in sys.argv)
    print(json.dumps({"value": took_s}))
