"""An account at Interactive Brokers that is away, and twins that trade its ticks."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from holdfast.paper import run_entries
from holdfast_actors.parts import Parts
from holdfast_adapters.auditor import audit
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_runtime import LiveEngine

from .test_live_ib import EXAMPLE, Office, office
from .twins_at import set_by, until

pytest.importorskip("ib_async")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The example, with twins."""
    text = EXAMPLE.read_text().replace("strategies/", f"{EXAMPLE.parent}/strategies/")
    said = "    degraded: {after_s: 0.2, policy: paper}\n"
    made = tmp_path / "ib.yaml"
    made.write_text(text.replace("    commission", f"{said}    commission"))
    return made


async def test_a_twin_is_filled_by_the_trades_that_are_told(path: Path) -> None:
    over, up = trio.Event(), trio.Event()
    live: list[tuple[LiveEngine, Parts]] = []

    def observe(engine: LiveEngine, parts: Parts) -> None:
        live.append((engine, parts))
        up.set()

    def filled(directory: StateDir) -> int:
        entries = run_entries(directory) if directory.journal.exists() else []
        return sum(isinstance(each.event, ev.OrderFilled) for each in entries)

    async def play(here: Office, twin: StateDir) -> None:
        await up.wait()
        await until(lambda: filled(StateDir(here.state)) >= 2)
        engine, parts = live[0]
        parts.reaches["ib"].lose(engine.now_s())
        await until(lambda: filled(twin) >= 2)
        over.set()

    async with office(path.parent / "state") as here, trio.open_nursery() as nursery:
        twin = StateDir(here.state / "paper" / "ib-1")
        nursery.start_soon(play, here, twin)
        await here.run(set_by(over), path, observe)
        report = audit(twin.journal, twin.venues())
        assert [line for check in report.checks for line in check.findings] == []
    own = {
        each.event.order_id
        for each in run_entries(twin)
        if isinstance(each.event, ev.OrderIntended) and each.event.decision
    }
    real = {
        each.event.order_id
        for each in here.entries()
        if isinstance(each.event, ev.OrderIntended)
    }
    assert own
    assert not own & real
