"""``holdfast state`` and ``holdfast ledger`` on the state of a run."""

from __future__ import annotations

import json
import shutil

import pytest

from .commands import Desk, refused


@pytest.fixture
def ran(desk: Desk) -> Desk:
    """A desk on which a run is over."""
    assert desk.run(*desk.paper()).status == 0
    return desk


def test_the_state_goes_out_and_comes_back(ran: Desk) -> None:
    state, file = str(ran.state), str(ran.path / "out.json")
    shown = ran.run("state", "show", state, "--json")
    assert json.loads(shown.out)["why"] == "shutdown"
    assert "strategy  Buyer: cash" in ran.run("state", "show", state).out
    assert ran.run("state", "export", state, "--out", file).status == 0
    shutil.rmtree(ran.state / "snapshots")
    refused(ran.run("state", "show", state), "a good snapshot")

    assert ran.run("state", "import", state, file).status == 0

    assert ran.run("state", "show", state, "--json").out == shown.out


def test_what_was_edited_or_is_of_another_journal_is_not_imported(ran: Desk) -> None:
    state, file = str(ran.state), ran.path / "out.json"
    ran.run("state", "export", state, "--out", str(file))
    text = file.read_text()

    file.write_text(text.replace('"halted": false', '"halted": true'))
    refused(ran.run("state", "import", state, str(file)), "was edited")

    file.write_text(text)
    (ran.state / "journal.sqlite").unlink()
    (ran.state / "journal.sqlite-wal").unlink(missing_ok=True)
    shutil.rmtree(ran.state / "snapshots")
    (ran.state / "venue-paper.sqlite").unlink()
    ran.run(*ran.paper())
    refused(ran.run("state", "import", state, str(file)), "another journal")


def test_the_ledger_says_its_method_and_what_was_when(ran: Desk) -> None:
    state = str(ran.state)
    now = json.loads(ran.run("ledger", state, "--json").out)
    then = json.loads(ran.run("ledger", state, "--as-of", "2", "--json").out)
    fifo = json.loads(ran.run("ledger", state, "--method", "fifo", "--json").out)

    assert (now["method"], fifo["method"]) == ("average cost", "first in, first out")
    assert then["as_of"] == 2
    assert then["strategies"]["Buyer"]["positions"] == {}
    assert now["strategies"]["Buyer"]["positions"]["bars"]["amount"] != "0"
    assert "realised by first in, first out" in (
        ran.run("ledger", state, "--method", "fifo").out
    )
    refused(ran.run("ledger", state, "--as-of", "99999"), "a record of the journal")
    refused(ran.run("ledger", state, "--method", "lifo"), "--method")
