"""Holdfast: one snapshot of 1 000 positions, made, written and synced."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from journaled import RECORDS_PER_ORDER, entries, records

from holdfast.clocks import SystemClock
from holdfast_actors.folding import Fold, Shape
from holdfast_actors.keeping import Keeper
from holdfast_actors.recovery import Recovery
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.snapshots import SnapshotFiles
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import Event
from holdfast_domain.instruments import Instrument

POSITIONS = 1_000
ROUNDS = 25


def events() -> Iterator[Event]:
    for number in range(POSITIONS):
        # The first order of each bought; ids need not differ between strategies here.
        made = list(records(number + 1, "mom", f"S{number}"))[-RECORDS_PER_ORDER:]
        yield from made


def measure(path: Path) -> float:
    store = SqliteJournal(path / "journal.sqlite", 1)
    store.append(entries(events()))
    instruments = {f"S{n}": Instrument(symbol=f"S{n}") for n in range(POSITIONS)}
    shape = Shape(
        instruments=instruments,
        venue="paper",
        recent_us=0,
        strategies={"mom": "engine/trading/strategies/mom/strategy"},
    )
    keeper = Keeper(
        store=store,
        snapshots=SnapshotFiles(path / "snapshots"),
        recovery=Recovery(store, codec),
        fold=lambda: Fold(shape, codec),
        engine=1,
        wall=SystemClock(),
    )
    keeper.take("the first one reads the journal")
    took_ms = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        keeper.take("timer")
        took_ms.append((time.perf_counter() - began_s) * 1e3)
    return statistics.median(took_ms)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps({"value": measure(Path(directory))}))
