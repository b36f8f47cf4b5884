"""A live account whose venue is away for long: it is held, seen, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from holdfast.cli.venuelines import venue_lines
from holdfast.console.client import Refused, ask
from holdfast_adapters.auditor import audit
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import Desk, desk, live_config


async def asked(here: Desk, request: dict[str, Any]) -> dict[str, Any]:
    return await trio.to_thread.run_sync(ask, here.state, request)


def of(here: Desk, kind: type[Any]) -> list[Any]:
    return [e.event for e in here.entries() if isinstance(e.event, kind)]


def held_back(here: Desk) -> list[ev.OrderRefused]:
    why = "binance is degraded: its session is away"
    return [each for each in of(here, ev.OrderRefused) if each.reason == why]


async def _be_away(here: Desk) -> None:
    """Be away, and ask a person, who takes it back."""
    resume = {"command": "resume", "venue": "binance", "reason": "seen", "by": "ann"}
    while here.parts is None or not of(here, ev.OrderIntended):  # noqa: ASYNC110
        await trio.sleep(0.05)
    with pytest.raises(Refused, match=r"venue that is degraded: none"):
        await asked(here, resume)
    assert here.engine is not None
    here.parts.reaches["binance"].lose(here.engine.now_s())
    while not held_back(here):  # noqa: ASYNC110
        await trio.sleep(0.05)
    status = (await asked(here, {"command": "status"}))["status"]["venues"]
    assert status["binance"]["degraded"]["policy"] == "cancel"
    assert "DEGRADED: its session is away, for 0.2 s" in str(venue_lines(status))
    here.parts.reaches["binance"].find()
    assert (await asked(here, resume))["degraded"] == []


async def test_a_venue_that_is_away_for_long_is_degraded_until_it_is_taken_back(
    tmp_path: Path,
) -> None:
    path = live_config(tmp_path)
    said = "    degraded: {after_s: 0.2, policy: cancel}\n"
    address = "    address: ${BINANCE}\n"
    path.write_text(path.read_text().replace(address, address + said))

    def goes_on(entries: list[ev.Entry]) -> bool:
        kinds = [type(each.event) for each in entries]
        back = ev.VenueRestored in kinds and kinds.index(ev.VenueRestored)
        return bool(back) and ev.OrderIntended in kinds[back:]

    async with desk(tmp_path / "state") as here, trio.open_nursery() as nursery:
        nursery.start_soon(_be_away, here)
        await here.run(path, goes_on, settled=True)
        (degraded,), (restored,) = (
            of(here, ev.VenueDegraded),
            of(here, ev.VenueRestored),
        )
        assert (degraded.why, degraded.after_ms) == ("its session is away", 200)
        assert (restored.reason, restored.by) == ("seen", "ann")
        record = {"binance": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        assert [line for check in report.checks for line in check.findings] == []
