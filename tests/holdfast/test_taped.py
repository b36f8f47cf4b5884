"""`holdfast replay`: what a live run saw is played again, and does the same."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.cli import main
from holdfast.cli.failing import FAILED
from holdfast.taped import Likeness, compared
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import EXAMPLE, KEY, SECRET, Desk, desk, live_config
from .twins_at import live


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the configurations keep what they do; the environment that they need."""
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("BINANCE", "http://127.0.0.1:1")
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("SECRET", SECRET)
    return tmp_path / "state"


async def ran(state: Path, path: Path, stops: int = 2) -> Desk:
    """Let a run trade, stop it, and let it go on."""
    async with desk(state) as here:
        for stop in range(1, stops + 1):
            await here.run(path, lambda _, least=3 * stop: fills(here) >= least)  # type: ignore[misc]
    return here


def fills(here: Desk) -> int:
    return len(live(here, ev.OrderFilled))


def replayed(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    """Return status, the JSON object, and what is on standard error."""
    capsys.readouterr()
    status = main(["replay", str(path), "--json"])
    printed = capsys.readouterr()
    return status, json.loads(printed.out or "null"), printed.err


async def test_a_tape_makes_the_journal_again_trades_and_a_stop_included(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = await ran(state, EXAMPLE)
    journal = (state / "journal.sqlite").read_bytes()

    status, found, _ = replayed(EXAMPLE, capsys)

    assert (status, found["journal"]["unlike"]) == (0, "")
    kept = [e for e in here.entries() if not isinstance(e.event, ev.OPERATIONAL)]
    assert found["journal"]["same"] == len(kept)
    assert found["fills"] >= fills(here) > 0
    assert (state / "journal.sqlite").read_bytes() == journal
    # A person is told the same.
    assert main(["replay", str(EXAMPLE)]) == 0
    assert f"in the journal: {len(kept)} records" in capsys.readouterr().out


async def test_another_parameter_does_otherwise_and_the_first_record_is_named(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = await ran(state, EXAMPLE, stops=1)
    other = tmp_path / "other.yaml"
    # Whoever traded, traded another quantity.
    text = EXAMPLE.read_text().replace("invested: 0.9", "invested: 0.3")
    text = text.replace("window: 5", "window: 5, invested: 0.2")
    other.write_text(text.replace("strategies/", f"{EXAMPLE.parent}/strategies/"))

    status, found, said = replayed(other, capsys)

    assert status == FAILED
    assert found["journal"]["unlike"] in said
    number = int(found["journal"]["unlike"].split()[1])
    (first,) = [e for e in here.entries() if e.sequence == number]
    assert type(first.event).__name__ in said


async def test_an_account_is_played_on_paper_and_not_compared(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = live_config(tmp_path)
    await ran(state, path, stops=1)

    status, found, _ = replayed(path, capsys)

    assert status == 0
    assert found["fills"] > 0
    assert found["journal"] == {
        "same": 0,
        "unlike": "",
        "uncompared": "the venue of an account has an order of events of its own",
    }


def test_what_is_not_there_or_in_use_is_one_line(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, said = replayed(EXAMPLE, capsys)
    assert status == 2
    assert "a state directory, got nothing there" in said
    assert not state.exists()

    with StateDir.open(state, os.getpid()):
        status, _, said = replayed(EXAMPLE, capsys)
        assert (status, "in use by" in said) == (2, True)
    status, _, said = replayed(EXAMPLE, capsys)
    assert (status, "a tape of a live run, got none" in said) == (2, True)


def entry(sequence: int, name: str) -> ev.Entry:
    return ev.Entry(
        sequence=sequence,
        epoch=1,
        cursor=0,
        market_time_us=0,
        wall_time_us=0,
        event=ev.Halted(reason=name, by="ann", generation=1),
    )


def test_a_journal_may_not_have_more_than_the_replay() -> None:
    kept = [entry(4, "one"), entry(5, "two")]

    assert compared(kept, [*kept, entry(6, "three")]) == Likeness(same=2)
    found = compared(kept, kept[:1])
    assert found.same == 1
    assert found.unlike.startswith("record 5 is Halted(reason='two'")
    assert found.unlike.endswith("the replay has no more")
    other = replace(kept[1], cursor=9)
    assert compared(kept, [kept[0], other]).unlike.startswith("record 5 is ")
