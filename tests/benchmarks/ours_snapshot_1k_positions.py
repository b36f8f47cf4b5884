"""Holdfast: one snapshot of 1 000 positions, made, written and synced.

``pause_ms`` is the longest time for which another thread, such as the engine's, could
not run while one was made.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

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


def pause_ms(take: Callable[[str], object]) -> float:
    """Return the longest pause of this thread while another one takes a snapshot."""
    other = Thread(target=take, args=("timer",))
    other.start()
    longest_s, last_s = 0.0, time.perf_counter()
    while other.is_alive():
        now_s = time.perf_counter()
        longest_s, last_s = max(longest_s, now_s - last_s), now_s
    return longest_s * 1e3


def measure(path: Path) -> dict[str, float]:
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
    pauses_ms = [pause_ms(keeper.take) for _ in range(ROUNDS)]
    return {
        "value": statistics.median(took_ms),
        "pause_ms": statistics.median(pauses_ms),
    }


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)  # as an engine with threads has it
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(measure(Path(directory))))
