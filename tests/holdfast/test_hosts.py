"""The threads of a live run: people hear of one that hangs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import trio

from holdfast.console.actor import Desk
from holdfast.hosts import Hosts
from holdfast_adapters.statedir import StateDir
from holdfast_runtime import Lifecycle, SupervisorSpec, open_engine
from holdfast_runtime.threads import HostRefused


def test_a_thread_that_hangs_is_told_and_counted_over_both_hosts(
    tmp_path: Path,
) -> None:
    told: list[Lifecycle] = []
    heard = trio.Event()
    released = threading.Event()

    def listen(event: Lifecycle) -> None:
        told.append(event)
        if len(told) == 4:
            heard.set()

    async def main() -> None:
        with StateDir.open(tmp_path, 1) as directory:
            desk = Desk(mode="paper", pid=1, directory=directory)
            async with open_engine(SupervisorSpec(name="engine")) as engine:
                desk.engine = engine
                engine.on_lifecycle.append(listen)
                hosts = Hosts(desk)
                try:
                    for host in (hosts.journal, hosts.venue) * 2:
                        with pytest.raises(TimeoutError):
                            await host.run(released.wait, deadline_s=0.01)
                    await heard.wait()
                    for host in (hosts.journal, hosts.venue):
                        with pytest.raises(HostRefused, match="4 threads hang"):
                            await host.run(int, deadline_s=1.0)
                finally:
                    released.set()
                    hosts.close()

    trio.run(main)
    paths = ["engine/core/journal", "engine/trading/venues/paper"]
    assert [(each.path, each.what) for each in told] == [
        (path, "abandoned") for path in paths * 2
    ]
