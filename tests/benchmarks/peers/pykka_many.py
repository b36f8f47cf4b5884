"""pykka: many idle actors, by mode: their memory, and how long a restart takes.

``bytes``, ``restart_one`` or ``mass_restart``. It restarts nobody, so a restart is
what a user writes: stop, then start anew. There are 1 000, each a thread; the figures
are for one of them.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from pathlib import Path

import pykka

ACTORS = 1_000


class Idle(pykka.ThreadingActor):
    """Does nothing."""

    def on_receive(self, message: object) -> object:
        return message


def resident_bytes() -> int:
    """What is resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def restart(ref: pykka.ActorRef) -> pykka.ActorRef:
    """Stop an actor and start it anew; ready when it has answered."""
    ref.stop()
    anew = Idle.start()
    anew.ask(0)
    return anew


def main(mode: str) -> None:
    pykka.ActorRegistry.stop_all()
    gc.collect()
    before = resident_bytes()
    refs = [Idle.start() for _ in range(ACTORS)]
    for ref in refs:
        ref.ask(0)
    if mode == "bytes":
        gc.collect()
        value = (resident_bytes() - before) / ACTORS
    else:
        took = []
        for number, ref in enumerate(refs):
            began = time.perf_counter()
            refs[number] = restart(ref)
            took.append((time.perf_counter() - began) * 1e6)
        value = statistics.median(took) if mode == "restart_one" else sum(took) / ACTORS
    pykka.ActorRegistry.stop_all()
    print(json.dumps({"value": value, "actors": ACTORS}))


if __name__ == "__main__":
    main(sys.argv[2])
