"""Holdfast: a quote in, to `on_order_fill`, with the journal in an SQLite file.

The figure is in commits for each commit on the way: the time of a quote by the number
of groups that were made durable for it, and by the time of one such group through the
writer's thread alone, in the same process on the same disk.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import trio
from journaled import entries, records
from live import SYMBOL, live_parts
from ours_live_quote_to_fill import WARM_UP, Flipping, filled_s, measure

from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import Entry
from holdfast_runtime.threads import PykkaThreadHost

QUOTES = 300
ROUNDS = 3
GROUP = 2
"""Records of a group: a decision and its intent, an ack and its fill."""


class Counted(SqliteJournal):
    """Counts the groups that were made durable."""

    groups = 0

    def append(self, batch: Sequence[Entry]) -> None:
        super().append(batch)
        self.groups += 1


async def commits_us(path: Path, host: PykkaThreadHost) -> list[float]:
    """Return how long each of many groups takes, one after the other."""
    store = SqliteJournal(path, 1)
    every = entries(records(QUOTES * GROUP // 4, "Flipping", SYMBOL))
    took_us = []
    for at in range(0, len(every), GROUP):
        began_s = time.perf_counter()
        await host.run(store.append, every[at : at + GROUP], deadline_s=60)
        took_us.append((time.perf_counter() - began_s) * 1e6)
    store.close()
    return took_us


async def round_in(folder: Path, host: PykkaThreadHost) -> tuple[float, float, float]:
    """Return a quote's time and a commit's, in µs, and how many a quote took."""
    commit_us = statistics.median(await commits_us(folder / "alone.sqlite", host))
    store = Counted(folder / "journal.sqlite", 1)
    parts, spec = live_parts(Flipping, store, host)
    before, filled = store.groups, len(filled_s)
    quote_us = statistics.median(await measure(parts, spec, QUOTES))
    store.close()
    assert len(filled_s) - filled == WARM_UP + QUOTES
    hops = round((store.groups - before) / (WARM_UP + QUOTES))
    return quote_us, commit_us, hops


async def main() -> None:
    host = PykkaThreadHost()
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(await round_in(Path(folder), host))
    host.close()
    figures = {
        "value": statistics.median(quote / one / hops for quote, one, hops in rounds),
        "hops": rounds[0][2],
        "commit_us": statistics.median(one for _, one, _ in rounds),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    trio.run(main)
