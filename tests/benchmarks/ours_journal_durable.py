"""Holdfast: records told to the journal under load, until the last one is durable.

Through the actor: mailbox, batch, thread, encoding, chain, commit with FULL, readers.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trio
from journaled import RECORDS_PER_ORDER, records

from holdfast.clocks import SystemClock
from holdfast_actors.clock import MarketClock
from holdfast_actors.journal import GroupCommit
from holdfast_actors.messages import Note
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import Event
from holdfast_runtime import ActorSpec, Context, SupervisorSpec, open_engine
from holdfast_runtime.threads import PykkaThreadHost

ORDERS = 50_000
BATCH = 4_000


async def measure(path: Path) -> float:
    store, host = SqliteJournal(path, 1), PykkaThreadHost()

    def nobody(_event: Event) -> Sequence[Any]:
        return ()

    def build(ctx: Context) -> GroupCommit:
        return GroupCommit(
            host=host,
            store=store,
            clock=MarketClock(),
            wall=SystemClock(),
            epoch=1,
            routes=nobody,
            effect=ctx.effect,
        )

    notes = [Note(event) for event in records(ORDERS, "mom", "SPY")]
    spec = SupervisorSpec(
        name="engine", children=(ActorSpec(name="journal", build=build),)
    )
    async with open_engine(spec) as engine:
        journal = engine.ref("engine/journal")
        began_s = time.perf_counter()
        for at in range(0, len(notes), BATCH):
            for note in notes[at : at + BATCH]:
                await journal.send(note)
        while store.last_sequence < len(notes):  # noqa: ASYNC110 - no one tells
            await trio.sleep(0.001)
        took_s = time.perf_counter() - began_s
    host.close()
    store.close()
    return took_s


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        took_s = trio.run(measure, Path(directory) / "journal.sqlite")
    print(json.dumps({"value": ORDERS * RECORDS_PER_ORDER / took_s}))
