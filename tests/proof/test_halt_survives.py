"""A halt stops orders, not the engine, and outlives a `kill -9`; a resume lifts it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from holdfast.console.client import ask
from holdfast_domain import events as ev
from holdfast_domain.errors import DomainError

from .comparing import complaints, read
from .running import DATA, EXAMPLES, RESTLESS, start_process, wait_for

FILES = (RESTLESS, EXAMPLES / "strategies" / "sma_cross.py")
DAYS_PER_S = 86_400
HALT = {"command": "halt", "reason": "lunch", "by": "the proof"}
RESUME = {"command": "resume", "reason": "back again", "by": "the proof"}


def start(state: Path, speed: int) -> subprocess.Popen[str]:
    return start_process(
        state,
        *(str(file) for file in FILES),
        *("--data", str(DATA), "--start", "2004-06-01", "--end", "2006-06-01"),
        *("--speed", str(speed * DAYS_PER_S)),
    )


def status(state: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = ask(state, {"command": "status"})["status"]
    except DomainError:  # not up yet
        return {}
    return found


def wait_until(
    process: subprocess.Popen[str], state: Path, date: str
) -> dict[str, Any]:
    """Return the first status at or after ``date`` in market time."""
    seen: dict[str, Any] = {}

    def has_come() -> bool:
        seen.update(status(state))
        return (seen.get("market_time") or "") >= date

    wait_for(process, has_come)
    assert process.poll() is None
    return seen


def intents(entries: list[ev.Entry]) -> list[ev.Entry]:
    return [e for e in entries if isinstance(e.event, ev.OrderIntended)]


def test_a_halt_outlives_a_kill_and_a_resume_lifts_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = start(state, 200)
    assert not wait_until(process, state, "2004-08-01")["halted"]
    ask(state, HALT)
    halted = wait_until(process, state, "2004-10-01")
    assert (halted["halted"], halted["halt_reason"]) == (True, "lunch")
    process.kill()
    process.communicate()

    process = start(state, 200)
    still = wait_until(process, state, "2005-01-01")
    assert (still["halted"], still["halt_reason"]) == (True, "lunch")
    ask(state, RESUME)
    assert not wait_until(process, state, "2005-02-01")["halted"]
    process.communicate()

    assert process.returncode == 0
    check_journal(state)


def check_journal(state: Path) -> None:
    """Orders before the halt and after the resume, and none between them."""
    entries = read(state / "journal.sqlite")
    halt, resume = (
        next(e.sequence for e in entries if isinstance(e.event, kind))
        for kind in (ev.Halted, ev.Resumed)
    )
    made = [e.sequence for e in intents(entries)]
    assert made[0] < halt
    assert made[-1] > resume
    assert [each for each in made if halt < each < resume] == []
    refused = [
        e.event.reason
        for e in entries
        if isinstance(e.event, ev.OrderRefused) and halt < e.sequence < resume
    ]
    assert {"halted: lunch"} == set(refused)
    assert complaints(state) == []


def test_a_file_halts_too(tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = start(state, 100)
    wait_until(process, state, "2004-07-01")
    (state / "HALT").touch()
    wait_for(process, lambda: status(state).get("halted", False))
    halted = status(state)
    process.kill()
    process.communicate()

    assert halted["halted"]
    assert "HALT" in halted["halt_reason"]
